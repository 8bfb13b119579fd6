"""Takes files into one run: reading and storing overlap, and every row is accounted for."""

import csv
import datetime as dt
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine

from worker.config.settings import Settings
from worker.domain.lane_choice import lane_of
from worker.domain.policy import Policy
from worker.domain.spans import read_time
from worker.domain.text import neutralise_formula, terminal_safe
from worker.errors import UsageError
from worker.intake import Block, Reject, read_blocks
from worker.intake.ahead import ahead, stem
from worker.intake.layouts import FIELDS
from worker.store.queue.intake import DEFAULT_SOURCE, Intake, highest_job, runs_holding
from worker.store.runs import (
    NewRun,
    RunRef,
    close_intake,
    create_run,
    forget_run,
    holding_intake,
    reopen_intake,
    run_with_key,
)

LISTED_REJECTS = 1_000
ASKED_WHERE_KNOWN = 200


@dataclass(slots=True)
class Tally:
    """What has come in so far."""

    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    body_bytes: int = 0
    rejects: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    known: list[tuple[str, str]] = field(default_factory=list)


class Handover:
    """One `rung enqueue`. Without an engine it is a dry run. `say` tells the person a
    sentence; `progress` shows how many bytes of the files were read."""

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        engine: Engine | None,
        options: dict[str, Any],
        say: Callable[[str], None],
        progress: Callable[
            [list[tuple[str, IO[bytes]]]], AbstractContextManager[Callable[[int], None]]
        ],
    ) -> None:
        self._settings, self._policy, self._engine = settings, policy, engine
        self._options, self._say, self._progress = options, say, progress
        self._tally = Tally()
        self._run: RunRef | None = None
        self._made_here = False
        self._intake: Intake | None = None
        self._rejects_file: Path | None = None
        self._rejects_out: Any = None

    def take(self, opened: list[tuple[str, IO[bytes]]]) -> dict[str, Any]:
        """Takes all files, each with its name. What was accepted before an error or Ctrl-C stays,
        and is worked on."""
        columns = column_map(self._options["columns"])
        with ExitStack() as stack:
            self._stack = stack
            self._first_name = opened[0][0]
            try:
                with self._progress(opened) as on_bytes:
                    for name, content in opened:
                        blocks = read_blocks(
                            name,
                            content,
                            kind=self._options["kind"],
                            member=self._options["member"],
                            columns=columns,
                            on_bytes=on_bytes,
                        )
                        for block in ahead(blocks):
                            self._take_block(name, block)
            except KeyboardInterrupt:
                self._say_interrupted()
                raise
            finally:
                self._close()
        return self._outcome()

    def _take_block(self, name: str, block: Block) -> None:
        tally = self._tally
        self._reject(name, block.rejects)
        _list(tally.warnings, name, block.warnings)
        if not block.records:
            return
        if self._engine is None:
            tally.accepted += len(block.records)
            tally.body_bytes += sum(len(record.body.encode()) for record in block.records)
            return
        added = self._ready_intake(self._engine).add(block.records)
        tally.accepted += added.accepted
        tally.duplicates += added.duplicates
        self._reject(name, added.rejects)
        if not tally.accepted and len(tally.known) < ASKED_WHERE_KNOWN:
            source = self._options["source"]
            tally.known += [
                (source or record.source or DEFAULT_SOURCE, record.external_id)
                for record in block.records[:ASKED_WHERE_KNOWN]
            ]

    def _ready_intake(self, engine: Engine) -> Intake:
        """The run is made when its first rows are, so a refused file leaves none behind."""
        if self._intake is None:
            with engine.begin() as connection:
                self._run = self._find_or_make(connection)
                first_job = highest_job(connection)
            if not self._stack.enter_context(holding_intake(engine, self._run.id)):
                raise UsageError(
                    f"Another intake into run {self._run.name} is under way.",
                    mend="wait for it, then run this again: nothing is added twice",
                )
            self._intake = Intake(
                engine, self._run, self._options["source"], self._options["again"], first_job
            )
        return self._intake

    def _find_or_make(self, connection: Connection) -> RunRef:
        options = self._options
        if options["key"] and (known := run_with_key(connection, options["key"])):
            reopen_intake(connection, known)
            return known
        self._made_here = True
        cap = options["budget"]
        deadline = parse_deadline(options["deadline"])
        new = NewRun(
            name=options["name"] or stem(self._first_name),
            policy=self._policy,
            lane=lane_of(options["lane"], deadline),
            priority=options["priority"],
            budget_cap=cap if cap is not None else self._settings.budget.per_run_usd,
            deadline=deadline,
            key=options["key"],
            named=options["name"] is not None,
            audit_share=self._settings.audit.share,
        )
        return create_run(connection, new)

    def _reject(self, name: str, rejects: list[Reject]) -> None:
        if not rejects:
            return
        self._tally.rejected += len(rejects)
        _list(self._tally.rejects, name, rejects)
        if self._engine is None and self._options["rejects"] is None:
            return
        if self._rejects_out is None:
            path = self._options["rejects"] or Path(f"{stem(self._first_name)}.rejects.csv")
            self._rejects_file = path
            out = self._stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            self._rejects_out = csv.writer(out)
            self._rejects_out.writerow(["file", "line", "external_id", "reason"])
        for reject in rejects:
            external_id = neutralise_formula(terminal_safe(reject.external_id or ""))
            self._rejects_out.writerow([Path(name).name, reject.line, external_id, reject.reason])

    def _close(self) -> None:
        """Ends the intake: an empty run that was made here goes away again."""
        if self._engine is None or self._run is None:
            return
        with self._engine.begin() as connection:
            if self._made_here and not self._tally.accepted:
                forget_run(connection, self._run)
                self._run = None
            else:
                close_intake(connection, self._run, self._tally.rejected, self._tally.duplicates)

    def _say_interrupted(self) -> None:
        if self._run is not None and self._tally.accepted:
            self._say(
                f"\n{self._tally.accepted} rows are accepted in run {self._run.name} and will be"
                " answered. Run the same command again to add the rest."
            )

    def _outcome(self) -> dict[str, Any]:
        tally = self._tally
        outcome: dict[str, Any] = {
            "run": self._run.name if self._run is not None else None,
            "accepted": tally.accepted,
            "rejected": tally.rejected,
            "duplicates": tally.duplicates,
            # Repeated ids are found by the database, after the lines around them were read.
            "rejects": sorted(tally.rejects, key=lambda reject: (reject["file"], reject["line"])),
            "rejects_file": str(self._rejects_file) if self._rejects_file else None,
            "warnings": tally.warnings,
        }
        if self._engine is None:
            outcome["body_bytes"] = tally.body_bytes
        elif self._run is None:
            with self._engine.connect() as connection:
                outcome["known_in"] = runs_holding(connection, tally.known)
        return outcome


def column_map(pairs: Iterable[str]) -> dict[str, str]:
    """`body=Message` as `{"body": "Message"}`."""
    columns = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or field not in FIELDS or not column:
            raise UsageError(
                f"--map {pair!r} is not FIELD=COLUMN with a field of ours.",
                mend=f"use one of: {', '.join(FIELDS)}",
            )
        columns[field] = column
    return columns


def parse_deadline(words: str | None) -> dt.datetime | None:
    """`6h` from now, or an ISO time (UTC where it names no zone). Raises UsageError."""
    if words is None:
        return None
    now = dt.datetime.now(dt.UTC)
    read = read_time(words, "--deadline", "--deadline 6h, or --deadline 2026-12-01T06:00+01:00")
    moment = now + read if isinstance(read, dt.timedelta) else read
    if moment <= now:
        raise UsageError(f"--deadline {words} has passed.", mend="--deadline 6h")
    return moment


def _list(listed: list[dict[str, Any]], name: str, found: list[Reject]) -> None:
    """Lists as many as there is room for: memory stays constant however bad the file is."""
    room = max(LISTED_REJECTS - len(listed), 0)
    listed += [_line(name, one) for one in found[:room]]


def _line(name: str, reject: Reject) -> dict[str, Any]:
    return {
        "file": Path(name).name,
        "line": reject.line,
        "reason": reject.reason,
        "external_id": reject.external_id,
    }
