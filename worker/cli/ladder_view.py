"""The ladder as a live picture: what waits, what is under way, what stopped where."""

import time
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine

from worker.cli.output import SIMULATED, dollars
from worker.settings import Settings
from worker.store.runs import find_run
from worker.store.status import by_state_and_tier, escalations_of, queues, run_status

BAR_WIDTH = 28
ENDED = ("answered", "review", "dead", "cancelled")


class LadderView:
    """Reads a run and draws it."""

    def __init__(self, engine: Engine, settings: Settings, run: str) -> None:
        self._engine, self._settings, self._run = engine, settings, run
        self._started = time.monotonic()
        self.status: dict[str, Any] = {}

    def draw(self) -> RenderableType:
        """The picture as of now."""
        with self._engine.connect() as connection:
            run = find_run(connection, self._run)
            self.status = run_status(connection, run)
            counts = by_state_and_tier(connection, run.id)
            lines = queues(connection, ["routing", *self._settings.tiers])
            steps = escalations_of(connection, run.id)
        return Group(
            self._headline(), self._rungs(counts, lines), self._steps(steps), self._footer()
        )

    def _headline(self) -> Text:
        status, seconds = self.status, time.monotonic() - self._started
        done, total = status["ended"], status["total"]
        words = f"{done:,} of {total:,} messages done, {seconds:.0f} s, {status['calls']:,} calls"
        return Text(words, style="bold")

    def _rungs(self, counts: dict[tuple[str, str], int], lines: list[dict[str, Any]]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name in ("queue", "waiting", "in flight", "done", ""):
            table.add_column(name, justify="left" if name in ("queue", "") else "right")
        total = max(self.status["total"], 1)
        for line in reversed(lines):
            name = line["queue"]
            if name == "routing":
                # Done here means classified: whatever is not waiting to be any more.
                done = total - sum(jobs for (state, _), jobs in counts.items() if state == "queued")
            else:
                done = sum(counts.get((state, name), 0) for state in ENDED)
            bar = "█" * round(BAR_WIDTH * done / total)
            waiting, in_flight = str(line["waiting"]), str(line["in_flight"])
            table.add_row(name, waiting, in_flight, str(done), Text(bar, style="cyan"))
        return table

    def _steps(self, steps: list[dict[str, Any]]) -> Text:
        words = [
            f"{step['escalations']} {step['from_tier']} → {step['to_tier']} ({step['reason']})"
            for step in steps[:4]
        ]
        return Text("escalations: " + ("; ".join(words) or "none yet"))

    def _footer(self) -> Text:
        reserved = Decimal(self.status["reserved_usd"])
        words = f"spent {dollars(Decimal(self.status['spent_usd']))}"
        if reserved:
            words += f", {dollars(reserved)} reserved for calls in flight"
        text = Text(words)
        if self.status["simulated"]:
            text.append(f"\n{SIMULATED}", style="yellow")
        return text
