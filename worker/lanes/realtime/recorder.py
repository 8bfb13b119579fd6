"""Records finished attempts in groups: one thread, one transaction after another.

A group gathers for a moment, and while the one before it commits, so groups are as large as the
load makes them. Promise: a report handed over is recorded, however long Postgres is
away; it is dropped only with the process, and then rescue charges its worst case.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from models.vocabulary import AttemptOutcome
from worker.domain.claimed import Candidate, Question
from worker.domain.endings import Failed
from worker.domain.reports import AttemptReport
from worker.failpoints import failpoint
from worker.lanes.realtime.inbox import Inbox
from worker.lanes.routine import Routine
from worker.store.engine import is_outage
from worker.store.queue.ledger import open_calls
from worker.store.queue.record import record

log = logging.getLogger(__name__)
MAX_GROUP = 200
GATHER_S = 0.1
"""How long the first of a group waits for others. A transaction costs the same for one outcome as
for twenty; an answer that waits could be lost with the process, so the wait is short."""
RETRY_S = 1.0
UNSTORABLE_DELAY_S = 300.0


@dataclass(frozen=True, slots=True)
class Finished:
    """A report to record; `done` is called once it is committed, on the recording thread."""

    report: AttemptReport
    done: Callable[[], None]


@dataclass(frozen=True, slots=True)
class FurtherCall:
    """A further call of an attempt, to be in the ledger before it is sent."""

    row: dict[str, Any]
    done: Future[None]


class LeaseLost(Exception):
    """The attempt may send nothing more: rescue took it, or a cancel ended its job."""


class Recorder:
    """The recording thread of a worker process."""

    def __init__(self, engine: Engine, before: Callable[[], None] = lambda: None) -> None:
        """`before` is called when a group is about to be recorded, and must not raise."""
        self._engine, self._before = engine, before
        self._inbox = Inbox[Finished | FurtherCall](GATHER_S, MAX_GROUP)
        self._routine = Routine("recorder", self._inbox.take, self._tend)

    def start(self) -> None:
        """Starts the thread."""
        self._routine.start()

    def record(self, report: AttemptReport, done: Callable[[], None]) -> None:
        """Hands a report over; `done` is called once it is committed, and must not raise."""
        self._inbox.put(Finished(report, done))

    def open_call(self, row: dict[str, Any]) -> Future[None]:
        """Asks for a call's row; resolves when it is committed."""
        opened = FurtherCall(row, Future())
        # The call that waits for its row holds a slot.
        self._inbox.put(opened, urgent=True)
        return opened.done

    def stop(self, timeout_s: float) -> None:
        """Records what was handed over, then ends."""
        self._inbox.close()
        self._routine.join(timeout_s)

    def _tend(self, group: list[Finished | FurtherCall]) -> None:
        opened = [item for item in group if isinstance(item, FurtherCall)]
        finished = [item for item in group if isinstance(item, Finished)]
        if opened:
            self._open(opened)
        if finished:
            self._record(finished)

    def _open(self, opened: list[FurtherCall]) -> None:
        try:
            with self._engine.begin() as connection:
                live = open_calls(connection, [item.row for item in opened])
        except Exception as error:
            # The caller decides: without its row the call must not be sent.
            for item in opened:
                item.done.set_exception(error)
            return
        for item in opened:
            if (item.row["job_id"], item.row["fence"]) in live:
                item.done.set_result(None)
            else:
                item.done.set_exception(LeaseLost())

    def _record(self, finished: list[Finished]) -> None:
        self._before()
        failpoint("before record")
        try:
            self._write([item.report for item in finished])
        except DBAPIError:
            self._record_singly(finished)
        except Exception:
            log.exception("a group could not be recorded", extra={"outcomes": len(finished)})
            self._record_singly(finished)
        failpoint("after record")
        for item in finished:
            item.done()

    def _write(self, reports: list[AttemptReport]) -> None:
        """Records them together, however long Postgres is away. Raises what else is wrong."""
        while True:
            try:
                record(self._engine, reports)
                return
            except DBAPIError as error:
                if not is_outage(error):
                    raise
                log.warning("postgres away, outcomes kept", extra={"outcomes": len(reports)})
                time.sleep(RETRY_S)

    def _record_singly(self, finished: list[Finished]) -> None:
        """One report spoils its group: record the others, and that one without its text."""
        for item in finished:
            for report in (item.report, without_text(item.report)):
                try:
                    self._write([report])
                    break
                except Exception as error:
                    log.error(
                        "an outcome could not be recorded",
                        extra={"job": report.job_id, "error": type(error).__name__},
                    )


def without_text(report: AttemptReport) -> AttemptReport:
    """The report with nothing in it that a database could refuse, its money unchanged."""
    calls = tuple(
        replace(call, output=None, error="the answer could not be stored") for call in report.calls
    )
    ending = Failed(UNSTORABLE_DELAY_S, "the answer could not be stored")
    return AttemptReport(
        job_id=report.job_id,
        fence=report.fence,
        outcome=AttemptOutcome.FAILED,
        ending=ending,
        calls=calls,
        reasons=("unstorable",),
    )


def call_row(candidate: Candidate, question: Question) -> dict[str, Any]:
    """A call's row before it is sent."""
    return {
        "job_id": candidate.job_id,
        "fence": candidate.fence,
        "purpose": question.purpose,
        "tier": question.tier,
        "model": question.model,
        "lane": candidate.lane,
        "worst_cost": question.worst_cost,
    }
