"""What is counted at thresholds: messages with their scores and losses, once for all thresholds."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from operator import neg

from worker.domain.proof.claims import Claim, ClaimTerms, Scored
from worker.domain.proof.fixed_sequence import Tally
from worker.domain.proof.graded import GradedAnswer, GradedMessage

Score = Callable[[GradedMessage, GradedAnswer], float]


def remembered(score: Score) -> Score:
    """The same score, computed once for each message, of answers of one tier."""
    known: dict[str, float] = {}

    def once(message: GradedMessage, answer: GradedAnswer) -> float:
        found = known.get(message.name)
        if found is None:
            found = known[message.name] = score(message, answer)
        return found

    return once


def candidates(messages: Sequence[GradedMessage], terms: ClaimTerms, score: Score) -> list[Scored]:
    """Messages that the tier answered, with score and loss; an invalid answer has no score."""
    made = []
    for message in messages:
        answer = message.answered(terms.tier)
        if answer is not None:
            scored = score(message, answer) if answer.valid else None
            looked = answer.looked if answer.passed else 1.0
            made.append(
                Scored(
                    segment=message.segment, score=scored, loss=terms.loss(message), looked=looked
                )
            )
    return made


def tallied(
    labelled: Sequence[Scored],
    reaching: Sequence[Scored],
    messages: int,
    terms: ClaimTerms,
    thresholds: Sequence[float],
) -> list[Tally]:
    """Counts at each threshold, in their order; each message is looked at once for all of them.
    Accuracy counts the accepted labels; parity counts all of them, for a message that is not
    accepted is not answered worse."""
    seen = _by_score(labelled)
    accepted = [c.score or 0.0 for c in seen]
    errors, thinned, known, looked = [0], [0], [0], [1.0]
    for one in seen:
        errors.append(errors[-1] + bool(one.loss))
        thinned.append(thinned[-1] + (bool(one.loss) and one.looked < 1))
        known.append(known[-1] + (one.loss is not None))
        looked.append(min(looked[-1], one.looked) if one.loss is not None else looked[-1])
    reached = [c.score or 0.0 for c in _by_score(reaching)]
    made = []
    for threshold in thresholds:
        count = _at_least(accepted, threshold)
        rest = len(labelled) - count if terms.claim is Claim.PARITY else 0
        made.append(
            Tally(
                threshold=threshold,
                errors=errors[count],
                labels=known[count] + rest,
                thinned=thinned[count],
                looked=looked[count],
                coverage=_at_least(reached, threshold) / max(messages, 1),
            )
        )
    return made


def _by_score(found: Sequence[Scored]) -> list[Scored]:
    """Those with a score, the highest first."""
    scored = [one for one in found if one.score is not None]
    return sorted(scored, key=lambda one: -(one.score or 0.0))


def _at_least(falling: Sequence[float], threshold: float) -> int:
    """How many of these scores, the highest first, reach the threshold: `>=`."""
    return bisect_right(falling, -threshold, key=neg)
