"""Certificates up a ladder: each tier on what reaches it, delta shared; and segment by segment.

A threshold for the second tier that was set on all messages is wrong on those that climb, which
are the hard ones. So the tiers below are certified first, and what they accept is taken out. With
two claims at once each has half of delta; so either is false with a probability of at most delta.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from worker.domain.proof.certificates import (
    Counted,
    Evidence,
    by_confidence,
    by_scorer,
    on_confidence,
    on_scores,
    places,
    refused,
)
from worker.domain.proof.claims import (
    Certification,
    Claim,
    ClaimTerms,
    Refusal,
    SegmentBound,
    stated,
)
from worker.domain.proof.exact_tails import lower_bound
from worker.domain.proof.fixed_sequence import Tally
from worker.domain.proof.graded import GradedMessage
from worker.domain.proof.scorer import Scorer
from worker.domain.proof.tallies import Score, ScoreCounts, reach_of

NONE = Tally(threshold=1.0, errors=0, labels=0, coverage=0.0)
"""Nothing was counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateQuestion:
    """What is to be certified: a claim about `tier` of `ladder`, on `messages` of which `labelled`
    may be looked at. `fitted` takes a scorer instead of the stated confidence; `simulated` answers
    certify nothing. Two people judged `twice` of the labels, `differing` of them differently."""

    messages: Collection[GradedMessage]
    labelled: Sequence[GradedMessage]
    ladder: Sequence[str]
    tier: str
    claim: Claim
    alpha: float
    delta: float
    fitted: bool
    simulated: bool = False
    twice: int = 0
    differing: int = 0

    @property
    def noisy(self) -> bool:
        """Whether the judges surely differ more often than the claim lets answers be wrong: then it
        would say more about them than about the answers."""
        return bool(self.twice) and lower_bound(self.differing, self.twice, self.delta) > self.alpha

    def terms(self, tier: str, claims: int = 1) -> ClaimTerms:
        """The claim about one tier, where `claims` share delta."""
        return ClaimTerms(
            claim=self.claim,
            tier=tier,
            top=self.ladder[-1],
            alpha=self.alpha,
            delta=self.delta / claims,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certification with the scorer that it holds for (None: the stated confidence), and those
    of the tiers below that decide what reaches it."""

    result: Certification
    scorer: Scorer | None = None
    below: Sequence["Certificate"] = ()

    @property
    def score(self) -> Score:
        """What a threshold is compared with."""
        return self.scorer.score if self.scorer is not None else stated

    def accepts(self, message: GradedMessage) -> bool:
        """Whether the certificate lets this tier's answer go."""
        answer = message.answered(self.result.terms.tier)
        if self.result.threshold is None or answer is None or not answer.valid:
            return False
        return self.score(message, answer) >= self.result.threshold


def certify(question: CertificateQuestion, *, segments: bool = False) -> Certificate:
    """The certificate of the tier, those below it first. `segments` adds each segment's bounds."""
    if question.simulated:
        return Certificate(
            result=refused(question.terms(question.tier), Refusal.SIMULATED, NONE, None)
        )
    if question.noisy:
        found = replace(NONE, errors=question.differing, labels=question.twice)
        return Certificate(
            result=refused(question.terms(question.tier), Refusal.NOISE, found, None)
        )
    climbed = question.ladder[: question.ladder.index(question.tier) + 1]
    evidence = Evidence(question.messages, question.labelled, len(question.messages))
    below: list[Certificate] = []
    for tier in climbed:
        made = _certify(evidence, question.terms(tier, len(climbed)), question.fitted)
        if tier != question.tier:
            below.append(made)
            evidence = _climbing(evidence, made)
    if segments:
        bounds = segment_bounds(evidence, made)
        made = replace(made, result=replace(made.result, segments=bounds))
    return replace(made, below=tuple(below))


def _certify(evidence: Evidence, terms: ClaimTerms, fitted: bool) -> Certificate:
    if not fitted:
        return Certificate(result=by_confidence(evidence, terms))
    result, scorer = by_scorer(evidence, terms)
    return Certificate(result=result, scorer=scorer)


def _climbing(evidence: Evidence, made: Certificate) -> Evidence:
    """What the tier does not accept, of the labelled as of all."""
    return Evidence(
        _Beyond(evidence.reaching, made),
        [m for m in evidence.labelled if not made.accepts(m)],
        evidence.messages,
    )


@dataclass(frozen=True, slots=True)
class _Beyond:
    """Of these messages those that a certificate does not let go, each time anew."""

    messages: Iterable[GradedMessage]
    made: Certificate

    def __iter__(self) -> Iterator[GradedMessage]:
        return (one for one in self.messages if not self.made.accepts(one))


def stricter(reaching: Iterable[GradedMessage], made: Certificate) -> float | None:
    """The threshold that half of what the certificate accepts would still reach, for when it is in
    doubt: above the certified one, or None when there is none."""
    threshold = made.result.threshold
    if threshold is None:
        return None
    reach = reach_of(reaching, made.result.terms.tier, made.score)
    half, above, found = (reach.at_least(threshold) + 1) // 2, 0, None
    for score, seen in reach.falling():
        if score <= threshold or above >= half:
            break
        found, above = score, seen
    return found


def segment_bounds(evidence: Evidence, made: Certificate) -> list[SegmentBound]:
    """The claim for each segment by itself, at delta over their number, the worst first. A claim
    about all messages says nothing about a segment of them."""
    terms = made.result.terms
    whole, parts = ScoreCounts(), defaultdict[str, ScoreCounts](ScoreCounts)
    for message in evidence.reaching:
        for reach in (whole, parts[message.segment]):
            reach.add(message, terms.tier, made.score)
    labels = defaultdict[str, list[GradedMessage]](list)
    for message in evidence.labelled:
        labels[message.segment].append(message)
    names = parts.keys() | labels.keys()
    alone = replace(terms, delta=terms.delta / max(len(names), 1))
    thresholds = places(whole)
    found = []
    for name in names:
        part = Counted(labels[name], parts[name], parts[name].messages)
        if made.scorer is None:
            result = on_confidence(part, alone)
        else:
            result = on_scores(part, alone, made.score, thresholds)
        found.append(_bound(name, result, made))
    return sorted(found, key=lambda b: (b.certified, -b.upper, b.segment))


def _bound(name: str, result: Certification, made: Certificate) -> SegmentBound:
    return SegmentBound(
        segment=name,
        certified=made.result.threshold in result.proved,
        threshold=result.threshold,
        errors=result.errors,
        labels=result.labels,
        upper=result.upper,
        coverage=result.coverage,
    )
