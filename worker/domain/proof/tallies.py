"""What is counted at thresholds: messages with their scores and losses, once for all thresholds."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import neg

from worker.domain.proof.claims import Claim, ClaimTerms, Scored
from worker.domain.proof.fixed_sequence import Tally
from worker.domain.proof.graded import GradedAnswer, GradedMessage

Score = Callable[[GradedMessage, GradedAnswer], float]


@dataclass(slots=True)
class ScoreCounts:
    """What reaches a tier, counted: messages, those of them that it answered, and of its valid
    answers how many have each score. As large as there are scores, however many the messages."""

    messages: int = 0
    answered: int = 0
    scores: Counter[float] = field(default_factory=Counter)

    def add(self, message: GradedMessage, tier: str, score: Score) -> None:
        """Counts one more."""
        self.messages += 1
        if (answer := message.answered(tier)) is not None:
            self.answered += 1
            if answer.valid:
                self.scores[score(message, answer)] += 1

    def at_least(self, threshold: float) -> int:
        """How many answers reach it: `>=`."""
        return sum(count for score, count in self.scores.items() if score >= threshold)

    def falling(self) -> Iterator[tuple[float, int]]:
        """Scores from the highest on, with how many have it or a higher one."""
        seen = 0
        for score in sorted(self.scores, reverse=True):
            seen += self.scores[score]
            yield score, seen


def reach_of(messages: Iterable[GradedMessage], tier: str, score: Score) -> ScoreCounts:
    """Counts them all, one after the other."""
    found = ScoreCounts()
    for message in messages:
        found.add(message, tier, score)
    return found


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
    reach: ScoreCounts,
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
                coverage=reach.at_least(threshold) / max(messages, 1),
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
