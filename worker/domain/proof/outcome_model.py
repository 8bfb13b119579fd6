"""A model of outcomes for the doubly robust estimate: each half of the messages is guessed by the
scorer that the other half fitted, so that no outcome helps to guess itself."""

from collections.abc import Mapping, Sequence

from worker.domain.proof.graded import GradedAnswer, GradedMessage, draw
from worker.domain.proof.scorer import Scorer, fit

SALT = "rung outcome model 1"


def guesses(messages: Sequence[GradedMessage], tiers: Sequence[str]) -> list[Mapping[str, float]]:
    """For each message, how likely each tier's answer is right. Nothing to guess, no work: where
    every outcome is known the guesses are empty."""
    if all(_known(message, tiers) for message in messages):
        return [{}] * len(messages)
    sides = [draw(message.name, SALT) < 0.5 for message in messages]
    fitted = {
        (side, tier): _fit([m for m, s in zip(messages, sides, strict=True) if s != side], tier)
        for side in (True, False)
        for tier in tiers
    }
    return [
        {tier: fitted[side, tier].score(message, _bare(message, tiers[0])) for tier in tiers}
        for message, side in zip(messages, sides, strict=True)
    ]


def _known(message: GradedMessage, tiers: Sequence[str]) -> bool:
    answers = [message.answered(tier) for tier in tiers]
    return all(answer is not None and answer.right is not None for answer in answers)


def _fit(messages: Sequence[GradedMessage], tier: str) -> Scorer:
    rows = []
    for message in messages:
        answer = message.answered(tier)
        if answer is not None and answer.right is not None:
            rows.append((message, _bare(message, tier), answer.right))
    return fit(rows)


def _bare(message: GradedMessage, tier: str) -> GradedAnswer:
    """What is known of a message before the tier answers it: nothing of the answer."""
    return GradedAnswer(valid=True, right=None)
