"""The finished messages of runs, with what is known of them together."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from worker.domain.proof.graded import GradedAnswer, GradedMessage
from worker.store.reading.spools import Spool

AnswerKind = tuple[bool, bool]
"""Whether an answer is a shadow's, and whether it is a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerKey:
    """What an answer was given under: a certificate holds for no other."""

    model: str
    prompt_version: str
    schema_version: str
    effort: str
    policy_version: str
    knowledge_version: str = ""
    """Of the folders of pages that were searched for it; those in the prompt are in its version."""


@dataclass(frozen=True, slots=True)
class GradedMessages(Collection[GradedMessage]):
    """Messages that are read again each time, and not held. The share that people have judged of
    what was drawn is known after the last of them, and put into their probabilities here."""

    kept: Spool[tuple[GradedMessage, Mapping[str, AnswerKind]]] = field(default_factory=Spool)
    judged: dict[AnswerKind, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.kept)

    def __iter__(self) -> Iterator[GradedMessage]:
        for message, kinds in self.kept:
            yield self._as_known(message, kinds)

    def __contains__(self, message: object) -> bool:
        return any(message == one for one in self)

    def _as_known(self, message: GradedMessage, kinds: Mapping[str, AnswerKind]) -> GradedMessage:
        shares = {tier: self.judged.get(kind, 1.0) for tier, kind in kinds.items()}
        if all(share == 1 for share in shares.values()):
            return message
        answers = {
            tier: _less_known(answer, shares.get(tier, 1.0))
            for tier, answer in message.answers.items()
        }
        return replace(message, answers=answers)


def _less_known(answer: GradedAnswer, share: float) -> GradedAnswer:
    return replace(answer, probability=answer.probability * share)


@dataclass(slots=True, kw_only=True)
class Population:
    """The finished messages of runs. `sampled` are those that chance chose; `keys` are, by tier,
    what accepted answers were given under; `verdicts` counts those in force by who gave them. Two
    people judged `twice` of the answers, and `differing` of those differently. Memory grows with
    the verdicts, and not with the messages."""

    messages: GradedMessages = field(default_factory=GradedMessages)
    sampled: GradedMessages = field(default_factory=GradedMessages)
    keys: dict[str, set[AnswerKey]] = field(default_factory=dict)
    verdicts: dict[str, int] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    """Every verdict in force as text, to know whether anything is new."""
    simulated: bool = False
    of: int = 0
    """Jobs of the runs that have ended with an answer or with a person, read or not."""
    part: float = 1.0
    """The share that the draw chose to be read."""
    twice: int = 0
    differing: int = 0
    drawn: int = 0
    ungraded: int = 0
    begun: dt.datetime | None = None
    ended: dt.datetime | None = None
