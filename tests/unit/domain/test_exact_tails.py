"""Exact tails: held to scipy's, and to figures that anybody can look up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from worker.domain.proof.exact_tails import (
    labels_needed,
    lower_bound,
    lower_tail,
    proves,
    upper_bound,
)


@given(st.integers(1, 5_000), st.data())
def test_the_tail_is_scipys(labels: int, data: st.DataObject) -> None:
    errors = data.draw(st.integers(0, labels))
    rate = data.draw(st.floats(0.001, 0.999))
    expected = float(stats.binom.cdf(errors, labels, rate))
    assert lower_tail(errors, labels, rate) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.integers(1, 3_000), st.data(), st.sampled_from([0.05, 0.025, 0.001]))
def test_the_bounds_are_clopper_and_pearsons(
    labels: int, data: st.DataObject, delta: float
) -> None:
    errors = data.draw(st.integers(0, labels))
    result = stats.binomtest(errors, labels)
    both = result.proportion_ci(1 - 2 * delta, method="exact")
    assert upper_bound(errors, labels, delta) == pytest.approx(both.high, abs=1e-10)
    assert lower_bound(errors, labels, delta) == pytest.approx(both.low, abs=1e-10)


@pytest.mark.parametrize(
    ("alpha", "needed"),
    [
        (0.10, [29, 46, 61, 103, 167]),
        (0.05, [59, 93, 124, 208, 336]),
        (0.02, [149, 236, 313, 523, 845]),
        (0.01, [299, 473, 628, 1049, 1693]),
    ],
)
def test_the_labels_that_a_claim_needs(alpha: float, needed: list[int]) -> None:
    assert [labels_needed(alpha, 0.05, errors) for errors in (0, 1, 2, 5, 10)] == needed


def test_a_third_of_delta_needs_more() -> None:
    assert [labels_needed(0.05, 0.05 / 3, errors) for errors in (0, 2, 5)] == [80, 153, 243]


def test_one_label_fewer_is_not_enough() -> None:
    assert proves(2, 124, 0.05, 0.05)
    assert not proves(2, 123, 0.05, 0.05)
    assert not proves(0, 0, 0.05, 0.05)


def test_no_labels_prove_nothing() -> None:
    assert upper_bound(0, 0, 0.05) == 1.0
    assert upper_bound(3, 3, 0.05) == 1.0


@pytest.mark.parametrize("impossible", [(-1, 5, 0.1), (6, 5, 0.1), (1, 5, 1.5)])
def test_impossible_counts_are_refused(impossible: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError, match="no binomial tail"):
        lower_tail(*impossible)


def test_no_number_of_labels_proves_perfection() -> None:
    with pytest.raises(ValueError, match="no number of labels"):
        labels_needed(0.0, 0.05)
