"""Certificates: the reference figures, what keeps them honest, and what makes them worthless."""

import random
from dataclasses import replace

import pytest

from tests.support.graded import made_up, question, redrawn, shipped
from worker.domain.proof.certificates import GRID, Evidence, by_confidence, by_scorer
from worker.domain.proof.claims import Claim, ClaimTerms, Refusal
from worker.domain.proof.exact_tails import upper_bound
from worker.domain.proof.fixed_sequence import Tally, by_promise, passing, widest
from worker.domain.proof.graded import GradedAnswer, GradedMessage, ladder_of, split
from worker.domain.proof.ladder_certificates import certify

PARITY = Claim.PARITY
REFUSED = None


@pytest.mark.parametrize(
    ("table", "first", "alpha", "expected"),
    [
        ("synthetic", 500, 0.03, (1.00, 0, 227, 0.0131, 0.4237)),
        ("synthetic", 500, 0.05, (0.90, 10, 415, 0.0405, 0.8235)),
        ("synthetic", 500, 0.10, (0.55, 31, 481, 0.0860, 0.9542)),
        ("synthetic", 2000, 0.03, (1.00, 4, 882, 0.0103, 0.4237)),
        ("synthetic", 2000, 0.05, (0.95, 39, 1461, 0.0347, 0.7277)),
        ("synthetic", 2000, 0.10, (0.65, 159, 1884, 0.0957, 0.9397)),
        ("synthetic", 200, 0.03, REFUSED),
        ("synthetic", 200, 0.05, (0.95, 1, 144, 0.0325, 0.7277)),
        ("synthetic", 200, 0.10, (0.80, 11, 186, 0.0960, 0.8982)),
        *[("cfpb", n, a, REFUSED) for n in (200, 500) for a in (0.03, 0.05, 0.10)],
        *[("adversarial", n, a, REFUSED) for n in (200, 500, 2000) for a in (0.03, 0.05, 0.10)],
    ],
)
def test_accuracy_on_the_stated_confidence(table, first, alpha, expected) -> None:  # type: ignore[no-untyped-def]
    messages = shipped(table)
    result = certify(question(messages, labelled=messages[:first], alpha=alpha)).result
    found = (
        result.threshold, result.errors, result.labels,
        round(result.upper, 4), round(result.coverage, 4),
    )  # fmt: skip
    assert (found if result.certified else REFUSED) == expected


@pytest.mark.parametrize(
    ("table", "first", "alpha", "expected"),
    [
        ("synthetic", 500, 0.02, (1.00, 0, 500, 0.0060)),
        ("synthetic", 500, 0.05, (0.90, 10, 500, 0.0337)),
        ("cfpb", 527, 0.02, REFUSED),
        ("cfpb", 527, 0.05, (0.55, 17, 527, 0.0480)),
    ],
)
def test_parity_on_the_stated_confidence(table, first, alpha, expected) -> None:  # type: ignore[no-untyped-def]
    messages = shipped(table)
    asked = question(messages, labelled=messages[:first], alpha=alpha, claim=PARITY)
    result = certify(asked).result
    found = (result.threshold, result.errors, result.labels, round(result.upper, 4))
    assert (found if result.certified else REFUSED) == expected


def test_a_refusal_says_how_many_labels_it_takes() -> None:
    messages = shipped("synthetic")
    result = certify(question(messages, labelled=messages[:200], alpha=0.03)).result
    assert (result.needs, result.labels, result.refusal) == (208, 196, Refusal.FEW_LABELS)


def test_a_threshold_is_reached_by_a_confidence_that_equals_it() -> None:
    sure = [
        GradedMessage(
            name=f"{n}",
            segment="",
            chars=1,
            answers={"a": GradedAnswer(valid=True, right=True, confidence=0.5)},
        )
        for n in range(200)
    ]
    assert certify(question(sure)).result.coverage == 1.0


def test_an_invalid_or_unsaid_confidence_is_never_accepted() -> None:
    def one(n: int, valid: bool, confidence: float | None) -> GradedMessage:
        answer = GradedAnswer(valid=valid, right=True, confidence=confidence)
        return GradedMessage(name=f"{n}", segment="", chars=1, answers={"a": answer})

    invalid = [one(n, False, 1.0) for n in range(300)]
    unsaid = [one(n + 300, True, None) for n in range(300)]
    result = certify(question(invalid + unsaid)).result
    assert (result.certified, result.refusal) == (False, Refusal.NOTHING_ACCEPTED)


def test_simulated_answers_certify_nothing() -> None:
    messages = shipped("synthetic")
    assert certify(question(messages)).result.certified
    made = certify(question(messages, simulated=True)).result
    assert (made.certified, made.refusal, made.threshold) == (False, Refusal.SIMULATED, None)


def test_the_scorer_and_the_certificate_share_no_label() -> None:
    # given: labels of the pilot turned round cannot change what is counted on the rest
    messages = made_up(1_000, 3)
    pilot, rest = split(messages, 0.3, "rung certificate 1")
    evidence = Evidence(messages, messages, len(messages))
    terms = question(messages).terms("haiku")
    # when
    result, scorer = by_scorer(evidence, terms)
    # then
    assert scorer.labels == sum(m.answers["haiku"].valid for m in pilot)
    counted = [
        m for m in rest
        if m.answers["haiku"].valid and scorer.score(m, m.answers["haiku"]) >= result.threshold  # type: ignore[operator]
    ]  # fmt: skip
    assert result.labels == len(counted)
    assert result.errors == sum(not m.answers["haiku"].right for m in counted)


def test_a_message_stays_on_its_side_of_the_split() -> None:
    messages = made_up(500, 1)
    few, _ = split(messages[:100], 0.3, "salt")
    many, rest = split(messages, 0.3, "salt")
    assert {m.name for m in few} <= {m.name for m in many}
    assert len(many) + len(rest) == 500
    assert 100 < len(many) < 200


def test_two_tiers_share_delta_and_the_second_is_judged_on_what_reaches_it() -> None:
    # given
    messages = shipped("synthetic")
    # when
    made = certify(question(messages, tier="sonnet", alpha=0.1))
    below = made.below[0]
    reaching = [m for m in messages if not below.accepts(m)]
    accepted = [
        m for m in reaching
        if m.answers["sonnet"].valid and (m.answers["sonnet"].confidence or 0) >= GRID[-1]
    ]  # fmt: skip
    # then
    assert (below.result.terms.delta, made.result.terms.delta) == (0.025, 0.025)
    assert made.result.labels <= len(accepted) < len(messages) / 2
    assert below.result.upper == pytest.approx(
        upper_bound(below.result.errors, below.result.labels, 0.025)
    )


def test_what_the_middle_tier_accepts_of_all_says_nothing_of_what_reaches_it() -> None:
    # given: sonnet is right on whatever haiku finds easy, and wrong on the rest
    def one(n: int) -> GradedMessage:
        easy = n % 10 < 8
        haiku = GradedAnswer(valid=True, right=easy, confidence=1.0 if easy else 0.1)
        sonnet = GradedAnswer(valid=True, right=easy, confidence=1.0, cost=1)  # type: ignore[arg-type]
        opus = GradedAnswer(valid=True, right=True, cost=2)  # type: ignore[arg-type]
        return GradedMessage(
            name=f"{n:04}",
            segment="",
            chars=1,
            answers={"haiku": haiku, "sonnet": sonnet, "opus": opus},
        )

    messages = [one(n) for n in range(2_000)]
    alone = [
        replace(m, answers={k: a for k, a in m.answers.items() if k != "haiku"}) for m in messages
    ]
    # then
    assert certify(question(alone, tier="sonnet", alpha=0.25)).result.certified
    assert not certify(question(messages, tier="sonnet", alpha=0.25)).result.certified


def test_segments_have_bounds_of_their_own_and_the_worst_comes_first() -> None:
    messages = shipped("synthetic")
    result = certify(question(messages), segments=True).result
    worst, *_, best = result.segments
    assert (worst.segment, worst.certified, best.certified) == ("legal", False, True)
    assert len(result.segments) == len({m.segment for m in messages})
    assert sum(one.labels for one in result.segments) <= len(messages)


def test_each_segment_has_its_share_of_delta() -> None:
    messages = shipped("synthetic")
    card = next(
        s for s in certify(question(messages), segments=True).result.segments if s.segment == "card"
    )
    assert card.upper == pytest.approx(upper_bound(card.errors, card.labels, 0.05 / 6))


def test_the_sequence_ends_at_the_first_failure() -> None:
    good, bad = (
        Tally(threshold=t, errors=e, labels=200, coverage=c)
        for t, e, c in ((0.9, 0, 0.5), (0.8, 50, 0.6))
    )
    late = replace(good, threshold=0.7, coverage=0.9)
    assert [p.tally for p in passing([good, bad, late], 0.05, 0.05)] == [good]


def test_bonferroni_saves_what_comes_after_a_failure_at_its_own_price() -> None:
    good, bad = (
        Tally(threshold=t, errors=e, labels=200, coverage=c)
        for t, e, c in ((0.9, 0, 0.5), (0.8, 50, 0.6))
    )
    late = replace(good, threshold=0.7, coverage=0.9)
    passed = passing([good, bad, late], 0.05, 0.05, bonferroni=0.2)
    assert [p.tally for p in passed] == [good, late]
    assert widest(passed) == passed[1]
    assert passed[0].upper == pytest.approx(upper_bound(0, 200, 0.04))
    assert passed[1].upper == pytest.approx(upper_bound(0, 200, 0.01 / 3))


def test_the_pilot_puts_the_surest_first() -> None:
    pilot = [
        Tally(threshold=0.9, errors=0, labels=5, coverage=0.05),
        Tally(threshold=0.8, errors=0, labels=60, coverage=0.6),
        Tally(threshold=0.7, errors=20, labels=90, coverage=0.9),
    ]
    assert by_promise(pilot, 0.05, 3) == [1, 0, 2]


def test_parity_counts_only_what_the_top_would_have_got_right() -> None:
    def one(haiku: bool, opus: bool | None) -> GradedMessage:
        answers = {"haiku": GradedAnswer(valid=True, right=haiku)}
        if opus is not None:
            answers["opus"] = GradedAnswer(valid=True, right=opus)
        return GradedMessage(name="m", segment="", chars=1, answers=answers)

    terms = ClaimTerms(claim=PARITY, tier="haiku", top="opus", alpha=0.05, delta=0.05)
    assert [
        terms.loss(one(h, o))
        for h, o in ((True, True), (True, None), (False, False), (False, True), (False, None))
    ] == [False, False, False, True, True]


def test_there_is_no_parity_with_oneself_and_no_certainty() -> None:
    with pytest.raises(ValueError, match="no parity with itself"):
        ClaimTerms(claim=PARITY, tier="opus", top="opus", alpha=0.05, delta=0.05)
    with pytest.raises(ValueError, match="alpha must lie"):
        ClaimTerms(claim=Claim.ACCURACY, tier="haiku", top="opus", alpha=0, delta=0.05)


def false_share(
    pool: list[GradedMessage], terms: ClaimTerms, draws: int, labels: int, seed: int
) -> float:
    """How often a certificate from redrawn labels is false of the pool."""
    chance, false = random.Random(seed), 0
    for _ in range(draws):
        drawn = redrawn(pool, labels, chance)
        result = by_confidence(Evidence(pool, drawn, len(pool)), terms)
        if result.certified:
            truth = by_confidence_truth(pool, terms, result.threshold)
            false += truth > terms.alpha
    return false / draws


def by_confidence_truth(
    pool: list[GradedMessage], terms: ClaimTerms, threshold: float | None
) -> float:
    """The true rate at a threshold, of the whole pool."""
    assert threshold is not None
    accepted = [
        m for m in pool
        if m.answers[terms.tier].valid and (m.answers[terms.tier].confidence or 0) >= threshold
    ]  # fmt: skip
    wrong = sum(bool(terms.loss(m)) for m in accepted)
    return wrong / (len(pool) if terms.claim is PARITY else max(len(accepted), 1))


@pytest.mark.parametrize("claim", list(Claim))
def test_a_certificate_is_false_no_more_often_than_it_says(claim: Claim) -> None:
    """The long count stands in `benchmarks/proof.py`; this one sees a lost guard."""
    pool = shipped("adversarial")[:2_000]
    terms = ClaimTerms(claim=claim, tier="haiku", top=ladder_of(pool)[-1], alpha=0.05, delta=0.05)
    assert false_share(pool, terms, draws=60, labels=400, seed=11) <= 0.05 + 2 * 0.028
