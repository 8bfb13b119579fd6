"""Rows as CSV, JSON Lines and Parquet: what `rung results` writes, and what the API
sends.

Files neutralise what a spreadsheet would take for a formula, whatever their format: any of them may
be opened by one. What programs read of the API is as it is, and so is a file for which that is
asked.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from worker.domain.text import neutralise_formula
from worker.errors import RungError, UsageError, installing
from worker.store.reading.results import BY_NAME_ONLY, COLUMNS, OWN, TEXT_OF_CUSTOMERS, Holds

Row = Mapping[str, Any]
Said = Callable[[str], str]
"""What becomes of a text before it stands in a file."""
ROWS_AT_ONCE = 500
PARQUET_ROWS = 10_000
BOM = "\ufeff"


def as_it_is(text: str) -> str:
    """For programs."""
    return text


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """One column of a file."""

    name: str
    holds: Holds
    own: str | None = None
    """The name in the row's own columns; None for ours."""

    def value(self, row: Row) -> Any:
        """What the row holds there."""
        return row[self.name] if self.own is None else (row[OWN] or {}).get(self.own)


def layout(own: Sequence[str], wanted: Sequence[str] = ()) -> list[ResultColumn]:
    """The columns of a file: ours, then the rows' own in their order (`row.NAME` where we have one
    of that name); or those that are wanted, in that order. Raises UsageError for an unknown one."""
    ours = {name: ResultColumn(name, holds) for name, holds in (COLUMNS | BY_NAME_ONLY).items()}
    theirs, taken = list[ResultColumn](), {*ours, *own}
    for name in own:
        called = name
        if name in ours:
            while called in taken:
                called = f"row.{called}"
            taken.add(called)
        theirs.append(ResultColumn(called, Holds.ANY, name))
    if not wanted:
        return [*(ours[name] for name in COLUMNS), *theirs]
    known = ours | {column.name: column for column in theirs}
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"There is no column {name!r}.", mend=f"choose from: {', '.join(known)}"
            )
    return [known[name] for name in wanted]


def masked(row: Row) -> dict[str, Any]:
    """The row without what customers wrote and what was written back."""
    return {**row, **dict.fromkeys(TEXT_OF_CUSTOMERS), OWN: {}}


def as_csv(
    rows: Iterable[Row],
    columns: Sequence[ResultColumn],
    *,
    excel: bool = False,
    said: Said = neutralise_formula,
) -> Iterator[str]:
    """Pieces of a CSV file, the first with its heading; for Excel with the mark that makes it read
    UTF-8."""
    out = io.StringIO()
    out.write(BOM if excel else "")
    writer = csv.writer(out)
    writer.writerow([csv_cell(column.name, said) for column in columns])
    for number, row in enumerate(rows, 1):
        writer.writerow([csv_cell(column.value(row), said) for column in columns])
        if number % ROWS_AT_ONCE == 0:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def csv_cell(value: Any, said: Said = neutralise_formula) -> Any:
    """A value as a cell that no spreadsheet takes for a formula."""
    match value:
        case None:
            return ""
        case list() if all(isinstance(part, str) for part in value):
            return said("; ".join(value))
        case list() | dict():
            return said(json.dumps(value, ensure_ascii=False))
        case str():
            return said(value)
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value.normalize():f}"
    return value.isoformat() if hasattr(value, "isoformat") else value


def json_row(row: Row, columns: Sequence[ResultColumn], said: Said = as_it_is) -> dict[str, Any]:
    """A row as JSON values: dollars and shares are numbers, as exact as they are recorded."""
    return {said(column.name): _plain(column.value(row), said) for column in columns}


def _plain(value: Any, said: Said) -> Any:
    match value:
        case str():
            return said(value)
        case list():
            return [_plain(inner, said) for inner in value]
        case dict():
            return {said(name): _plain(inner, said) for name, inner in value.items()}
        case Decimal():
            return float(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def write_parquet(
    path: Path,
    rows: Iterable[Row],
    columns: Sequence[ResultColumn],
    said: Said = neutralise_formula,
) -> None:
    """Plain numbers throughout. Raises RungError without pyarrow."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise RungError(
            "Parquet needs pyarrow, which is not installed.", mend=installing("parquet")
        ) from None
    kinds = {
        Holds.TEXT: pa.string(),
        Holds.TEXTS: pa.list_(pa.string()),
        Holds.COUNT: pa.int64(),
        Holds.FLAG: pa.bool_(),
        Holds.SHARE: pa.float64(),
        Holds.DOLLARS: pa.float64(),
        Holds.TIME: pa.timestamp("us", tz="UTC"),
        Holds.ANY: pa.string(),
    }
    schema = pa.schema([(said(column.name), kinds[column.holds]) for column in columns])
    with pq.ParquetWriter(path, schema) as writer:
        for part in _parts(rows, columns, said):
            writer.write_table(pa.Table.from_pylist(part, schema=schema))


def _parts(
    rows: Iterable[Row], columns: Sequence[ResultColumn], said: Said
) -> Iterator[list[dict[str, Any]]]:
    """At least one, be it empty."""
    part: list[dict[str, Any]] = []
    for row in rows:
        part.append({said(column.name): _stored(column, row, said) for column in columns})
        if len(part) == PARQUET_ROWS:
            yield part
            part = []
    yield part


def _stored(column: ResultColumn, row: Row, said: Said) -> Any:
    value = column.value(row)
    if column.holds is Holds.ANY and value is not None:
        return str(csv_cell(value, said))
    return value if column.holds is Holds.TIME else _plain(value, said)
