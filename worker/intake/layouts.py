"""Where each field stands in rows of one shape: decided once, and followed for each row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from worker.intake.cell_text import as_text, joined
from worker.intake.paths import Path, Place, column_of, follow
from worker.intake.plain_rows import PlainColumns, plain_columns

REQUIRED = ("external_id", "body")
KNOWN = ("source", "channel", "customer_id", "subject", "language", "received_at")
FIELDS = (*REQUIRED, *KNOWN)

Row = Mapping[str, Any]
Getter = Callable[[Row], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How rows of one shape are read: where each field stands, and which columns are none."""

    external_id: Getter
    body: Getter
    others: tuple[tuple[str, Getter], ...]
    rest: tuple[str, ...]
    plain: PlainColumns | None
    """Where every field stands in a column as a whole."""

    def beside(self, row: Row) -> dict[str, Any]:
        """What stands in columns that are not ours."""
        return {name: row[name] for name in self.rest if row[name] not in (None, "")}


def layout_of(names: tuple[str, ...], places: Mapping[str, Place]) -> Layout:
    """An explicit place wins over a column of the field's own name."""
    found: dict[str, Getter] = {}
    whole: dict[str, str] = {}
    used: set[str] = set()
    for field, place in places.items():
        if getter := getter_of(place, names, used):
            found[field] = getter
            if column := column_of(place.text, names):
                whole[field] = column
    for field in FIELDS:
        own = column_of(field, names) if field not in places else None
        if own is not None and own not in used:
            found[field] = _column(own)
            whole[field] = own
            used.add(own)
    return Layout(
        plain=plain_columns(whole) if whole.keys() == found.keys() else None,
        external_id=found.pop("external_id", _nothing),
        body=found.pop("body", _nothing),
        others=tuple(found.items()),
        rest=tuple(name for name in names if name not in used),
    )


def getter_of(place: Place, names: tuple[str, ...], used: set[str]) -> Getter | None:
    """How the place's value is had from rows of this shape; None when it cannot be. Adds the
    columns that are taken whole to `used`: they are no metadata any more."""
    if whole := column_of(place.text, names):
        used.add(whole)
        return lambda row: as_text(row[whole])
    alternatives = []
    for parts in place.alternatives:
        there = [path for path in parts if top_columns(path, names)]
        if there:
            alternatives.append(there)
        for path in there:
            used.update(top_columns(path, names) if _is_whole(path) else ())
    if not alternatives:
        return None

    def first(row: Row) -> Any:
        for parts in alternatives:
            value = as_text(joined(follow(row, path) for path in parts))
            if value not in (None, "", []) and not (isinstance(value, str) and value.isspace()):
                return value
        return None

    return first


def top_columns(path: Path, names: tuple[str, ...]) -> list[str]:
    """The columns in which a path begins."""
    step = path[0] if path[0].name or len(path) == 1 else path[1]
    found = (column_of(name, names) for name in (step.name, *step.names))
    return [column for column in found if column is not None]


def _is_whole(path: Path) -> bool:
    return len(path) - (not path[0].name) == 1


def _column(name: str) -> Getter:
    return lambda row: row[name]


def _nothing(_: Row) -> None:
    return None
