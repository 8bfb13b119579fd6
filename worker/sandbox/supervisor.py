"""Runs worker processes and keeps them running.

A worker that dies is started again, and what it held is rescued at once: its supervisor has seen
it end, so nobody has to wait for its leases.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from worker.sandbox.children import PYTHON, ending_with_parent, remember
from worker.sandbox.home import owner_only
from worker.store.queue.presence import workers_of
from worker.store.queue.rescue import rescue_from

RESTART_AFTER_S = 1.0
RESCUE_WITHIN_S = 5.0
CLEAN = (0, -signal.SIGTERM)
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True, kw_only=True)
class Child:
    """A process that is to be running."""

    name: str
    command: Sequence[str]
    ended_by: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    environ: Mapping[str, str] = field(default_factory=dict)
    """Beside that of all; nobody else's to see."""
    inherits: Sequence[int] = ()
    """File descriptors that it is handed, however often it is started."""


@dataclass(slots=True)
class Supervisor:
    """Starts children, restarts those that die, and ends them all."""

    environ: Mapping[str, str]
    home: Path
    children: list[Child] = field(default_factory=list)

    @property
    def logs(self) -> Path:
        """Where the output of each child goes."""
        return self.home / "logs"

    def add(
        self,
        name: str,
        command: Sequence[str],
        ended_by: signal.Signals = signal.SIGTERM,
        environ: Mapping[str, str] = NOTHING,
        inherits: Sequence[int] = (),
    ) -> Child:
        """Starts a child, with `environ` and file descriptors of its own; its output goes to
        `logs/NAME.log`. `ended_by` is what it gets when this process is killed."""
        child = Child(
            name=name, command=command, ended_by=ended_by, environ=environ, inherits=inherits
        )
        self.children.append(child)
        self._start(child)
        return child

    def _start(self, child: Child) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        self.logs.chmod(0o700)
        with open(self.logs / f"{child.name}.log", "ab", opener=owner_only) as log:
            child.process = subprocess.Popen(
                list(child.command),
                env={**self.environ, **child.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C must reach the supervisor, which then ends its children in order.
                start_new_session=True,
                pass_fds=child.inherits,
                preexec_fn=ending_with_parent(child.ended_by),
            )
        remember(self.home, child.process.pid)
        child.started = time.monotonic()

    def look(self, engine: Engine | None) -> list[str]:
        """Restarts what has died; returns what happened, in words."""
        said = []
        for child in self.children:
            process = child.process
            if process is None or process.poll() is None:
                continue
            if time.monotonic() - child.started < RESTART_AFTER_S:
                continue
            rescued = self._rescue(engine, process.pid)
            self._start(child)
            words = f"{child.name} ended ({_how(process.returncode)}) and was started again"
            said.append(f"{words}; {rescued} calls rescued" if rescued else words)
        return said

    def _rescue(self, engine: Engine | None, pid: int) -> int:
        """How many calls; none where Postgres does not answer in time: leases end by themselves."""
        if engine is None:
            return 0
        found: Future[int] = Future()

        def rescue() -> None:
            try:
                found.set_result(rescue_from(engine, workers_of(engine, pid)))
            except DBAPIError:
                found.set_result(0)

        # In a thread of its own: a Postgres that hangs must not keep whoever looks after the rest.
        threading.Thread(target=rescue, name="rescue", daemon=True).start()
        with contextlib.suppress(TimeoutError):
            return found.result(RESCUE_WITHIN_S)
        return 0

    def stop(self, timeout_s: float) -> bool:
        """Asks every child to finish (SIGTERM), and ends those that take too long. Returns whether
        all of them could finish what they had begun."""
        alive = [c.process for c in self.children if c.process and c.process.poll() is None]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + timeout_s
        for process in alive:
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return all(process.returncode in CLEAN for process in alive)


def worker_command(name: str) -> list[str]:
    """A Celery worker of all queues."""
    return [
        *(*PYTHON, "-m", "rung", "worker", "-n", f"{name}@%h"),
    ]


def dashboard_command(fd: int) -> list[str]:
    """The dashboard, at a socket that listens on loopback and that it inherits."""
    return [*PYTHON, "-m", "rung", "dashboard", "--host", "127.0.0.1", "--fd", str(fd)]


def scheduler_command() -> list[str]:
    """Celery beat; the command `celery` itself would look in the working directory first."""
    start = "from worker.app import app; app.start(['beat', '--loglevel', 'WARNING'])"
    return [*PYTHON, "-c", start]


def _how(status: int) -> str:
    """`signal 9` or `exit 1`."""
    if status < 0:
        return signal.Signals(-status).name
    return f"exit {status}"


def environment(**changes: str) -> dict[str, str]:
    """This process's environment, with the services' addresses in it."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", **changes}
