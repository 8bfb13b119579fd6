"""`rung truth`: verdicts on answers, from elsewhere."""

import csv
from collections.abc import Iterator
from pathlib import Path

import click

from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import print_json, talk
from worker.cli.speech.person import actor
from worker.cli.speech.sheets import filled_in
from worker.domain.text import whole_number
from worker.domain.wording import plural
from worker.errors import UsageError
from worker.store.actions.truths import Imported, take_file

WORDS = {
    **dict.fromkeys(("1", "true", "yes", "right"), True),
    **dict.fromkeys(("0", "false", "no", "wrong"), False),
    "unsure": None,
}
COLUMN = ("right", "correct", "verdict")
"""The verdict's column, by any of these names."""


@click.group()
def truth() -> None:
    """Whether answers were right, as people or other systems found."""


@truth.command("import", short_help="Take verdicts from a CSV file, all of it or nothing.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@JSON
def import_(file: Path, as_json: bool) -> None:
    """Take verdicts from a CSV file: `job`, or `run` and `external_id`; `right` (1, 0 or unsure);
    and `tier` for an answer that did not go out.

    All of the file is taken, or nothing. The same file again changes only what it says otherwise.
    """
    with database() as engine:
        verdicts = read_verdicts(str(file), filled_in(file, ()))
        taken = take_file(engine, actor(), file.name, verdicts)
    if as_json:
        print_json({"file": str(file), "taken": taken})
    else:
        talk(f"{plural(taken, 'verdict')} taken from {file}.")


def read_verdicts(name: str, rows: "csv.DictReader[str]") -> Iterator[Imported]:
    """Rows with a verdict; those without one are passed over. Raises UsageError with the line."""
    columns = rows.fieldnames or []
    said = next((column for column in COLUMN if column in columns), None)
    if said is None or not ({"job"} <= set(columns) or {"run", "external_id"} <= set(columns)):
        raise UsageError(
            f"{name} needs a column right, and job or run and external_id; it has"
            f" {', '.join(columns) or 'none'}.",
            mend="rung results RUN --columns job,message,send -o FILE.csv, and add a column right",
        )
    for row in rows:
        word = (row[said] or "").strip().lower()
        if not word:
            continue
        job = (row.get("job") or "").strip()
        if word not in WORDS or (job and whole_number(job) is None):
            raise UsageError(
                f"{name}, line {rows.line_num}: the verdict must be 1, 0 or unsure, and a job a"
                " number. No verdict of this file was taken."
            )
        yield Imported(
            line=rows.line_num,
            job=int(job) if job else None,
            run=(row.get("run") or "").strip() or None,
            external_id=(row.get("external_id") or "").strip() or None,
            tier=(row.get("tier") or "").strip() or None if "tier" in columns else None,
            right=WORDS[word],
        )
