"""Which decisions a new policy would change on recorded answers, so that only those are paid for.

An answer that was judged before is judged again by its record: the same findings, the same stated
confidence, another threshold. While the new policy takes a recorded answer, or climbs to a tier
whose answer is recorded, nothing need be asked; the first answer that is missing is the first call.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAnswer:
    """A recorded answer of one tier. `blocking` are the reasons other than low confidence for
    which it was not accepted; `confidence` is None where none was stated. `score` is that of the
    certificate in force, None where none is."""

    tier: str
    fence: int
    blocking: tuple[str, ...] = ()
    confidence: float | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Stands:
    """The recorded answer of `tier` is the new policy's too: it is taken over at no cost."""

    tier: str
    fence: int


@dataclass(frozen=True, slots=True)
class Asks:
    """The new policy wants an answer of `tier` that is not recorded: calls begin there."""

    tier: str


@dataclass(frozen=True, slots=True)
class ForPeople:
    """The new policy ends with a person, by what is recorded; `fence` names the best effort."""

    fence: int


Change = Stands | Asks | ForPeople


def passes(answer: RecordedAnswer, threshold: float | None, standard: float | None = None) -> bool:
    """Whether the answer may go out at this threshold; None asks for no confidence. `standard` is
    the score that a certificate asks for beside it."""
    if answer.blocking:
        return False
    if standard is not None and (answer.score is None or answer.score < standard):
        return False
    if threshold is None:
        return True
    return answer.confidence is not None and answer.confidence >= threshold


def decision(
    ladder: Sequence[str],
    start: str,
    thresholds: Mapping[str, float | None],
    recorded: Iterable[RecordedAnswer],
) -> Change:
    """What a policy over `ladder` that begins at `start` makes of the recorded answers; of two at
    one tier the later counts."""
    latest = {a.tier: a for a in sorted(recorded, key=lambda answer: answer.fence)}
    last: RecordedAnswer | None = None
    for tier in ladder[ladder.index(start) :]:
        answer = latest.get(tier)
        if answer is None:
            return Asks(tier)
        if passes(answer, thresholds.get(tier)):
            return Stands(tier, answer.fence)
        last = answer
    assert last is not None, "a ladder has a rung"
    return ForPeople(last.fence)


def changed(before: Change, after: Change) -> bool:
    """Whether the two differ in what goes out or is asked."""
    return before != after
