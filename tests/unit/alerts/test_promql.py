"""Our own evaluator, value by value; `test_promtool.py` holds the same table against Prometheus."""

import math
from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.promql.evaluating import evaluate
from tests.support.promql.functions import NAME
from tests.support.promql.parsing import NotUnderstood, parse, seconds
from tests.support.promql.rules import humanize, humanize_duration
from tests.support.promql.series import read

SERIES = {
    'c{q="a"}': "0+10x30",
    'c{q="b"}': "0+10x19 0+5x10",
    'g{q="a"}': "1x30",
    'g{q="b"}': "0x28 4 4",
    "old": "7x5 stale",
    'h{le="1"}': "0+1x30",
    'h{le="2"}': "0+3x30",
    'h{le="+Inf"}': "0+4x30",
}
"""One value a minute; asked for at 29m30s, so that no sample is at an edge."""
AT_S = 1_770.0
A, B = {"q": "a"}, {"q": "b"}
TABLE: list[tuple[str, list[tuple[dict[str, str], float]]]] = [
    ("g", [({NAME: "g", **A}, 1), ({NAME: "g", **B}, 4)]),
    ('g{q!="a"}', [({NAME: "g", **B}, 4)]),
    ('g{q=~"a|c"}', [({NAME: "g", **A}, 1)]),
    ('g{q!~"a|c", z=""}', [({NAME: "g", **B}, 4)]),
    ("old", []),
    ("old offset 25m", [({NAME: "old"}, 7)]),
    ("g > 1", [({NAME: "g", **B}, 4)]),
    ("g * 2 - 1 > 0", [(A, 1), (B, 7)]),
    ("1 + 2 * 3 - 4 / 2 + 0 * sum(g)", [({}, 5)]),
    ("2 - 1 - 1 + 0 * sum(g)", [({}, 0)]),
    ("sum(g)", [({}, 5)]),
    ("sum by (q) (c) > 200", [(A, 290)]),
    ("count(g == 4)", [({}, 1)]),
    ("max(g) - min(g)", [({}, 3)]),
    ("avg(g)", [({}, 2.5)]),
    ("increase(c[10m])", [(A, 100), (B, 47.5)]),
    ("count(rate(c[10m]) > 0.1)", [({}, 1)]),
    ('increase(c{q="a"}[1h])', [(A, 295)]),
    ("max_over_time(g[10m])", [(A, 1), (B, 4)]),
    ("histogram_quantile(0.5, rate(h[5m]))", [({}, 1.5)]),
    ("histogram_quantile(0.9, rate(h[5m]))", [({}, 2)]),
    ("absent(g)", []),
    ('absent(n{q="x", z=~"y"})', [({"q": "x"}, 1)]),
    ("g and on (q) c > 200", [({NAME: "g", **A}, 1)]),
    ("g unless on (q) c > 200", [({NAME: "g", **B}, 4)]),
    ("g unless on () n", [({NAME: "g", **A}, 1), ({NAME: "g", **B}, 4)]),
    ("g == 1 or g == 4", [({NAME: "g", **A}, 1), ({NAME: "g", **B}, 4)]),
    ("sum(n) or vector(0)", [({}, 0)]),
    ("c / on (q) g", [(A, 290), (B, 11.25)]),
    ("sum(c) > on () sum(g)", [({}, 335)]),
    ("(g - g) / (g - g) > 0", []),
    ("g / (g - g)", [(A, math.inf), (B, math.inf)]),
    ("time() - g", [(A, AT_S - 1), (B, AT_S - 4)]),
    ('label_replace(g, "p", "x$1", "q", "(a)")', [
        ({NAME: "g", **A, "p": "xa"}, 1), ({NAME: "g", **B}, 4)]),
]  # fmt: skip


def plain(found: Any) -> list[tuple[dict[str, str], float]]:
    return in_order((dict(labels), value) for labels, value in found.items())


def in_order(series: Iterable[tuple[dict[str, str], float]]) -> list[tuple[dict[str, str], float]]:
    """By the labels, whatever the order in which each was written."""
    return sorted(series, key=lambda one: sorted(one[0].items()))


@pytest.mark.parametrize(("expression", "expected"), TABLE, ids=[text for text, _ in TABLE])
def test_an_expression_has_the_value_that_prometheus_gives_it(
    expression: str, expected: list[tuple[dict[str, str], float]]
) -> None:
    # when
    found = plain(evaluate(parse(expression), read(SERIES, 60), AT_S))
    # then
    expected = in_order(expected)
    assert [labels for labels, _ in found] == [labels for labels, _ in expected]
    values = [value for _, value in expected]
    assert [value for _, value in found] == pytest.approx(values)


@pytest.mark.parametrize(
    "expression",
    ["", "sum(", "g[5m]", "g {", "rate(g)", "predict(g)", "sum(g) by (q)", "g g", "avg g", "g ~ 1",
     "g * on (z) c", 'absent(1)', "and g"],
)  # fmt: skip
def test_what_is_not_understood_is_an_error_and_no_guess(expression: str) -> None:
    with pytest.raises(NotUnderstood):
        evaluate(parse(expression), read(SERIES, 60), AT_S)


def test_comments_and_lines_say_nothing() -> None:
    assert parse("sum(\n  g # all of them\n)") == parse("sum(g)")


@pytest.mark.parametrize(("text", "length"), [("5m", 300), ("1h30m", 5_400), ("2d", 172_800)])
def test_lengths_are_read(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0"), (5, "5"), (1_234, "1.234k"), (0.02, "20m"), (2_500_000, "2.5M"), (math.inf, "inf")],
)
def test_numbers_are_said_as_prometheus_says_them(value: float, said: str) -> None:
    assert humanize(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(2.5, "2.5s"), (61, "1m 1s"), (18_000, "5h 0m 0s"), (90_061, "1d 1h 1m 1s"), (0.04, "40ms")],
)
def test_spans_are_said_as_prometheus_says_them(value: float, said: str) -> None:
    assert humanize_duration(value) == said
