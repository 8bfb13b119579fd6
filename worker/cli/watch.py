"""Follows a run until it ends."""

import sys
import time
from typing import Any

from sqlalchemy import Engine

from worker.cli.output import SIMULATED, console, dollars, talk
from worker.store.runs import find_run
from worker.store.status import is_over, run_status, troubled

EVERY_S = 0.5
LINE_EVERY_S = 5.0
EXIT_TROUBLED, EXIT_BUDGET, EXIT_INTERRUPTED = 3, 4, 130


def watch(engine: Engine, name: str) -> int:
    """Shows the run until it ends; returns the exit code. Ctrl-C leaves the run going."""
    try:
        status = _follow(engine, name)
    except KeyboardInterrupt:
        talk(f"\nThe run goes on. Watch it again with: rung status {name} --watch")
        return EXIT_INTERRUPTED
    return conclude(status)


def conclude(status: dict[str, Any]) -> int:
    """Says how the run ended; returns its exit code."""
    name = status["run"]
    if status["waiting_for"]:
        talk(
            f"Stopped by the {status['waiting_for']}: {dollars(status['spent_usd'])} spent of"
            f" {dollars(status['budget_usd'])}. Go on with: rung resume {name} --budget USD",
            fg="yellow",
        )
        return EXIT_BUDGET
    ended = ", ".join(f"{jobs} {state}" for state, jobs in sorted(status["by_state"].items()))
    talk(f"Run {name} is {status['state']}: {ended or 'no jobs'}; {dollars(status['spent_usd'])}.")
    if status["simulated"]:
        talk(SIMULATED, fg="yellow")
    if status["by_state"].get("dead"):
        talk(f"Dead letters: rung dead {name}", fg="yellow")
    talk(f"Take the answers: rung results {name} -o answers.csv")
    return EXIT_TROUBLED if troubled(status) else 0


def _read(engine: Engine, name: str) -> dict[str, Any]:
    with engine.connect() as connection:
        return run_status(connection, find_run(connection, name))


def _stopped(status: dict[str, Any]) -> bool:
    """Over, or waiting for money with nothing in flight that could still be settled."""
    waits = status["waiting_for"] and not status["reserved_usd"]
    return is_over(status) or bool(waits)


def _follow(engine: Engine, name: str) -> dict[str, Any]:
    if sys.stderr.isatty():
        return _follow_live(engine, name)
    last, said = 0.0, list[str]()
    while True:
        status = _read(engine, name)
        said = _say_troubles(status, said)
        if _stopped(status):
            return status
        if time.monotonic() - last >= LINE_EVERY_S:
            last = time.monotonic()
            talk(f"{status['ended']} of {status['total']} done, {dollars(status['spent_usd'])}")
        time.sleep(EVERY_S)


def _say_troubles(status: dict[str, Any], said: list[str]) -> list[str]:
    """Says what has come up since the last look: nobody should wait for a queue that is paused."""
    for words in status["troubles"]:
        if words not in said:
            talk(f"{words[0].upper()}{words[1:]}", fg="red")
    return list(status["troubles"])


def _follow_live(engine: Engine, name: str) -> dict[str, Any]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[money]} {task.fields[note]}"),
    )
    with Progress(*columns, console=console(stderr=True)) as progress:
        bar = progress.add_task(name, total=None, money="", note="")
        said = list[str]()
        while True:
            status = _read(engine, name)
            said = _say_troubles(status, said)
            note = status["waiting_for"] or ("paused" if status["state"] == "paused" else "")
            progress.update(
                bar,
                total=status["total"],
                completed=status["ended"],
                money=dollars(status["spent_usd"]),
                note=f"waiting for {note}" if status["waiting_for"] else note,
            )
            if _stopped(status):
                return status
            time.sleep(EVERY_S)
