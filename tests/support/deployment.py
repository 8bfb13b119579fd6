"""A deployment in small: given addresses, a worker process of its own, and messages through it."""

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from tests.support import parts, processes
from tests.support.checker import Checker, ledger_against
from tests.support.processes import clean_environ
from tests.support.waiting import eventually
from worker.sandbox.simulator.server import running as simulating
from worker.sandbox.simulator.state import State
from worker.store.engine import make_engine

CELERY = ["-m", "celery", "-A", "worker.app", "worker", "-l", "INFO"]
QUIET = ["--without-gossip", "--without-mingle"]
WITHIN_S = 300


@dataclass(kw_only=True)
class Deployment:
    """Addresses as its processes have them; `engine` looks straight at the database."""

    root: Path
    environ: dict[str, str]
    engine: Engine
    state: State
    handed_in: int = 0
    installed: Path | None = None
    """The directory of the programs of an installation; None is this checkout."""
    checker: Checker = field(default_factory=Checker)

    def rung(self, *words: str) -> Any:
        """`rung WORDS`."""
        command = [str(self.installed / "rung")] if self.installed else processes.RUNG
        how: Any = {"environ": self.environ, "cwd": self.root, "timeout_s": WITHIN_S}
        return processes.rung(*words, command=command, **how)

    @contextlib.contextmanager
    def worker(self, **environ: str) -> Iterator[Path]:
        """A worker of all queues, at work; its log."""
        log = self.root / f"worker-{len(list(self.root.glob('worker-*.log')))}.log"
        start = [sys.executable, *CELERY, *QUIET]
        if self.installed:
            start = [str(self.installed / "rung"), "worker"]
        command = [*start, "-n", f"{log.stem}@%h"]
        how = {"env": self.environ | environ, "cwd": self.root}
        with parts.running(command, log, **how) as process:
            up = lambda: "at work" in log.read_text() or process.poll() is not None  # noqa: E731
            eventually(up, within_s=WITHIN_S)
            assert process.poll() is None, log.read_text()[-3000:]
            yield log

    def hand_in(self, messages: int) -> None:
        """Adds so many messages by `rung enqueue`."""
        first = self.handed_in
        rows = [
            json.dumps({"external_id": f"m{n}", "body": f"Where is my card number {n}? Thank you."})
            for n in range(first, first + messages)
        ]
        (self.root / "backlog.jsonl").write_text("\n".join(rows))
        said = self.rung("enqueue", "backlog.jsonl", "--json")
        assert said.returncode == 0, said.stderr
        assert json.loads(said.stdout)["accepted"] == messages
        self.handed_in += messages

    def one(self, statement: str) -> Any:
        """The first column of a statement's first row."""
        with self.engine.connect() as connection:
            return connection.execute(text(statement)).scalar()

    def ended(self) -> int:
        """Jobs that have ended."""
        return int(self.one("SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL"))

    def until_all_ended(self, within_s: float = WITHIN_S) -> None:
        """Waits for every message, and checks every promise and the ledger."""
        eventually(lambda: self.ended() >= self.handed_in, within_s=within_s)
        at_rest = "NOT EXISTS (SELECT FROM attempts WHERE outcome = 'started')"
        eventually(lambda: self.one(f"SELECT {at_rest}"))
        with self.engine.connect() as connection:
            found = self.checker.at_rest(connection)
            found += ledger_against(connection, self.state.counts.by_call)
        assert found == []


@contextlib.contextmanager
def deployment(
    root: Path,
    *,
    database: str,
    redis: str,
    straight: str,
    migrate: bool = True,
    installed: Path | None = None,
) -> Iterator[Deployment]:
    """One with a simulated Claude. `straight` is the database without what may stand in between."""
    state = State(latency_scale=0)
    with contextlib.ExitStack() as stack:
        claude = stack.enter_context(simulating(state))
        environ = clean_environ(
            DATABASE_URL=database,
            REDIS_URL=redis,
            ANTHROPIC_API_KEY="sk-test",
            ANTHROPIC_BASE_URL=claude,
            RUNG_HOME=str(root / ".rung"),
            RUNG_CANARY__ENABLED="false",
        )
        engine = make_engine(straight, pool_size=2)
        stack.callback(engine.dispose)
        made = Deployment(
            root=root, environ=environ, engine=engine, state=state, installed=installed
        )
        if migrate:
            said = made.rung("db", "upgrade")
            assert said.returncode == 0, said.stderr
        yield made
