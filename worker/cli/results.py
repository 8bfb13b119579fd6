"""`rung results RUN`: takes the answers back."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import click

from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.output import SIMULATED, talk
from worker.domain.text import neutralise_formula
from worker.errors import RungError, UsageError
from worker.store.reading.results import COLUMNS, results_of
from worker.store.reading.status import run_status
from worker.store.runs import find_run

Row = Mapping[str, Any]
PARQUET_ROWS = 10_000


@click.command()
@click.argument("run", shell_complete=RUN)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="FILE.csv, .jsonl, .parquet")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines on stdout.")
def results(run: str, output: Path | None, as_json: bool) -> None:
    """Take the answers back: one row a job, as CSV, JSONL or Parquet.

    Cells that a spreadsheet would take for a formula get a leading apostrophe in CSV.
    """
    kind = "jsonl" if as_json and output is None else _kind(output)
    with database() as engine:
        with engine.connect() as connection:
            found = find_run(connection, run)
            simulated = run_status(connection, found)["simulated"]
        rows = results_of(engine, found.id)
        if output is None:
            count = WRITERS[kind](sys.stdout, rows)
        else:
            count = _write_file(output, kind, rows)
            talk(f"{count:,} rows written to {output}.")
    if simulated:
        talk(SIMULATED, fg="yellow")


def _kind(output: Path | None) -> str:
    if output is None:
        return "csv"
    kind = output.suffix.lower().lstrip(".")
    if kind not in (*WRITERS, "parquet"):
        raise UsageError(
            f"{output} has an ending that says no format.",
            mend="-o answers.csv, .jsonl or .parquet",
        )
    return kind


def _write_file(path: Path, kind: str, rows: Iterable[Row]) -> int:
    """Writes beside the target and renames: a reader never sees half a file."""
    if not path.parent.is_dir():
        raise UsageError(f"There is no directory {path.parent}.", mend=f"mkdir -p {path.parent}")
    temporary = path.with_name(f".{path.name}.part")
    try:
        if kind == "parquet":
            count = _write_parquet(temporary, rows)
        else:
            with text_file(temporary) as stream:
                count = WRITERS[kind](stream, rows)
        temporary.replace(path)
    except OSError as error:
        raise RungError(f"{path} cannot be written: {error.strerror or error}.") from None
    finally:
        temporary.unlink(missing_ok=True)
    return count


@contextmanager
def text_file(path: Path) -> Iterator[IO[str]]:
    """A file for CSV or JSON, opened for writing."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def _write_csv(stream: IO[str], rows: Iterable[Row]) -> int:
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    count = 0
    for row in rows:
        writer.writerow([csv_cell(row[name]) for name in COLUMNS])
        count += 1
    return count


def csv_cell(value: Any) -> Any:
    """A value as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, list):
        value = "; ".join(value)
    if isinstance(value, str):
        return neutralise_formula(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if hasattr(value, "isoformat") else value


def _write_jsonl(stream: IO[str], rows: Iterable[Row]) -> int:
    count = 0
    for row in rows:
        document = {name: _plain(row[name]) for name in COLUMNS}
        stream.write(json.dumps(document, ensure_ascii=False) + "\n")
        count += 1
    return count


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _write_parquet(path: Path, rows: Iterable[Row]) -> int:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise RungError(
            "Parquet needs pyarrow, which is not installed.", mend="pip install 'rung[parquet]'"
        ) from None
    text, whole = pa.string(), pa.int64()
    kinds = {
        "confidence": pa.decimal128(5, 4),
        "accepted": pa.bool_(),
        "simulated": pa.bool_(),
        "escalations": whole,
        "attempts": whole,
        "cost_usd": pa.decimal128(20, 10),
        "reasons": pa.list_(text),
        "answered_at": pa.timestamp("us", tz="UTC"),
    }
    schema = pa.schema([(name, kinds.get(name, text)) for name in COLUMNS])
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        for part in _parts(rows, PARQUET_ROWS):
            writer.write_table(pa.Table.from_pylist(part, schema=schema))
            count += len(part)
    return count


def _parts(rows: Iterable[Row], size: int) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    for row in rows:
        part.append({name: row[name] for name in COLUMNS})
        if len(part) == size:
            yield part
            part = []
    yield part


WRITERS: dict[str, Callable[[IO[str], Iterable[Row]], int]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
}
