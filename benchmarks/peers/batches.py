"""`python -m benchmarks.peers.batches`: Rung's batch lane beside what one would use without it.

Every peer answers the same messages in Message Batches, at the tier haiku, against the same
simulator. Once to the end: CPU, wall time, memory. Once more until everything is at Claude, then
`kill -9` and another start, to the end: how many requests Claude was sent altogether, for each
message. Rung's figures are its worker's, which had been running; Postgres is not in them.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks.backlogs import markdown
from benchmarks.house import House, house, start_worker
from benchmarks.peers.shared import WITHIN_S, asked, requests_for, until
from benchmarks.processes import ended, peak_mb
from models.vocabulary import Lane
from worker.sandbox.supervisor import worker_command
from worker.store.runs import RunRef

IN_FLIGHT = {"haiku": 64, "sonnet": 1, "opus": 1}
LATENCY_SCALE = 2.0
"""Batches that take some seconds, so that a kill meets them under way."""
HEADS = (
    "",
    "CPU ms a message",
    "CPU s to start",
    "wall s",
    "memory MB",
    "sent for each message, killed half-way",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPeer:
    """One peer's figures."""

    name: str
    cpu_ms: float
    start_s: float
    wall_s: float
    memory_mb: float
    sent: float

    def row(self) -> tuple[str, ...]:
        """For the table."""
        start_s = f"{self.start_s:.1f}"
        figures = (f"{self.cpu_ms:.2f}", start_s, f"{self.wall_s:.0f}", f"{self.memory_mb:.0f}")
        return (self.name, *figures, f"{self.sent:.2f}")


@dataclass(frozen=True, slots=True)
class BatchYard:
    """Where the peers run."""

    home: House
    directory: Path
    requests: Sequence[Mapping[str, Any]]
    start_s: float
    """CPU seconds of Rung's worker until it was at work."""

    def script(self, name: str, command: Sequence[str]) -> BatchPeer:
        """A peer that reads requests and writes a file."""
        start_s = ended(self._start(command, f"{name}-one", "one")).cpu_s
        began = time.monotonic()
        used = ended(self._start(command, f"{name}-whole"))
        wall_s, before = time.monotonic() - began, self._sent()
        killed = self._start(command, f"{name}-killed")
        until(lambda: self._sent() - before >= len(self.requests))
        killed.kill()
        killed.wait()
        ended(self._start(command, f"{name}-killed"))
        return BatchPeer(
            name=name,
            cpu_ms=1000 * (used.cpu_s - start_s) / len(self.requests),
            start_s=start_s,
            wall_s=wall_s,
            memory_mb=used.memory_mb,
            sent=(self._sent() - before) / len(self.requests),
        )

    def rung(self, stack: ExitStack) -> BatchPeer:
        """Rung itself; its worker is killed, and another takes its place."""
        count, before, began = len(self.requests), self.home.worker_cpu_s(), time.monotonic()
        self.home.wait_for(self._submitted("whole"), within_s=WITHIN_S)
        spent, wall_s = self.home.worker_cpu_s() - before, time.monotonic() - began
        memory_mb, sent = peak_mb(self.home.worker_pids[0]), self._sent()
        killed = self._submitted("killed", count)
        until(lambda: self._sent() - sent >= count)
        os.kill(self.home.worker_pids[0], 9)
        start_worker(stack, self.home.home, self.home.environ, worker_command("second"))
        self.home.wait_for(killed, within_s=WITHIN_S)
        return BatchPeer(
            name="Rung",
            cpu_ms=1000 * spent / count,
            start_s=self.start_s,
            wall_s=wall_s,
            memory_mb=memory_mb,
            sent=(self._sent() - sent) / count,
        )

    def _submitted(self, name: str, first: int = 0) -> RunRef:
        return self.home.hand_in(
            name, len(self.requests), first=first, policy="single:haiku", lane=Lane.BATCH
        )

    def _start(
        self, command: Sequence[str], output: str, given: str = "all"
    ) -> "subprocess.Popen[bytes]":
        words = [*command, self.home.simulator_url, str(self.directory / f"{output}.jsonl")]
        with (self.directory / f"{given}.asked").open("rb") as asked:
            return subprocess.Popen(words, stdin=asked)

    def _sent(self) -> int:
        return int(asked(self.home)["batch_items"])


@click.command()
@click.option("--messages", default=2_000, show_default=True, help="So many.")
@click.option("--batchlane", "theirs", help="A python that has batchlane; left out without one.")
def main(messages: int, theirs: str | None) -> None:
    """Rung's batch lane beside what one would use without it."""
    with (
        ExitStack() as stack,
        house(latency_scale=LATENCY_SCALE, in_flight=IN_FLIGHT) as home,
    ):
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        requests = requests_for(home, messages)
        lines = [f"{json.dumps(request)}\n" for request in requests]
        (directory / "all.asked").write_text("".join(lines), "utf-8")
        (directory / "one.asked").write_text(lines[0], "utf-8")
        yard = BatchYard(home, directory, requests, home.worker_cpu_s())
        found = [yard.script("the SDK", [sys.executable, "-m", "benchmarks.peers.sdk_batches"])]
        if theirs:
            script = str(Path(__file__).with_name("batchlane_run.py"))
            found.append(yard.script("batchlane", [theirs, script]))
        found.append(yard.rung(stack))
    click.echo(f"{messages:,} messages in Message Batches, SIMULATED Claude\n")
    click.echo(markdown(HEADS, [peer.row() for peer in found]))


if __name__ == "__main__":
    main()
