"""What stands in the columns of a file's first rows, and what it could be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.intake.cell_text import as_text
from worker.intake.dates import moment_of
from worker.intake.numbered_dates import Ambiguous

DEEPEST = 3
MOST_COLUMNS = 300
ENOUGH = 0.5
"""Share of the rows looked at in which a required column must hold something."""

Sample = Sequence[Mapping[str, Any]]


@dataclass(slots=True, kw_only=True)
class Column:
    """One column of the sample, at any depth."""

    name: str
    leaf: str
    """The last of the names that lead to it."""
    depth: int
    values: list[Any] = field(default_factory=list)

    def share(self, rows: int) -> float:
        """Of the rows in which it holds something."""
        return sum(value not in (None, "", []) for value in self.values) / max(rows, 1)

    @property
    def texts(self) -> list[str]:
        """What it holds, as text."""
        there = (as_text(value) for value in self.values if value not in (None, "", []))
        return [str(value) for value in there if isinstance(value, str | int | float)]


def columns_of(sample: Sample) -> list[Column]:
    columns: dict[str, Column] = {}
    for row in sample:
        _collect(row, "", columns, 1)
    return list(columns.values())


def _collect(row: Mapping[str, Any], prefix: str, columns: dict[str, Column], depth: int) -> None:
    for key, value in row.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and depth < DEEPEST and value.get("type") != "doc":
            _collect(value, f"{name}.", columns, depth + 1)
        elif name in columns or len(columns) < MOST_COLUMNS:
            columns.setdefault(name, Column(name=name, leaf=key, depth=depth)).values.append(value)


def mean_of(column: Column) -> float:
    texts = column.texts
    return sum(map(len, texts)) / max(len(texts), 1)


def fits(name: str, column: Column, rows: int) -> bool:
    """Whether what stands in the column can be what the field holds."""
    texts = column.texts
    if name == "external_id":
        short = all(len(text) <= 200 and "\n" not in text for text in texts)
        return column.share(rows) >= 0.9 and short and len(set(texts)) >= 0.9 * len(texts) > 0
    if name == "body":
        return column.share(rows) >= ENOUGH and worded(column)
    if name == "received_at":
        return bool(texts) and all(_is_moment(value) for value in column.values if value)
    return bool(texts) and all(len(text) <= 500 for text in texts)


def worded(column: Column) -> bool:
    """Whether nearly all that stands in it has letters."""
    texts = [text for text in column.texts if text.strip()]
    return sum(any(map(str.isalpha, text)) for text in texts) >= 0.8 * len(texts) > 0


def _is_moment(value: Any) -> bool:
    try:
        return moment_of(value, None) is not None
    except Ambiguous:
        return True
