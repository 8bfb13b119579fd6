"""What a certificate claims, and what one refuses to say."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from worker.domain.proof.graded import GradedAnswer, GradedMessage


class Claim(StrEnum):
    """*Parity*: at most alpha of all messages are answered worse than the top tier would have.
    *Accuracy*: at most alpha of the accepted answers are wrong."""

    PARITY = "parity"
    ACCURACY = "accuracy"


class Refusal(StrEnum):
    """Why nothing is certified: too few labels to begin with, too many errors in those there are,
    no answer that any threshold would accept, answers that a simulator made up, which certify
    nothing, or judges that differ more often than the claim lets answers be wrong."""

    FEW_LABELS = "few_labels"
    NOTHING_ACCEPTED = "nothing_accepted"
    ERRORS = "errors"
    SIMULATED = "simulated"
    NOISE = "noise"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimTerms:
    """A claim about the answers accepted at `tier`: wrong in at most `alpha` of the cases, and
    this said falsely with a probability of at most `delta`. `top` is whom parity compares with."""

    claim: Claim
    tier: str
    top: str
    alpha: float
    delta: float

    def __post_init__(self) -> None:
        for name in ("alpha", "delta"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie between 0 and 1, both excluded")
        if self.claim is Claim.PARITY and self.tier == self.top:
            raise ValueError(f"{self.tier} is the top tier: there is no parity with itself")

    def loss(self, message: GradedMessage) -> bool | None:
        """Whether accepting this tier's answer would be the error that the claim counts; None
        where the truth is not known. Where nobody knows what the top tier would have said it is
        taken to have been right: to leave such messages out would leave out wrong answers alone,
        and parity would be claimed falsely."""
        answer = message.answered(self.tier)
        if answer is None or not answer.judged:
            return None
        if answer.right is None:
            return False
        if self.claim is Claim.ACCURACY or answer.right:
            return not answer.right
        better = message.answered(self.top)
        return better is None or better.right is not False


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentBound:
    """The claim for one segment, from its own labels at its own share of delta. `threshold` is the
    laxest that is proved for it, on the certificate's own scores; `certified` says whether the
    threshold in force is."""

    segment: str
    certified: bool
    threshold: float | None
    errors: int
    labels: int
    upper: float
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """A claim granted or refused.

    Granted: `threshold` and what was counted at it. Refused: `threshold` is None, the counts are
    those of the threshold that came nearest, and `needs` is the number of labels with which no
    more errors than `allowed` (these, or two) would have been enough. `coverage` is the share of
    all messages that are accepted under the claim. `tests` counts the thresholds that were looked
    at, `proved` are those that passed, and `pilot` the labels that served for the scorer alone.
    """

    terms: ClaimTerms
    certified: bool
    threshold: float | None
    errors: int
    labels: int
    upper: float
    coverage: float
    needs: int | None
    allowed: int = 0
    refusal: Refusal | None = None
    tests: int = 1
    proved: Sequence[float] = ()
    pilot: int = 0
    segments: Sequence[SegmentBound] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A message as a certificate sees it: its score (None: never accepted), its loss if it is
    accepted (None: not labelled), and the probability with which the loss would have been seen."""

    segment: str
    score: float | None
    loss: bool | None
    looked: float = 1.0


def stated(message: GradedMessage, answer: GradedAnswer) -> float:
    """Confidence as the model stated it; none is none at all."""
    return answer.confidence or 0.0
