"""Alert rules: which of them fire at a moment, and what they say."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.promql.evaluating import vector
from tests.support.promql.functions import NAME, Vector, without
from tests.support.promql.parsing import Expression, NotUnderstood, Select, parse, parts, seconds
from tests.support.promql.series import LOOK_BACK_S, Labels, Sample, Series

STEP_S = 60.0
"""How often rules are looked at."""
SLOT = re.compile(r"\{\{ *\$(value|labels\.(\w+)) *(?:\| *(\w+) *)?\}\}")


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert, or with `for_s` None a recorded series."""

    name: str
    expression: Expression
    for_s: float | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert that fires, with its texts filled in."""

    labels: dict[str, str]
    annotations: dict[str, str]


def load(path: Path) -> list[Rule]:
    """The rules of a file, in order."""
    document = yaml.safe_load(path.read_text("utf-8"))
    return [_rule(rule) for group in document["groups"] for rule in group["rules"]]


def alerts(rules: Sequence[Rule]) -> list[Rule]:
    """Those that may fire."""
    return [rule for rule in rules if rule.for_s is not None]


def used(expression: Expression) -> list[Select]:
    """Every selector in an expression."""
    return [part for part in parts(expression) if isinstance(part, Select)]


def firing(rules: Sequence[Rule], name: str, series: Series, at_s: float) -> list[Firing]:
    """The alerts of one name that fire at a moment. Rules are looked at from just so long before
    it as `for` and the memory of recorded series reach back."""
    rule = next(rule for rule in alerts(rules) if rule.name == name)
    wanted = {select.name for select in used(rule.expression)}
    recorded = [one for one in rules if one.for_s is None and one.name in wanted]
    assert rule.for_s is not None
    since: dict[Labels, float] = {}
    value: Vector = {}
    known = Series({labels: list(samples) for labels, samples in series.items()})
    for now in _steps(at_s - rule.for_s - LOOK_BACK_S, at_s):
        for one in recorded:
            _record(known, one, now)
        value = {without(k, NAME): v for k, v in vector(rule.expression, known, now).items()}
        since = {labels: since.get(labels, now) for labels in value}
    return [
        _told(rule, dict(labels), value[labels])
        for labels, begun in since.items()
        if at_s - begun >= rule.for_s
    ]


def _rule(document: Mapping[str, Any]) -> Rule:
    for_s = seconds(document.get("for", "0s")) if "alert" in document else None
    return Rule(
        document.get("alert") or document["record"],
        parse(document["expr"]),
        for_s,
        document.get("labels", {}),
        document.get("annotations", {}),
    )


def _steps(begin_s: float, end_s: float) -> Iterator[float]:
    count = int(min(end_s, end_s - begin_s) // STEP_S)
    return (end_s - n * STEP_S for n in range(count, -1, -1))


def _record(known: Series, rule: Rule, now: float) -> None:
    for labels, value in vector(rule.expression, known, now).items():
        named = without(labels, NAME) | {(NAME, rule.name)}
        known.setdefault(named, []).append(Sample(now, value))


def _told(rule: Rule, labels: dict[str, str], value: float) -> Firing:
    filled = {
        name: SLOT.sub(lambda slot: _filled(slot, labels, value), text)
        for name, text in rule.annotations.items()
    }
    if left := [text for text in filled.values() if "{{" in text]:
        raise NotUnderstood(f"templates in {left}")
    return Firing(labels | dict(rule.labels), filled)


def _filled(slot: re.Match[str], labels: Mapping[str, str], value: float) -> str:
    if slot[2]:
        return labels.get(slot[2], "")
    match slot[3]:
        case "humanize":
            return humanize(value)
        case "humanizePercentage":
            return f"{value * 100:.4g}%"
        case "humanizeDuration":
            return humanize_duration(value)
    raise NotUnderstood(f"{slot[0]}: give the value a form for people")


def humanize(value: float) -> str:
    """1200 as 1.2k; as Prometheus writes it."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.4g}"
    prefixes = ("", "k", "M", "G") if abs(value) >= 1 else ("", "m", "u", "n")
    factor = 0.001 if abs(value) >= 1 else 1_000
    place = 0
    while not 1 <= abs(value) < 1_000 and place < len(prefixes) - 1:
        value, place = value * factor, place + 1
    return f"{value:.4g}{prefixes[place]}"


def humanize_duration(value: float) -> str:
    """3725 as 1h 2m 5s; as Prometheus writes it."""
    whole = int(value)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return f"{days}d {hours}h {minutes}m {whole % 60}s"
    if hours:
        return f"{hours}h {minutes}m {whole % 60}s"
    if minutes:
        return f"{minutes}m {whole % 60}s"
    return f"{value:.4g}s" if value >= 1 else f"{humanize(value)}s"
