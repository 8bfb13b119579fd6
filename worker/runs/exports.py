"""Rows as CSV, JSON Lines and Parquet: what `rung results` writes, and what the API sends."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from worker.domain.text import neutralise_formula
from worker.errors import RungError
from worker.store.reading.results import COLUMNS, Holds

Row = Mapping[str, Any]
ROWS_AT_ONCE = 500
PARQUET_ROWS = 10_000


def as_csv(rows: Iterable[Row]) -> Iterator[str]:
    """Pieces of a CSV file, the first with its heading."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for number, row in enumerate(rows, 1):
        writer.writerow([csv_cell(row[name]) for name in COLUMNS])
        if number % ROWS_AT_ONCE == 0:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def csv_cell(value: Any) -> Any:
    """A value as a cell that no spreadsheet takes for a formula."""
    match value:
        case None:
            return ""
        case list():
            return neutralise_formula("; ".join(map(str, value)))
        case str():
            return neutralise_formula(value)
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value.normalize():f}"
    return value.isoformat() if hasattr(value, "isoformat") else value


def json_row(row: Row) -> dict[str, Any]:
    """A row as JSON values: dollars and shares are numbers, as exact as they are recorded."""
    return {name: _plain(row[name]) for name in COLUMNS}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def write_parquet(path: Path, rows: Iterable[Row]) -> None:
    """Raises RungError without pyarrow."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise RungError(
            "Parquet needs pyarrow, which is not installed.", mend="pip install 'rung[parquet]'"
        ) from None
    kinds = {
        Holds.TEXT: pa.string(),
        Holds.TEXTS: pa.list_(pa.string()),
        Holds.COUNT: pa.int64(),
        Holds.FLAG: pa.bool_(),
        Holds.SHARE: pa.decimal128(5, 4),
        Holds.DOLLARS: pa.decimal128(20, 10),
        Holds.TIME: pa.timestamp("us", tz="UTC"),
    }
    schema = pa.schema([(name, kinds[holds]) for name, holds in COLUMNS.items()])
    with pq.ParquetWriter(path, schema) as writer:
        for part in _parts(rows):
            writer.write_table(pa.Table.from_pylist(part, schema=schema))


def _parts(rows: Iterable[Row]) -> Iterator[list[dict[str, Any]]]:
    """At least one, be it empty."""
    part: list[dict[str, Any]] = []
    for row in rows:
        part.append({name: row[name] for name in COLUMNS})
        if len(part) == PARQUET_ROWS:
            yield part
            part = []
    yield part
