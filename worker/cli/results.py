"""`rung results RUN`: takes the answers back."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.output import SIMULATED, talk
from worker.errors import RungError, UsageError
from worker.runs.exports import Row, as_csv, json_row, write_parquet
from worker.store.reading.results import results_of
from worker.store.reading.standings import standing_of
from worker.store.runs import find_run

KINDS = ("csv", "jsonl", "parquet")


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
            simulated = standing_of(connection, found.id).simulated
        rows = results_of(engine, found.id)
        if output is None:
            _write_text(sys.stdout, kind, rows)
        else:
            count = _write_file(output, kind, rows)
            talk(f"{count:,} rows written to {output}.")
    if simulated:
        talk(SIMULATED, fg="yellow")


def _kind(output: Path | None) -> str:
    if output is None:
        return "csv"
    kind = output.suffix.lower().lstrip(".")
    if kind not in KINDS:
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
    count = [0]
    rows = _counted(rows, count)
    try:
        if kind == "parquet":
            write_parquet(temporary, rows)
        else:
            with text_file(temporary) as stream:
                _write_text(stream, kind, rows)
        temporary.replace(path)
    except OSError as error:
        raise RungError(f"{path} cannot be written: {error.strerror or error}.") from None
    finally:
        temporary.unlink(missing_ok=True)
    return count[0]


@contextmanager
def text_file(path: Path) -> Iterator[IO[str]]:
    """A file for CSV or JSON, opened for writing."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def _write_text(stream: IO[str], kind: str, rows: Iterable[Row]) -> None:
    if kind == "csv":
        stream.writelines(as_csv(rows))
        return
    for row in rows:
        stream.write(json.dumps(json_row(row), ensure_ascii=False) + "\n")


def _counted(rows: Iterable[Row], count: list[int]) -> Iterator[Row]:
    """The same rows; `count` holds how many there were."""
    for count[0], row in enumerate(rows, 1):
        yield row
