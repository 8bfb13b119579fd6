"""Series in memory, and promtool's notation for them: `1+2x3` is 1, 3, 5, 7."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from tests.support.promql.parsing import NotUnderstood, Select, parse

Labels = frozenset[tuple[str, str]]
LOOK_BACK_S = 300.0
"""An instant looks back this far for a sample."""
STEPS = re.compile(r"(?P<first>-?[\d.]+)(?P<step>[+-][\d.]+)?x(?P<times>\d+)")


class Sample(NamedTuple):
    at: float
    value: float | None
    """None ends the series (promtool's `stale`)."""


class Series(dict[Labels, list[Sample]]):
    """Samples in order of time, by labels with `__name__` among them."""

    def window(self, select: Select, now: float, length_s: float) -> dict[Labels, list[Sample]]:
        """Of each series that is meant, the samples later than `now - length_s` and until `now`."""
        end = now - select.offset_s
        found = {}
        for labels, samples in self.items():
            if matches(select, dict(labels)):
                inside = [one for one in samples if end - length_s < one.at <= end]
                if inside:
                    found[labels] = inside
        return found


def matches(select: Select, labels: Mapping[str, str]) -> bool:
    """Whether a series is meant by a selector."""
    return labels.get("__name__") == select.name and all(
        matcher.accepts(labels.get(matcher.label, "")) for matcher in select.matchers
    )


def read(written: Mapping[str, str], interval_s: float) -> Series:
    """Series from their names and values, as promtool writes them."""
    return Series({_labels(name): _samples(text, interval_s) for name, text in written.items()})


def _labels(name: str) -> Labels:
    select = parse(name)
    if not isinstance(select, Select) or select.range_s or select.offset_s:
        raise NotUnderstood(f"{name!r} is no series")
    named = {("__name__", select.name)}
    return frozenset(named | {(m.label, m.value) for m in select.matchers})


def _samples(text: str, interval_s: float) -> list[Sample]:
    values: list[float | str] = []
    for word in text.split():
        if word in ("_", "stale"):
            values.append(word)
        elif word.startswith("_x"):
            values += ["_"] * int(word[2:])
        elif match := STEPS.fullmatch(word):
            first, step = float(match["first"]), float(match["step"] or 0)
            values += [first + n * step for n in range(int(match["times"]) + 1)]
        else:
            values.append(float(word))
    return [
        Sample(number * interval_s, None if value == "stale" else float(value))
        for number, value in enumerate(values)
        if value != "_"
    ]
