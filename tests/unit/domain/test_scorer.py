"""The scorer: as good as scikit-learn's, stored as JSON, and blind to the truth."""

import json
import random
from dataclasses import replace

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from tests.support.graded import made_up, shipped
from worker.domain.proof.graded import GradedAnswer, GradedMessage
from worker.domain.proof.linear_algebra import solve
from worker.domain.proof.scorer import MOST_SEGMENTS, RIDGE, fit, newton, read

Labelled = list[tuple[GradedMessage, GradedAnswer, bool]]


def labelled(messages: list[GradedMessage], tier: str = "haiku") -> Labelled:
    answers = [(m, m.answers[tier]) for m in messages]
    return [(m, a, bool(a.right)) for m, a in answers if a.valid]


def area(rows: Labelled, scores: list[float]) -> float:
    return float(roc_auc_score([good for *_, good in rows], scores))


def test_the_weights_are_scikit_learns() -> None:
    # given
    chance = random.Random(3)
    design = [[1.0, chance.gauss(0, 1), chance.gauss(0, 1)] for _ in range(400)]
    good = [chance.random() < (0.8 if row[1] + row[2] > 0 else 0.3) for row in design]
    # when
    ours = newton([list(enumerate(row)) for row in design], good, 3)
    theirs = LogisticRegression(C=1 / RIDGE, tol=1e-10).fit([row[1:] for row in design], good)
    # then
    assert ours[0] == pytest.approx(theirs.intercept_[0], abs=1e-3)
    assert ours[1:] == pytest.approx(list(theirs.coef_[0]), abs=1e-3)


@pytest.mark.parametrize("table", ["synthetic", "cfpb"])
def test_it_ranks_at_least_as_well_as_the_stated_confidence(table: str) -> None:
    # given
    rows = labelled(shipped(table))
    half = len(rows) // 2
    # when
    scorer = fit(rows[:half])
    ours = area(rows[half:], [scorer.score(m, a) for m, a, _ in rows[half:]])
    stated = area(rows[half:], [a.confidence or 0.0 for _, a, _ in rows[half:]])
    # then
    assert ours > stated - 0.005


def test_a_segment_counts_where_the_confidence_says_nothing() -> None:
    rows = labelled(made_up(3_000, 5, informative=0.0))
    scorer = fit(rows[:1_500])
    assert area(rows[1_500:], [scorer.score(m, a) for m, a, _ in rows[1_500:]]) > 0.6


def test_the_stored_scorer_gives_the_same_scores() -> None:
    rows = labelled(made_up(300, 1))
    scorer = fit(rows)
    again = read(json.loads(json.dumps(scorer.as_document())))
    assert [again.score(m, a) for m, a, _ in rows] == [scorer.score(m, a) for m, a, _ in rows]
    assert again.digest == scorer.digest != fit(rows[:200]).digest


def test_a_scorer_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 2"):
        read({"version": 2})


@pytest.mark.parametrize("good", [True, False])
def test_one_class_alone_has_finite_weights(good: bool) -> None:
    rows = [(m, a, good) for m, a, _ in labelled(made_up(50, 2))]
    scorer = fit(rows)
    assert all((scorer.score(m, a) > 0.5) is good for m, a, _ in rows)


def test_so_many_segments_have_a_weight_of_their_own_and_no_more() -> None:
    """Time grows with the cube of them; a column of free text has as many as rows."""
    rows = labelled(made_up(400, 2))
    own = [
        (replace(m, segment=f"s{n if n >= 100 else n % 4}"), a, g)
        for n, (m, a, g) in enumerate(rows)
    ]
    scorer = fit(own)
    assert len(scorer.segments) == MOST_SEGMENTS
    assert {"s0", "s1", "s2", "s3"} <= set(scorer.segments)
    assert 0 <= scorer.score(*own[-1][:2]) <= 1


def test_no_labels_give_one_half() -> None:
    message = made_up(1, 1)[0]
    assert fit([]).score(message, message.answers["haiku"]) == 0.5


def test_a_segment_never_seen_has_a_score() -> None:
    scorer = fit(labelled(made_up(300, 1)))
    stranger = GradedMessage(name="x", segment="never seen", chars=10)
    assert 0 < scorer.score(stranger, GradedAnswer(valid=True, right=None)) < 1


def test_equations_are_solved_and_impossible_ones_refused() -> None:
    assert solve([[4.0, 2.0], [2.0, 3.0]], [10.0, 9.0]) == pytest.approx([1.5, 2.0])
    with pytest.raises(ValueError, match="positive definite"):
        solve([[1.0, 2.0], [2.0, 1.0]], [1.0, 1.0])
