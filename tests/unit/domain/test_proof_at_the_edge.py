"""Proof at its edges: what counts as a label, which threshold is tried first and at which level."""

from collections import Counter

import pytest

from tests.support.graded import made_up, question
from worker.domain.proof.certificates import BONFERRONI, Evidence, by_scorer, conclude
from worker.domain.proof.claims import Claim, ClaimTerms, Scored
from worker.domain.proof.exact_tails import labels_needed, upper_bound
from worker.domain.proof.fixed_sequence import Passed, Tally, by_promise
from worker.domain.proof.graded import GradedAnswer, GradedMessage
from worker.domain.proof.tallies import ScoreCounts, tallied

TERMS = ClaimTerms(claim=Claim.ACCURACY, tier="haiku", top="opus", alpha=0.05, delta=0.05)


def counted(errors: int, labels: int, threshold: float = 0.9) -> Tally:
    return Tally(threshold=threshold, errors=errors, labels=labels, coverage=0.1)


def scored(score: float, loss: bool | None) -> Scored:
    return Scored(segment="s", score=score, loss=loss)


def test_what_nobody_labelled_is_no_label() -> None:
    labelled = [scored(0.9, None), scored(0.9, loss=False), scored(0.1, loss=False)]
    found = tallied(labelled, ScoreCounts(), 3, TERMS, [0.5])[0]
    assert (found.labels, found.errors) == (1, 0)


def test_coverage_is_a_share_of_all_messages_and_not_of_those_that_came_so_far() -> None:
    reach = ScoreCounts(messages=2, answered=2, scores=Counter((0.9, 0.1)))
    assert tallied([], reach, 10, TERMS, [0.5])[0].coverage == 0.1


def test_a_refusal_for_errors_asks_for_the_labels_that_so_many_errors_need() -> None:
    refused = conclude(TERMS, [counted(5, 20)], [])
    assert refused.needs == labels_needed(0.05, 0.05, 5) > labels_needed(0.05, 0.05)


def test_the_first_threshold_on_the_rest_is_the_one_that_the_pilot_promised_most_of() -> None:
    # given: the strictest threshold accepts a twentieth, which proves nothing
    messages = made_up(1_000, 3)
    terms = question(messages, alpha=0.005).terms("haiku")
    # when
    result, _ = by_scorer(Evidence(messages, messages, len(messages)), terms)
    # then
    assert (result.certified, result.labels) == (False, 385)


def test_the_walk_on_a_score_leaves_a_part_of_delta_for_what_it_does_not_reach() -> None:
    messages = made_up(1_000, 1)
    terms = question(messages, alpha=0.05).terms("haiku")
    result, _ = by_scorer(Evidence(messages, messages, len(messages)), terms)
    assert result.upper == upper_bound(result.errors, result.labels, 0.05 * (1 - BONFERRONI))


def test_no_error_among_few_promises_less_than_two_among_many() -> None:
    pilot = [counted(0, 36), counted(2, 100, 0.8)]
    assert by_promise(pilot, 0.05, 3) == [1, 0]


def test_a_threshold_without_any_label_promises_least() -> None:
    assert by_promise([counted(0, 0), counted(5, 90, 0.8)], 0.05, 3) == [1, 0]


@pytest.mark.parametrize(("alpha", "delta"), [(0.05, 0.0), (0.05, 1.0), (1.0, 0.05)])
def test_no_number_of_labels_is_certain_or_proves_everything(alpha: float, delta: float) -> None:
    with pytest.raises(ValueError, match="no number of labels"):
        labels_needed(alpha, delta)


def test_what_a_stronger_tier_looks_at_first_is_a_loss_only_when_it_has_been_looked_at() -> None:
    answer = GradedAnswer(valid=True, right=None, waits=True)
    message = GradedMessage(name="m", segment="s", chars=1, answers={"haiku": answer})
    assert TERMS.loss(message) is None


def test_a_threshold_that_no_answer_reaches_proves_nothing_beside_one_that_some_do() -> None:
    empty = Tally(threshold=1.0, errors=0, labels=0, coverage=0.0)
    found = conclude(TERMS, [empty, counted(5, 20, 0.8)], [Passed(tally=empty, upper=0.0)])
    assert (found.certified, found.errors) == (False, 5)


@pytest.mark.parametrize(("top", "loss"), [(None, True), (True, True), (False, False)])
def test_whom_nobody_judged_at_the_top_is_taken_to_have_been_right(
    top: bool | None, loss: bool
) -> None:
    terms = ClaimTerms(claim=Claim.PARITY, tier="haiku", top="opus", alpha=0.02, delta=0.05)
    answers = {
        "haiku": GradedAnswer(valid=True, right=False),
        "opus": GradedAnswer(valid=True, right=top),
    }
    message = GradedMessage(name="m", segment="s", chars=1, answers=answers)
    assert terms.loss(message) is loss
