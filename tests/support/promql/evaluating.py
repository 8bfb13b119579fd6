"""The value of an expression at a moment."""

import math
import operator
from collections.abc import Callable

from tests.support.promql.functions import NAME, Vector, over_range, quantile, replaced, without
from tests.support.promql.parsing import (
    Aggregate,
    Binary,
    Call,
    Expression,
    NotUnderstood,
    Number,
    Select,
    Text,
)
from tests.support.promql.series import LOOK_BACK_S, Labels, Series

Value = float | Vector
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
COMBINE: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "max": max,
    "min": min,
    "count": len,
    "avg": lambda values: sum(values) / len(values),
}
RANGE = frozenset({"rate", "increase", "max_over_time"})


def evaluate(expression: Expression, series: Series, now: float) -> Value:
    """A number, or numbers by labels. Raises NotUnderstood."""
    match expression:
        case Number(value):
            return value
        case Select(_, _, None):
            return _instant(expression, series, now)
        case Call():
            return _call(expression, series, now)
        case Aggregate(op, by, of):
            return _aggregate(op, by, vector(of, series, now))
        case Binary(op, left, right, on):
            return _binary(op, evaluate(left, series, now), evaluate(right, series, now), on)
    raise NotUnderstood(f"{expression} has no value of its own")


def vector(expression: Expression, series: Series, now: float) -> Vector:
    """As `evaluate`, where a number alone will not do."""
    found = evaluate(expression, series, now)
    if not isinstance(found, dict):
        raise NotUnderstood(f"{expression} is a number, and no vector")
    return found


def _instant(select: Select, series: Series, now: float) -> Vector:
    last = {
        labels: samples[-1].value
        for labels, samples in series.window(select, now, LOOK_BACK_S).items()
    }
    return {labels: value for labels, value in last.items() if value is not None}


def _call(call: Call, series: Series, now: float) -> Value:
    match call.name, call.arguments:
        case "time", ():
            return float(now)
        case name, (Select(_, _, float() | int()) as select,) if name in RANGE:
            return _over_range(name, select, series, now)
        case "absent", (Select() as select,):
            if vector(select, series, now):
                return {}
            return {frozenset((m.label, m.value) for m in select.matchers if m.sign == "="): 1.0}
        case "histogram_quantile", (Number(share), of):
            return quantile(share, vector(of, series, now))
        case "label_replace", (of, Text(target), Text(new), Text(source), Text(pattern)):
            return replaced(vector(of, series, now), target, new, source, pattern)
        case "vector", (Number(value),):
            return {frozenset(): value}
    raise NotUnderstood(f"{call.name} with such arguments is not known here")


def _over_range(name: str, select: Select, series: Series, now: float) -> Vector:
    assert select.range_s is not None
    end = now - select.offset_s
    found = {
        without(labels, NAME): over_range(name, samples, end - select.range_s, end)
        for labels, samples in series.window(select, now, select.range_s).items()
    }
    return {labels: value for labels, value in found.items() if value is not None}


def _aggregate(op: str, by: tuple[str, ...], of: Vector) -> Vector:
    groups: dict[Labels, list[float]] = {}
    for labels, value in of.items():
        groups.setdefault(_kept(labels, by), []).append(value)
    return {labels: float(COMBINE[op](values)) for labels, values in groups.items()}


def _kept(labels: Labels, names: tuple[str, ...]) -> Labels:
    return frozenset(pair for pair in labels if pair[0] in names)


def _binary(op: str, left: Value, right: Value, on: tuple[str, ...] | None) -> Value:
    match left, right:
        case dict(), dict():
            if op in ("and", "or", "unless"):
                return _set(op, left, right, on)
            return _matched(op, left, right, on)
        case dict(), float():
            found = {labels: _apply(op, value, right, value) for labels, value in left.items()}
        case float(), dict():
            found = {labels: _apply(op, left, value, value) for labels, value in right.items()}
        case _:
            assert not isinstance(left, dict)
            assert not isinstance(right, dict)
            return _arithmetic(op, left, right)
    return {_named(op, k): value for k, value in found.items() if value is not None}


def _named(op: str, labels: Labels) -> Labels:
    """Comparing keeps the name of a metric, calculating does not."""
    return labels if op in COMPARE else without(labels, NAME)


def _apply(op: str, left: float, right: float, kept: float) -> float | None:
    if op in COMPARE:
        return kept if COMPARE[op](left, right) else None
    return _arithmetic(op, left, right)


def _arithmetic(op: str, left: float, right: float) -> float:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if right:
            return left / right
        case "/":
            return math.nan if not left else math.copysign(math.inf, left)
    raise NotUnderstood(f"{op} between numbers is not known here")


def _signature(labels: Labels, on: tuple[str, ...] | None) -> Labels:
    return without(labels, NAME) if on is None else _kept(labels, on)


def _set(op: str, left: Vector, right: Vector, on: tuple[str, ...] | None) -> Vector:
    there = {_signature(labels, on) for labels in right}
    if op == "or":
        here = {_signature(labels, on) for labels in left}
        return left | {k: v for k, v in right.items() if _signature(k, on) not in here}
    wanted = op == "and"
    return {k: v for k, v in left.items() if (_signature(k, on) in there) is wanted}


def _matched(op: str, left: Vector, right: Vector, on: tuple[str, ...] | None) -> Vector:
    partners: dict[Labels, float] = {}
    for labels, value in right.items():
        if _signature(labels, on) in partners:
            raise NotUnderstood(f"several series on the right of {op} match {dict(labels)}")
        partners[_signature(labels, on)] = value
    result: Vector = {}
    for labels, value in left.items():
        key = _signature(labels, on)
        found = _apply(op, value, partners[key], value) if key in partners else None
        if found is None:
            continue
        shown = _named(op, labels) if on is None else key
        if shown in result:
            raise NotUnderstood(f"several series on the left of {op} match {dict(labels)}")
        result[shown] = found
    return result
