"""`rung results RUN`: takes the answers back."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.files import FORCE, new_path, new_text
from worker.cli.speech.output import SIMULATED, stdout, talk
from worker.domain.text import neutralise_formula
from worker.domain.wording import plural
from worker.errors import UsageError
from worker.runs.exports import (
    ResultColumn,
    Row,
    Said,
    as_csv,
    as_it_is,
    json_row,
    layout,
    write_parquet,
)
from worker.runs.workbooks import refuse_more_than_fit, write_workbook
from worker.store.reading.results import Only, own_columns, results_of
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.standings import standing_of
from worker.store.runs import find_run

KINDS = ("csv", "jsonl", "xlsx", "parquet")
BINARY: dict[str, Callable[[Path, Iterable[Row], Sequence[ResultColumn], Said], None]] = {
    "xlsx": write_workbook,
    "parquet": write_parquet,
}


@click.command()
@click.argument("run", shell_complete=RUN)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="FILE.csv, .jsonl, .xlsx, .parquet"
)
@click.option("--columns", help="Only these, in this order: external_id,send,…")
@click.option(
    "--only",
    type=click.Choice([only.value for only in Only]),
    help="Of a state; `ready`: what may go out.",
)
@click.option("--excel", is_flag=True, help="CSV that Excel reads as UTF-8 by a double click.")
@click.option("--raw", is_flag=True, help="Formulas as they are: for programs alone.")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines on stdout.")
@FORCE
def results(
    run: str,
    output: Path | None,
    columns: str | None,
    only: str | None,
    excel: bool,
    raw: bool,
    as_json: bool,
    force: bool,
) -> None:
    """Take the answers back: one row a job, with the row's own columns after ours.

    The column `send` is the one reply that may go out: the accepted answer, or a person's; empty
    otherwise. In files of every format, what a spreadsheet would take for a formula gets a leading
    apostrophe; --raw leaves it, and so does --json, which programs read.
    """
    kind = "jsonl" if as_json and output is None else _kind(output)
    with database() as engine:
        with engine.connect() as connection:
            found = find_run(connection, run)
            standing = standing_of(connection, found.id)
            if kind == "xlsx" and only is None:
                refuse_more_than_fit(standing.total)  # Rather than after a million rows.
            chosen = layout(own_columns(connection, found.id), _names(columns))
        rows = results_of(engine, found.id, Only(only) if only is not None else None)
        raw = raw or (kind == "jsonl" and output is None)
        said = as_it_is if raw else neutralise_formula
        form = _Form(kind=kind, columns=chosen, said=said, excel=excel)
        if output is None:
            _write_text(stdout(), rows, form)
        else:
            count = _write_file(output, rows, form, force=force)
            talk(f"{plural(count, 'row')} written to {output}.")
    _say_how_far(standing)
    if standing.simulated:
        talk(SIMULATED, fg="yellow")


def _names(columns: str | None) -> list[str]:
    """Once each; a name that holds commas stands in quotes, as in CSV."""
    said = next(csv.reader([columns or ""], skipinitialspace=True), [])
    return list(dict.fromkeys(name.strip() for name in said if name.strip()))


def _say_how_far(standing: RunStanding) -> None:
    """A file of half a run looks like a whole one."""
    if standing.finished_at is None:
        talk(f"{standing.ended:,} of {standing.total:,} are done; the others are empty yet.")


def _kind(output: Path | None) -> str:
    if output is None:
        return "csv"
    kind = output.suffix.lower().lstrip(".")
    if kind not in KINDS:
        raise UsageError(
            f"{output} has an ending that says no format.",
            mend="-o answers.csv, .jsonl, .xlsx or .parquet",
        )
    return kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How a file is written; `excel` concerns CSV."""

    kind: str
    columns: Sequence[ResultColumn]
    said: Said
    excel: bool


def _write_file(path: Path, rows: Iterable[Row], form: _Form, *, force: bool) -> int:
    count = [0]
    rows = _counted(rows, count)
    if form.kind in BINARY:
        with new_path(path, force=force) as temporary:
            BINARY[form.kind](temporary, rows, form.columns, form.said)
    else:
        with new_text(path, force=force) as stream:
            _write_text(stream, rows, form)
    return count[0]


def _write_text(stream: IO[str], rows: Iterable[Row], form: _Form) -> None:
    if form.kind == "csv":
        stream.writelines(as_csv(rows, form.columns, excel=form.excel, said=form.said))
        return
    plain = stream.isatty()
    for row in rows:
        held = json_row(row, form.columns, form.said)
        stream.write(json.dumps(held, ensure_ascii=plain) + "\n")


def _counted(rows: Iterable[Row], count: list[int]) -> Iterator[Row]:
    """The same rows; `count` holds how many there were."""
    for count[0], row in enumerate(rows, 1):
        yield row
