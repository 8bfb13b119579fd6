"""Real worker processes in half a second: forked from a process that has imported everything.

Importing Celery, SQLAlchemy and the SDK takes seconds of CPU; a suite that kills a hundred workers
cannot pay that each time. The parent imports the libraries and nothing that reads settings, stays
single-threaded, and forks for each request. The child gets its environment, log and arguments,
reads its failpoint, and runs Celery's own command, as a process of its own with its own pid.
"""

import contextlib
import ctypes
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PRELOADED = (
    "anthropic",
    "celery.__main__",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.bin.worker",
    "celery.concurrency.thread",
    "celery.events.state",
    "celery.fixups.django",
    "kombu.transport.redis",
    "worker.lanes.process",
    "worker.cli.main",
)
PR_SET_PDEATHSIG = 1
CLONE_NEWNET = 0x40000000
CELERY = ("celery", "-A", "worker.app", "worker", "--loglevel", "INFO")
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")


class Zygote:
    """The parent's handle: asks for children and for how they ended."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        self._children: set[int] = set()

    def spawn(
        self,
        argv: Sequence[str],
        *,
        environ: Mapping[str, str],
        cwd: Path,
        log: Path,
        clock_s: float = 0.0,
        network: str | None = None,
    ) -> "Child":
        """Starts `argv` of Celery. `clock_s` is by how much its wall clock is wrong, `network` a
        namespace of `ip netns` that it lives in."""
        pid = int(
            self._ask(
                {
                    "argv": list(argv),
                    "environ": dict(environ),
                    "cwd": str(cwd),
                    "log": str(log),
                    "clock_s": clock_s,
                    "network": network,
                }
            )
        )
        self._children.add(pid)
        return Child(self, pid, log)

    def status(self, pid: int) -> int | None:
        """How a child ended: its exit status, negative for a signal; None while it runs."""
        status: int | None = self._ask({"poll": pid})
        if status is not None:
            self._children.discard(pid)
        return status

    def stop(self) -> None:
        """Kills what still runs, by pid, and ends."""
        for pid in list(self._children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _ask(self, request: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@dataclass(slots=True)
class Child:
    """A forked process. Its pid is not given to another before its end was asked for."""

    zygote: Zygote
    pid: int
    log: Path
    ended: int | None = None

    def poll(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        if self.ended is None:
            self.ended = self.zygote.status(self.pid)
        return self.ended

    def signal(self, number: int) -> None:
        """Sends a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def wait(self, timeout_s: float) -> int:
        """Its exit status. Raises TimeoutError."""
        deadline = time.monotonic() + timeout_s
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {self.pid} still runs after {timeout_s} s")
            time.sleep(0.02)
        return status

    def kill(self) -> None:
        """`kill -9`, and its end is seen."""
        self.signal(signal.SIGKILL)
        self.wait(10)


def main() -> None:
    """Forks for each line of stdin; answers on stdout."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for name in PRELOADED:
        importlib.import_module(name)
    for line in _lines():
        request = json.loads(line)
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = _fork(request)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _lines() -> Iterator[str]:
    """Lines of stdin, unbuffered, so that a child inherits none of them."""
    buffer = b""
    while data := os.read(0, 65536):
        buffer += data
        while b"\n" in buffer:
            line, _, buffer = buffer.partition(b"\n")
            yield line.decode()


def _fork(request: Mapping[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        _become(request)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        if isinstance(ended.code, str):
            sys.stderr.write(ended.code + "\n")
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _enter(network: str) -> None:
    """Moves this process into a network namespace (os.setns comes with Python 3.12)."""
    place = os.open(f"/run/netns/{network}", os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(place, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"cannot enter {network}")
    os.close(place)


def _become(request: Mapping[str, Any]) -> None:
    os.setsid()
    # A suite that is killed takes its workers with it: its end ends the parent, and that ends us.
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    out = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, target in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(number, target)
    if request["network"]:
        _enter(request["network"])
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    if offset := float(request["clock_s"]):
        real = time.time
        time.time = lambda: real() + offset
    # The failpoint was read when the parent imported the module; everybody who imported its
    # function looks into the same dictionary.
    importlib.reload(importlib.import_module("worker.failpoints"))
    sys.argv = list(request["argv"])
    importlib.import_module("celery.__main__").main()


if __name__ == "__main__":
    main()
