"""A judge before the people: the bound holds, whatever the judge lets through."""

import random
from dataclasses import replace

import pytest

from tests.support.graded import made_up, redrawn
from worker.domain.proof.certificates import Evidence, by_confidence
from worker.domain.proof.claims import Claim, ClaimTerms, stated
from worker.domain.proof.exact_tails import upper_bound
from worker.domain.proof.fixed_sequence import Tally, bound, enough_labels, proved
from worker.domain.proof.graded import GradedMessage
from worker.domain.proof.tallies import ScoreCounts, candidates, tallied

TERMS = ClaimTerms(claim=Claim.ACCURACY, tier="haiku", top="opus", alpha=0.1, delta=0.05)


def at(errors: int, labels: int, thinned: int = 0, looked: float = 1.0) -> Tally:
    return Tally(
        threshold=0.5, errors=errors, labels=labels, coverage=1.0, thinned=thinned, looked=looked
    )


def test_without_a_judge_the_bound_is_the_plain_one() -> None:
    assert bound(at(10, 415), 0.05) == upper_bound(10, 415, 0.05)


def test_an_error_that_few_would_have_seen_weighs_more() -> None:
    seen, thinned = bound(at(3, 1_000, 0, 0.1), 0.05), bound(at(3, 1_000, 3, 0.1), 0.05)
    assert seen == upper_bound(3, 1_000, 0.025) + upper_bound(0, 1_000, 0.025) / 0.1
    assert thinned > 1.9 * seen


@pytest.mark.parametrize("looked", [1.0, 0.5, 0.1])
def test_so_many_labels_are_enough_and_one_less_is_not(looked: float) -> None:
    found = at(2, 10, 1 if looked < 1 else 0, looked)
    needs = enough_labels(found, 0.05, 0.05)
    assert proved(replace(found, labels=needs), 0.05, 0.05)
    assert not proved(replace(found, labels=needs - 1), 0.05, 0.05)


def judged_first(
    messages: list[GradedMessage], lets_through: float, looked: float, chance: random.Random
) -> list[GradedMessage]:
    """A judge passes what is right and `lets_through` of what is wrong; people see the rest, and
    `looked` of what it passed."""
    made = []
    for message in messages:
        answer = message.answers["haiku"]
        passed = bool(answer.right) or chance.random() < lets_through
        seen = not passed or chance.random() < looked
        shown = replace(answer, passed=passed, looked=looked, right=answer.right if seen else None)
        made.append(replace(message, answers={**message.answers, "haiku": shown}))
    return made


def test_a_judge_that_lets_wrong_ones_through_certifies_no_false_claim() -> None:
    # given: 11 % wrong, of which the judge passes three in ten
    pool = made_up(700, 5, right=0.89, informative=0.0, segments=("any",))
    chance, false, naive = random.Random(1), 0, 0
    for _ in range(12):
        labelled = judged_first(redrawn(pool, 700, chance), 0.3, 0.15, chance)
        result = by_confidence(Evidence(pool, labelled, len(pool)), TERMS)
        false += result.certified and _rate(pool, result.threshold or 0) > TERMS.alpha
        trusting = [
            replace(m, answers={"haiku": replace(a, right=a.right is not False, passed=False)})
            for m in labelled
            if (a := m.answers["haiku"])
        ]
        found = by_confidence(Evidence(pool, trusting, len(pool)), TERMS)
        naive += found.certified and _rate(pool, found.threshold or 0) > TERMS.alpha
    assert false == 0
    assert naive >= 2


def test_people_on_all_fails_and_a_part_of_the_passes_certify_what_is_true() -> None:
    pool = made_up(700, 6, right=0.97, informative=0.0, segments=("any",))
    chance = random.Random(2)
    granted = sum(
        by_confidence(
            Evidence(pool, judged_first(redrawn(pool, 1_200, chance), 0.1, 0.2, chance), 700),
            TERMS,
        ).certified
        for _ in range(6)
    )
    assert granted >= 4


def _rate(pool: list[GradedMessage], threshold: float) -> float:
    scored = candidates(pool, TERMS, stated)
    found = tallied(scored, ScoreCounts(), len(pool), TERMS, [threshold])[0]
    return found.errors / max(found.labels, 1)
