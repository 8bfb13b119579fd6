"""One order out of several."""

from worker.domain.fused import fused


def test_what_both_have_comes_first_then_each_ones_best() -> None:
    assert fused([["a", "b", "c"], ["d", "b"]], 3) == ["b", "a", "d"]
    assert fused([["a", "a", "b"], []], 5) == ["a", "b"]
    assert fused([], 5) == []
