"""`rung results RUN`: takes the answers back."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import click

from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.files import FORCE, new_path, new_text
from worker.cli.speech.output import SIMULATED, stdout, talk
from worker.errors import UsageError
from worker.runs.exports import Row, as_csv, json_row, write_parquet
from worker.store.reading.results import results_of
from worker.store.reading.standings import standing_of
from worker.store.runs import find_run

KINDS = ("csv", "jsonl", "parquet")


@click.command()
@click.argument("run", shell_complete=RUN)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="FILE.csv, .jsonl, .parquet")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines on stdout.")
@FORCE
def results(run: str, output: Path | None, as_json: bool, force: bool) -> None:
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
            _write_text(stdout(), kind, rows)
        else:
            count = _write_file(output, kind, rows, force=force)
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


def _write_file(path: Path, kind: str, rows: Iterable[Row], *, force: bool) -> int:
    count = [0]
    rows = _counted(rows, count)
    if kind == "parquet":
        with new_path(path, force=force) as temporary:
            write_parquet(temporary, rows)
    else:
        with new_text(path, force=force) as stream:
            _write_text(stream, kind, rows)
    return count[0]


def _write_text(stream: IO[str], kind: str, rows: Iterable[Row]) -> None:
    if kind == "csv":
        stream.writelines(as_csv(rows))
        return
    plain = stream.isatty()
    for row in rows:
        stream.write(json.dumps(json_row(row), ensure_ascii=plain) + "\n")


def _counted(rows: Iterable[Row], count: list[int]) -> Iterator[Row]:
    """The same rows; `count` holds how many there were."""
    for count[0], row in enumerate(rows, 1):
        yield row
