"""A bench for the state machine: one database, two workers, and what they do between two events."""

import asyncio
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, text

from tests.support import servers as serving
from tests.support.checker import Checker
from tests.support.scripted import Scripted
from tests.support.works import settings_for
from worker.config.settings import Settings
from worker.domain.claimed import Claimed, Question
from worker.domain.reports import AttemptReport
from worker.lanes.realtime.caller import Caller
from worker.lanes.realtime.recorder import LeaseLost, call_row
from worker.lanes.realtime.runtime import Runtime
from worker.store.queue.ledger import open_calls
from worker.store.queue.presence import Presence, beat

CLEAN_EVERY = 20
"""Examples after which the tables are emptied: before that, each starts where the last one, all
of whose jobs have ended, left off."""
WORK = ("haiku", "sonnet", "opus", "routing")
STOP_CLOCK = """
CREATE FUNCTION stop_clock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.available_at := CASE WHEN NEW.available_at > clock_timestamp()
    THEN now() + interval '1 hour' ELSE now() END;
  RETURN NEW;
END $$;
CREATE TRIGGER stop_clock BEFORE INSERT OR UPDATE OF available_at ON jobs
  FOR EACH ROW WHEN (NEW.finished_at IS NULL) EXECUTE FUNCTION stop_clock()
"""
"""What is put off stays so until an event says that time passes, however long the next step takes;
and jobs that become ready together are ready at one moment, in whatever order they were written."""


class Bench:
    """What outlives an example: a database, two workers, and the code that asks and judges."""

    def __init__(self, url: str) -> None:
        self.settings: Settings = settings_for(url, "http://127.0.0.1:9")
        self.workers = (Runtime(self.settings), Runtime(self.settings))
        self.engine: Engine = self.workers[0].engine
        self.claude = Scripted()
        self.loop = asyncio.new_event_loop()
        self.caller: Caller = self.loop.run_until_complete(self._make_caller())
        self.examples = 0
        self.newest_job = 0
        """Of the examples before: what depends on ids counts from here, so that it repeats."""
        self.broken = False
        """An example failed, or did not come to its end: nothing that it left may be met."""
        self.do(STOP_CLOCK)
        self.looking: Connection = self.engine.connect()
        self.checker = Checker()

    async def _make_caller(self) -> Caller:
        made = await self.workers[0]._make_caller()
        self._real = made.claude
        return dataclasses.replace(made, claude=self.claude, open_call=self._open)  # type: ignore[arg-type]

    async def _open(self, claimed: Claimed, question: Question) -> None:
        row = call_row(claimed.candidate, question)
        with self.engine.begin() as connection:
            if not open_calls(connection, [row]):
                raise LeaseLost

    def close(self) -> None:
        self.looking.close()
        self.loop.run_until_complete(self._real.close())
        self.loop.close()
        for worker in self.workers:
            worker.pacer._client.close()
            worker.calls._loop.close()
            worker.engine.dispose()

    def begin(self) -> None:
        """Readies the database for an example."""
        if self.broken or self.examples % CLEAN_EVERY == 0:
            self.clean()
        self.broken = True
        self.examples += 1
        self.claude.script = {}
        for worker in self.workers:
            # What an example before has learnt of a call's size would change what a budget allows.
            worker.planner.counted._tokens.clear()
        (row,) = self.do("SELECT coalesce(max(id), 0) AS newest FROM jobs")
        self.newest_job = int(row.newest)

    def clean(self) -> None:
        """Empties every table, and says that both workers are alive for good."""
        self.do(
            "TRUNCATE runs, messages, jobs, attempts, calls, escalations, results, budgets, tiers,"
            " run_counts, run_spend, run_escalations, classifications, audit_events, workers"
            " RESTART IDENTITY CASCADE"
        )
        for worker in self.workers:
            worker.claims._budgets.committed(None)
            worker.claims._policies = type(worker.claims._policies)()
            beat(self.engine, Presence(worker.worker_id, dict.fromkeys(WORK, 8)), {})
        self.do("UPDATE workers SET seen_at = now() + interval '1 day'")
        self.claude.asked.clear()
        self.checker = Checker()

    def do(self, statement: str, **values: Any) -> list[Any]:
        with self.engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []


@dataclasses.dataclass(slots=True)
class Held:
    """An attempt in a worker's hands: claimed, and asked once there is a report."""

    worker: int
    claimed: Claimed
    reports: list[AttemptReport] = dataclasses.field(default_factory=list)


@contextmanager
def benched(servers: serving.Servers) -> Iterator[Bench]:
    with serving.cloned(servers, "bench") as url:
        bench = Bench(url)
        try:
            yield bench
        finally:
            bench.close()
