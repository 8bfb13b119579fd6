"""`rung review`: what waits for a person, and what the person says."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from shlex import quote
from typing import IO

import click
from sqlalchemy import Engine

from models.vocabulary import Verdict
from worker.cli.attention import list_jobs
from worker.cli.enqueue import EXIT_REJECTS
from worker.cli.show import show_receipt
from worker.cli.speech.amounts import ROWS
from worker.cli.speech.completion import RUN
from worker.cli.speech.context import database
from worker.cli.speech.files import FORCE, new_text
from worker.cli.speech.options import JSON
from worker.cli.speech.output import talk
from worker.cli.speech.person import actor
from worker.cli.speech.sheets import filled_in, text_of
from worker.domain.text import neutralise_formula, restored_formula, whole_number
from worker.domain.wording import plural
from worker.errors import UsageError
from worker.store.actions.reviews import (
    Judged,
    LatestVerdict,
    WaitingReview,
    give_verdict,
    latest_verdict,
    waiting,
)
from worker.store.actions.verdict_sheets import give_verdicts
from worker.store.reading.receipts import find_job
from worker.store.rows import as_document
from worker.store.runs import find_run

NOTHING = "Nothing waits for review."


@click.command()
@click.argument("run", required=False, shell_complete=RUN)
@click.option(
    "--limit", type=ROWS, default=50, show_default=True, help="How many jobs, at the most."
)
@click.option("--audit", is_flag=True, help="Accepted answers that chance chose, judged blind.")
@click.option(
    "--show",
    metavar="JOB",
    help="One with its message, best effort, reasons and receipt; others may judge it meanwhile.",
)
@click.option("--all", "decided", is_flag=True, help="Also those that have a verdict.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Export to a CSV file.")
@click.option(
    "--verdicts",
    type=click.Path(exists=True, path_type=Path),
    help="Take a CSV back, but for rows that others have judged since it was written.",
)
@click.option("--accept", metavar="JOB", help="The best effort may go out as it is.")
@click.option("--edit", metavar="JOB", help="Another reply goes out; see --reply.")
@click.option("--reject", metavar="JOB", help="Nothing goes out; see --reason.")
@click.option("--reply", type=click.File("rb"), help="File with the reply, or -.")
@click.option("--reason", help="Why, in a few words.")
@FORCE
@JSON
@click.pass_context
def review(
    ctx: click.Context,
    run: str | None,
    limit: int,
    audit: bool,
    show: str | None,
    decided: bool,
    output: Path | None,
    verdicts: Path | None,
    accept: str | None,
    edit: str | None,
    reject: str | None,
    reply: IO[bytes] | None,
    reason: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Jobs whose best answer was not good enough: list or export them, and give a verdict.

    A verdict is stored beside what the model said, never over
    it; an edited reply is what `rung results` gives from then on.
    """
    given = {Verdict.ACCEPT: accept, Verdict.EDIT: edit, Verdict.REJECT: reject}
    chosen = [(verdict, job) for verdict, job in given.items() if job is not None]
    if len(chosen) > 1:
        raise UsageError("One verdict at a time: --accept, --edit or --reject.")
    if show is not None:
        show_receipt(show, with_text=True, as_json=as_json)
        return
    if audit:
        from worker.cli.audit_review import review_audits

        with database() as engine:
            review_audits(engine, run, output, verdicts, force=force)
        return
    if not chosen and output is None and verdicts is None:
        list_jobs("review", run, limit, as_json=as_json, nothing=NOTHING, decided=decided)
        return
    with database() as engine:
        if chosen:
            _judge(engine, *chosen[0], reply_in(reply), reason)
        elif output is not None:
            _export(engine, run, output, decided=decided, force=force)
        elif verdicts is not None:
            ctx.exit(_take_back(engine, verdicts))


def reply_in(reply: IO[bytes] | None) -> str | None:
    """What the file says, in the encoding that it is in, without the end of its last line."""
    return text_of(reply.read(), reply.name).rstrip("\r\n") if reply is not None else None


def _judge(
    engine: Engine, verdict: Verdict, job: str, reply: str | None, reason: str | None
) -> None:
    """One verdict, and whose it takes the place of."""
    with engine.connect() as connection:
        job_id = find_job(connection, job)
        before = latest_verdict(connection, job_id)
    judged = Judged(job_id=job_id, verdict=verdict, reply=reply, reason=reason)
    give_verdict(engine, actor(), judged)
    talk(f"Job {job_id}: {verdict}{_in_place_of(before)}.")


def _in_place_of(before: LatestVerdict) -> str:
    return f", in the place of {before.reviewer}'s {before.verdict}" if before.id else ""


def _export(engine: Engine, run: str | None, path: Path, *, decided: bool, force: bool) -> None:
    """One row a job; fill in verdict, verdict_reply and verdict_reason, then take it back."""
    with engine.connect() as connection:
        run_id = find_run(connection, run).id if run is not None else None
    count = 0
    with new_text(path, force=force) as stream:
        writer = csv.DictWriter(stream, [one.name for one in fields(WaitingReview)])
        writer.writeheader()
        for row in waiting(engine, run_id, decided=decided):
            cells = as_document(row).items()
            writer.writerow({k: neutralise_formula(str(v or "")) for k, v in cells})
            count += 1
    talk(
        f"{count} jobs written to {path}. Fill in the verdicts, then:"
        f" rung review --verdicts {quote(str(path))}"
    )


def _take_back(engine: Engine, path: Path) -> int:
    """The verdicts of a file, but for those that others have overtaken since it was written; with
    a row that cannot be taken, none. What was taken before is passed over. The exit code."""
    sheet, overtaken = list(_read(path, filled_in(path, ("job", "verdict")))), list[str]()
    new = give_verdicts(engine, actor(), sheet, overtaken)
    known = len(sheet) - new - len(overtaken)
    talk(f"{plural(new, 'verdict')} taken{f', {known:,} known already' if known else ''}.")
    if not overtaken:
        return 0
    for words in overtaken:
        talk(words, fg="yellow")
    talk(
        f"{plural(len(overtaken), 'row')} not taken: somebody judged them after this file was"
        " written. What stands now: rung review --all -o FILE"
    )
    return EXIT_REJECTS


def _read(path: Path, rows: Iterable[dict[str, str]]) -> Iterator[tuple[int, Judged]]:
    for record, row in enumerate(rows, start=1):
        word = (row.get("verdict") or "").strip().lower()
        if not word:
            continue
        if word not in list(Verdict) or whole_number((row.get("job") or "").strip()) is None:
            raise UsageError(
                f"{path}, record {record}: the verdict must be accept, edit or reject, and the job"
                " a number. No verdict of this file was taken.",
            )
        reply, reason = (
            restored_formula(row.get(name) or "") or None
            for name in ("verdict_reply", "verdict_reason")
        )
        yield (
            record,
            Judged(
                job_id=int(row["job"]),
                verdict=Verdict(word),
                reply=reply,
                reason=reason,
                known=whole_number((row.get("known") or "").strip()) or 0,
            ),
        )
