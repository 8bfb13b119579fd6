"""Where the peers run, and what each came to."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import text

from benchmarks.house import House
from benchmarks.peers.shared import WITHIN_S, asked, until
from benchmarks.processes import Used, ended, peak_mb
from worker.config.redis_address import read_redis

IN_FLIGHT = 64
TASKS = "benchmarks.peers.tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One peer's figures."""

    name: str
    cpu_ms: float
    start_s: float
    wall_s: float
    memory_mb: float
    paid: int
    """Calls that Claude had answered when the process was killed."""
    kept: int

    def row(self) -> tuple[str, ...]:
        """For the table."""
        kept = f"{self.kept:,} of {self.paid:,}"
        return (
            self.name,
            f"{self.cpu_ms:.2f}",
            f"{self.start_s:.1f}",
            f"{self.wall_s:.0f}",
            f"{self.memory_mb:.0f}",
            kept,
        )


@dataclass(frozen=True, slots=True)
class Yard:
    """Where the peers run."""

    home: House
    directory: Path
    requests: Sequence[Mapping[str, Any]]
    start_s: float
    """CPU seconds of Rung's worker until it was at work."""

    def script(self, name: str, command: Sequence[str] = (), heads: int = 0) -> Peer:
        """A peer that reads requests and writes a file, the first `heads` lines of which are no
        answers. Without `command` it is the module of that name."""
        words = [*command] or [sys.executable, "-m", f"benchmarks.peers.{name}"]
        whole, half = self.directory / f"{name}.jsonl", self.directory / f"{name}-killed.jsonl"
        start = ended(self._start(words, self.directory / f"{name}-one.jsonl", "one"))
        began = time.monotonic()
        used = ended(self._start(words, whole))
        wall_s = time.monotonic() - began
        killed = self._start(words, half)
        paid = self.until_half()
        killed.kill()
        killed.wait()
        kept = len(half.read_bytes().splitlines()) - heads if half.exists() else 0
        return self._peer(name, start.cpu_s, used, wall_s, paid=paid, kept=kept)

    def tasks(self) -> Peer:
        """One Celery task for each message."""
        answers = redis.Redis.from_url(self.home.environ["REDIS_URL"])

        def worked_off(name: str, count: int) -> Used:
            self._enqueue(name)
            worker = self._worker()
            until(lambda: int(answers.hlen("peer:answers")) >= count)
            worker.terminate()
            answers.flushdb()
            return ended(worker)

        start = worked_off("one", 1)
        began = time.monotonic()
        used = worked_off("requests", len(self.requests))
        wall_s = time.monotonic() - began
        self._enqueue("requests")
        worker = self._worker()
        paid = self.until_half()
        worker.kill()
        worker.wait()
        kept = int(answers.hlen("peer:answers"))
        answers.flushdb()
        answers.close()
        name = "a Celery task each"
        return self._peer(name, start.cpu_s, used, wall_s, paid=paid, kept=kept)

    def rung(self) -> Peer:
        """Rung itself, whose worker has been running for a while."""
        count, before, began = len(self.requests), self.home.worker_cpu_s(), time.monotonic()
        run = self.home.hand_in("peers", count, policy="single:haiku")
        self.home.wait_for(run, within_s=WITHIN_S)
        cpu_s, wall_s = self.home.worker_cpu_s() - before, time.monotonic() - began
        used = Used(self.start_s + cpu_s, peak_mb(self.home.worker_pids[0]))
        killed = self.home.hand_in("killed", count, first=count, policy="single:haiku")
        paid = self.until_half()
        os.kill(self.home.worker_pids[0], 9)
        time.sleep(1)
        with self.home.engine.connect() as connection:
            kept = int(connection.execute(KEPT, {"run": killed.id}).scalar_one())
        return self._peer("Rung", self.start_s, used, wall_s, paid=paid, kept=kept)

    def until_half(self) -> int:
        """Waits for half of the calls; how many were answered."""
        start = self._answered()
        until(lambda: self._answered() - start >= len(self.requests) // 2)
        return self._answered() - start

    def _answered(self) -> int:
        return int(asked(self.home)["by_status"].get("200", 0))

    def _peer(
        self, name: str, start_s: float, used: Used, wall_s: float, *, paid: int, kept: int
    ) -> Peer:
        return Peer(
            name=name,
            cpu_ms=1000 * (used.cpu_s - start_s) / len(self.requests),
            start_s=start_s,
            wall_s=wall_s,
            memory_mb=used.memory_mb,
            paid=paid,
            kept=kept,
        )

    def _start(
        self, command: Sequence[str], output: Path, given: str = "requests"
    ) -> "subprocess.Popen[bytes]":
        words = [*command, self.home.simulator_url, str(IN_FLIGHT), str(output)]
        with (self.directory / f"{given}.asked").open("rb") as requests:
            return subprocess.Popen(words, stdin=requests)

    def _worker(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "celery", "-A", TASKS, "worker", "-c", str(IN_FLIGHT)]
        quiet = ["--without-gossip", "--without-mingle", "-l", "ERROR"]
        return subprocess.Popen(
            [*command, *quiet],
            env=self._environ(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _enqueue(self, given: str) -> None:
        code = (
            "import json, sys; from benchmarks.peers.tasks import answer\n"
            "for n, line in enumerate(sys.stdin): answer.delay(n, json.loads(line))"
        )
        with (self.directory / f"{given}.asked").open("rb") as requests:
            subprocess.run(
                [sys.executable, "-c", code], stdin=requests, env=self._environ(), check=True
            )

    def _environ(self) -> dict[str, str]:
        environ = self.home.environ
        return {
            **environ,
            "PEER_REDIS": environ["REDIS_URL"],
            "PEER_BROKER": read_redis(environ["REDIS_URL"]).broker_url,
            "PEER_CLAUDE": self.home.simulator_url,
        }


KEPT = text("""
SELECT count(*) FROM results AS r JOIN jobs AS j ON j.id = r.job_id WHERE j.run_id = :run
""")
