"""`rung review --audit`: accepted answers judged blind, one key each, or in a spreadsheet."""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from shlex import quote

from sqlalchemy import Engine

from models.vocabulary import Grader, ReadingKind
from worker.cli.speech.files import new_text
from worker.cli.speech.keys import pressed
from worker.cli.speech.output import console, talk
from worker.cli.speech.person import actor
from worker.cli.speech.sheets import filled_in
from worker.cli.truth import WORDS
from worker.domain.text import neutralise_formula, terminal_safe, whole_number
from worker.domain.wording import plural
from worker.errors import UsageError
from worker.runs.review_turns import take_audit
from worker.store.actions.truths import Graded, give, store, undo
from worker.store.audit import Actor
from worker.store.queue.reading_leases import ReadBy, leave
from worker.store.reading.audits import Blind, every
from worker.store.runs import find_run

COLUMNS = ("job", "answer", "message", "reply", "verdict")
KEYS = {"y": True, "r": True, "n": False, "w": False, "u": None}
HELP = "y right · n wrong · u unsure · z undo · q quit"


def review_audits(
    engine: Engine,
    run: str | None,
    output: Path | None,
    verdicts: Path | None,
    *,
    force: bool = False,
) -> None:
    """Exports the audit queue, takes verdicts back, or asks for them one by one."""
    with engine.connect() as connection:
        run_id = int(find_run(connection, run).id) if run is not None else None
    if output is not None:
        _export(engine, run_id, output, force=force)
    elif verdicts is not None:
        _take_back(engine, verdicts)
    else:
        judge_by_keys(engine, run_id, pressed)


def judge_by_keys(engine: Engine, run_id: int | None, key: Callable[[], str]) -> int:
    """One answer after another, until the queue is empty or the person quits. Returns how many
    were judged. `key` gives the next key pressed."""
    me = actor()
    by = ReadBy(f"{me.name}/terminal {os.getpid()}", me.name)
    try:
        return _judge(engine, me, by, run_id, key)
    finally:
        leave(engine, ReadingKind.AUDIT, by)


def _judge(
    engine: Engine, me: Actor, by: ReadBy, run_id: int | None, key: Callable[[], str]
) -> int:
    """One at a time, and each before one person alone."""
    judged = 0
    while True:
        found = take_audit(engine, by, run_id)
        if found is None:
            talk(f"Nothing more to look at; {plural(judged, 'answer')} judged.")
            return judged
        _show(found)
        said = key().lower()
        if said in KEYS:
            verdict = Graded(found.job_id, found.fence, KEYS[said])
            give(engine, me, Grader.PERSON, verdict)
            judged += 1
        elif said == "z":
            job = undo(engine, me)
            talk("Nothing to undo." if job is None else "Taken back; it comes again.")
            judged -= job is not None
        elif said in ("q", "\x03", "\x04", ""):
            talk(f"{plural(judged, 'answer')} judged.")
            return judged


def _show(one: Blind) -> None:
    """Message and reply alone: who answered and how surely would sway the judge."""
    out = console()
    out.rule(style="dim")
    if one.subject:
        out.print(terminal_safe(one.subject), style="bold", markup=False)
    out.print(terminal_safe(one.message), markup=False)
    out.print("\nanswered:", style="dim")
    out.print(terminal_safe(one.reply), markup=False)
    talk(HELP, fg="cyan")


def _export(engine: Engine, run_id: int | None, path: Path, *, force: bool) -> None:
    count = 0
    with new_text(path, force=force) as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for one in every(engine, actor().name, run_id):
            texts = (neutralise_formula(text) for text in (one.message, one.reply))
            writer.writerow([one.job_id, one.fence, *texts, ""])
            count += 1
    talk(
        f"{plural(count, 'answer')} written to {path}. Fill in right, wrong or unsure, then:"
        f" rung review --audit --verdicts {quote(str(path))}"
    )


def _take_back(engine: Engine, path: Path) -> None:
    """All verdicts of a file, or none."""
    verdicts = []
    for record, row in enumerate(filled_in(path, ("job", "answer", "verdict")), start=1):
        word = (row["verdict"] or "").strip().lower()
        if not word:
            continue
        numbers = [(row[name] or "").strip() for name in ("job", "answer")]
        if word not in WORDS or None in map(whole_number, numbers):
            raise UsageError(
                f"{path}, record {record}: the verdict must be right, wrong or unsure, and job"
                " and answer numbers. No verdict of this file was taken."
            )
        verdicts.append(Graded(int(numbers[0]), int(numbers[1]), WORDS[word]))
    with engine.begin() as connection:
        store(connection, Grader.PERSON, actor().name, verdicts)
    talk(f"{plural(len(verdicts), 'verdict')} taken.")
