"""A house to break things in: a database, a Redis, a simulated Claude, worker processes, a proxy
on every line between them, and a tally of what a fault cost.
"""

import contextlib
import os
import random
import signal
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from sqlalchemy import Engine, text

from models.vocabulary import Lane
from tests.support.checker import TERMINAL, Checker, ledger_against, text_outside
from tests.support.hosts import Host
from tests.support.processes import clean_environ
from tests.support.proxy import Proxy
from tests.support.waiting import eventually
from tests.support.works import hand_in, settings_for
from tests.support.zygote import CELERY, QUIET, Child, Zygote
from worker.config.settings import Settings
from worker.sandbox.redis import Redis
from worker.sandbox.simulator.state import State
from worker.store.runs import RunRef

SETTLE_S = 90.0
DEFERRED_S = 0.3
"""Backoff of a deferred job is cut to this, or every scenario would wait for it."""


@dataclass(slots=True)
class Tally:
    """What a scenario did and what it cost."""

    faults: int = 0
    wasted: int = 0
    recover_s: float = 0.0
    seconds: float = 0.0


@dataclass(slots=True)
class House:
    """One database with everything around it. Made by `household.house`."""

    root: Path
    database_url: str
    engine: Engine
    redis_server: Redis
    state: State
    claude_url: str
    lines: Mapping[str, Proxy]
    """Proxies on the workers' lines to `claude`, `redis` and `postgres`."""
    zygote: Zygote
    chance: random.Random
    settings: Mapping[str, Any] = field(default_factory=dict)
    workers: list[Child] = field(default_factory=list)
    checker: Checker = field(default_factory=Checker)
    tally: Tally = field(default_factory=Tally)
    plant: str = field(default_factory=lambda: f"quincunx-{uuid.uuid4().hex[:8]}")
    healed_at: float | None = None
    runs: list[RunRef] = field(default_factory=list)
    redis_password: str | None = None
    call_s: float = 0.2
    """Seconds that a call takes, so that a fault meets work that is under way."""

    # -- worker processes ------------------------------------------------------------------

    def environ(self, host: Host | None = None) -> dict[str, str]:
        """A worker's: everything through the proxies, those of its host."""
        postgres = urlsplit(self.database_url)
        there, lines = (host.gateway, host.lines) if host else ("127.0.0.1", self.lines)
        return clean_environ(
            DATABASE_URL=f"postgresql://{postgres.username}@{there}:"
            f"{lines['postgres'].port}{postgres.path}",
            REDIS_URL=f"redis://{there}:{lines['redis'].port}/0",
            ANTHROPIC_API_KEY="sk-test",
            ANTHROPIC_BASE_URL=f"http://{there}:{lines['claude'].port}",
            RUNG_HOME=str(self.root / ".rung"),
            TMPDIR=str(self.root / "tmp"),
            **{f"RUNG_{name.upper()}": str(value) for name, value in self.settings.items()},
        )

    def start(
        self,
        *,
        failpoint: str | None = None,
        queues: str | None = None,
        clock_s: float = 0.0,
        host: Host | None = None,
    ) -> Child:
        """A worker, not yet at work."""
        name = f"w{len(self.workers)}"
        log = self.root / "logs" / f"{name}.log"
        log.touch()
        environ = self.environ(host) | ({"RUNG_FAILPOINT": failpoint} if failpoint else {})
        argv = [*CELERY, *QUIET, "-n", f"{name}@{self.root.name}"]
        argv += ["-Q", queues] if queues else []
        network = host.name if host else None
        child = self.zygote.spawn(
            argv, environ=environ, cwd=self.root, log=log, clock_s=clock_s, network=network
        )
        self.workers.append(child)
        return child

    def at_work(self, child: Child) -> Child:
        """Waits until a worker consumes and keeps house."""
        eventually(
            lambda: "at work" in child.log.read_text() or child.poll() is not None, within_s=60
        )
        assert child.poll() is None, child.log.read_text()[-2000:]
        return child

    def alive(self) -> list[Child]:
        """Workers whose processes run."""
        return [worker for worker in self.workers if worker.poll() is None]

    def kill(self, child: Child | None = None) -> None:
        """`kill -9` of a worker; one of the living by chance."""
        (child or self.chance.choice(self.alive())).kill()
        self.fault()

    def died(self, child: Child) -> None:
        """Waits for a worker to end at its failpoint."""
        child.wait(30)
        assert child.ended == 137, child.log.read_text()[-2000:]
        self.fault()

    @contextlib.contextmanager
    def frozen(self, child: Child) -> Iterator[None]:
        """The worker stands still, and does not know it."""
        child.signal(signal.SIGSTOP)
        self.tally.faults += 1
        try:
            yield
        finally:
            child.signal(signal.SIGCONT)
            self.healed()

    # -- faults ----------------------------------------------------------------------------

    def fault(self, number: int = 1) -> None:
        """Counts what was injected. Recovery is timed from the last fault or its end."""
        self.tally.faults += number
        self.healed_at = time.monotonic()

    def healed(self) -> None:
        """The fault is over: recovery is timed from here."""
        self.healed_at = time.monotonic()

    @contextlib.contextmanager
    def toxic(self, line: str, kind: Any, **how: Any) -> Iterator[Proxy]:
        """A line with a fault."""
        proxy = self.lines[line]
        proxy.set(kind, **how)
        self.tally.faults += 1
        try:
            yield proxy
        finally:
            proxy.set("pass")
            self.healed()

    def moods(self, *moods: Mapping[str, Any]) -> None:
        """The simulator's moods; every answer also carries planted text back."""
        reply = (
            f"Thank you for writing about {self.plant}. Our team has looked into your question"
            " about the card, and you will find its state in your account at any time."
        )
        planted = {"match": {"purpose": "answer"}, "do": {"merge": {"reply": reply}}}
        steady = {"match": {}, "do": {"slow": self.call_s}}
        self.state.moods.replace([*moods, planted, steady])

    def redis_client(self) -> redis.Redis:
        """Straight to the server."""
        return redis.Redis.from_url(self.redis_server.url, password=self.redis_password)

    # -- work ------------------------------------------------------------------------------

    def hand_in(
        self,
        jobs: int,
        *,
        policy: str | None = None,
        cap: Decimal | None = None,
        words: str = "",
        lane: str = "realtime",
    ) -> RunRef:
        """A run of messages with planted text in every field."""
        name = f"run-{len(self.runs)}"
        bodies = [
            f"Where is my card? It was due on day {n} of {name}. {words} {self.plant}"
            for n in range(jobs)
        ]
        run = hand_in(
            self.engine,
            self.priced(),
            bodies,
            policy=policy,
            cap=cap,
            name=name,
            lane=Lane(lane),
            subject=f"About {self.plant}",
            customer_id=f"customer-{self.plant}",
            metadata={"note": self.plant},
        )
        self.runs.append(run)
        return run

    def priced(self) -> Settings:
        """Settings to make a bill with."""
        return settings_for(self.database_url, self.claude_url)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """Runs a statement in a transaction; its rows, if it has any."""
        with self.engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []

    def one(self, statement: str, **values: Any) -> Any:
        """The first column of a statement's first row."""
        return self.sql(statement, **values)[0][0]

    def until(self, condition: str, within_s: float = 30) -> None:
        """Waits until a condition of SQL is true."""
        eventually(lambda: self.one(f"SELECT {condition}"), within_s=within_s, every_s=0.03)

    def asked(self, number: int) -> None:
        """Waits until Claude was asked so many times more."""
        wanted = self.state.counts.by_path["/v1/messages"] + number
        eventually(lambda: self.state.counts.by_path["/v1/messages"] >= wanted, every_s=0.01)

    def settle(self, *, resting: str | None = None, within_s: float = SETTLE_S) -> None:
        """Waits until every job has ended (or rests as `resting` says, in SQL) and nothing is in
        flight. Workers that died are started again; waiting after a deferral is cut short."""
        rest = resting or "NOT EXISTS (SELECT FROM jobs WHERE finished_at IS NULL)"
        quiet = (
            "NOT EXISTS (SELECT FROM attempts WHERE outcome = 'started')"
            " AND NOT EXISTS (SELECT FROM jobs WHERE lease_until IS NOT NULL)"
        )
        deadline = time.monotonic() + within_s
        while not self.one(f"SELECT {rest} AND {quiet}"):
            assert time.monotonic() < deadline, self.story()
            if not self.alive():
                self.start()
            self.sql(
                "UPDATE jobs SET available_at = now() + make_interval(secs => :soon)"
                " WHERE lease_until IS NULL AND finished_at IS NULL"
                " AND available_at > now() + make_interval(secs => :soon)",
                soon=DEFERRED_S,
            )
            self.sql("UPDATE tiers SET breaker_until = now() WHERE breaker_until > now()")
            time.sleep(0.05)
        if self.healed_at is not None:
            self.tally.recover_s = max(time.monotonic() - self.healed_at, 0.0)

    def story(self) -> str:
        """Where everything stands, for a failure's message."""
        states = self.sql("SELECT state, coalesce(tier, ''), count(*) FROM jobs GROUP BY 1, 2")
        attempts = self.sql("SELECT outcome, reasons, count(*) FROM attempts GROUP BY 1, 2")
        tiers = self.sql("SELECT name, paused, paused_reason, breaker FROM tiers")
        logs = "".join(worker.log.read_text()[-1500:] for worker in self.workers[-2:])
        return f"jobs {states}\nattempts {attempts}\ntiers {tiers}\n{logs}"

    def states(self) -> dict[str, int]:
        """How many jobs are in which state."""
        return {row[0]: row[1] for row in self.sql("SELECT state, count(*) FROM jobs GROUP BY 1")}

    # -- the check -------------------------------------------------------------------------

    def check(self, allowed: tuple[str, ...] = TERMINAL) -> None:
        """Every promise. Raises AssertionError with all that is broken."""
        self.checker.allowed = allowed
        pids = [os.getpid(), *(worker.pid for worker in self.alive())]
        with self.engine.connect() as connection:
            found = self.checker.at_rest(connection)
            found += ledger_against(connection, self.state.counts.by_call)
        found += text_outside([self.plant], files=self.root, redis_url=self._redis_url(), pids=pids)
        self.tally.wasted = self.wasted()
        assert found == [], "\n".join([*found, self.story()])

    def _redis_url(self) -> str:
        if self.redis_password is None:
            return self.redis_server.url
        return self.redis_server.url.replace("redis://", f"redis://:{self.redis_password}@")

    def wasted(self) -> int:
        """Calls that were (or may have been) paid for and brought nothing."""
        return int(
            self.one(
                "SELECT count(*) FROM calls JOIN attempts USING (job_id, fence)"
                " WHERE calls.state = 'lost' OR attempts.outcome = 'superseded'"
            )
        )
