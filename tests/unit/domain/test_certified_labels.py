"""What counts as a label: in samples judged in part, where nothing is accepted, by segment;
and what a refusal asks for."""

from dataclasses import replace

import pytest

from tests.support.graded import question
from worker.domain.proof.certificates import labelled_evenly
from worker.domain.proof.claims import Claim, ClaimTerms, Refusal
from worker.domain.proof.graded import GradedAnswer, GradedMessage, split
from worker.domain.proof.ladder_certificates import certify

PARITY = Claim.PARITY


def some(count: int, first: int = 0, **said: object) -> list[GradedMessage]:
    """Messages that two tiers answered, the first of them as is said."""
    shape: dict[str, object] = {"valid": True, "right": True, "confidence": 1.0}
    cheap, top = GradedAnswer(**(shape | said)), GradedAnswer(valid=True, right=True, cost=1)  # type: ignore[arg-type]
    answers = {"haiku": cheap, "opus": top}
    return [
        GradedMessage(name=f"m{n:05}", segment="", chars=1, answers=answers)
        for n in range(first, first + count)
    ]


@pytest.mark.parametrize("claim", list(Claim))
def test_of_what_is_not_accepted_as_large_a_part_counts_as_is_judged_of_the_rest(
    claim: Claim,
) -> None:
    # given: people looked at a fifth of the accepted, and four of those are wrong
    climbed = some(100, 0, valid=False, right=False)
    judged = some(36, 100) + some(4, 136, right=False)
    open_ones = some(160, 140, right=None)
    terms = ClaimTerms(claim=claim, tier="haiku", top="opus", alpha=0.05, delta=0.05)
    # when
    kept = labelled_evenly([*climbed, *judged, *open_ones], terms)
    # then
    assert [m for m in kept if m.answers["haiku"].valid] == judged
    assert sum(not m.answers["haiku"].valid for m in kept) == 20
    assert labelled_evenly([*climbed, *judged], terms) == [*climbed, *judged]


def test_parity_of_a_half_judged_sample_counts_no_more_than_is_known() -> None:
    half = [*some(500, 0, valid=False), *some(50, 500), *some(450, 550, right=None)]
    result = certify(question(half, claim=PARITY, alpha=0.02)).result
    assert (result.labels, result.certified) == (100, False)


@pytest.mark.parametrize("fitted", [True, False])
@pytest.mark.parametrize("claim", list(Claim))
def test_a_threshold_that_nothing_reaches_proves_nothing(claim: Claim, fitted: bool) -> None:
    result = certify(question(some(400, valid=False), claim=claim, fitted=fitted)).result
    assert (result.certified, result.refusal) == (False, Refusal.NOTHING_ACCEPTED)
    assert result.needs is None


def test_what_a_refusal_asks_for_is_enough() -> None:
    """At the part of delta that the first threshold is tested at, not at all of it."""
    short = certify(question(some(59), fitted=True)).result
    assert (short.certified, short.needs, short.pilot) == (False, 63, 13)
    enough = [m for m in some(200) if m in split(some(200), 0.3, "rung certificate 1")[1]]
    pilot = [m for m in some(200) if m not in enough]
    for labels, granted in ((62, False), (63, True)):
        made = certify(question([*pilot, *enough[:labels]], fitted=True)).result
        assert (made.labels, made.certified) == (labels, granted)


def test_a_segment_is_bounded_on_the_certificates_own_scores() -> None:
    """Where only one segment is accepted, its bound is about the same threshold."""
    good = [replace(m, segment="easy") for m in some(400)]
    bad = [replace(m, segment="hard") for m in some(400, 400, right=False, confidence=0.1)]
    result = certify(question([*good, *bad], fitted=True), segments=True).result
    hard, easy = result.segments
    assert (easy.segment, easy.certified, easy.errors) == ("easy", True, 0)
    assert easy.threshold is not None
    assert result.threshold is not None
    assert easy.threshold <= result.threshold
    assert (hard.certified, result.threshold in result.proved) == (False, True)
