"""Runs tests against one fault at a time, each in a fork of a process that has everything loaded.

The tests share one Postgres and one Redis, which outlive them. A fault is killed when a test fails,
or when the tests do not come to an end: then it has made a loop, or a wait, of something.
"""

import contextlib
import io
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

RUN_ID = "RUNG_TEST_RUN"
SLOW_S = 150.0
"""Tests that take longer than this have met a fault that hangs."""
REMEMBERED = Path(".pytest_cache/mutants.json")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where it is, what it does, how it is put into a process, and the tests that should
    see it, the quickest first."""

    area: str
    name: str
    put_in: Callable[[], None]
    tests: Sequence[str]
    take_out: Callable[[], None] | None = None
    """Where it can be undone in the same process."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a fault. `by` is the test that failed, or what else ended it."""

    fault: Fault
    killed: bool
    by: str
    seconds: float


class FirstFailure:
    """A plugin of pytest that remembers the first test that failed."""

    def __init__(self) -> None:
        self.nodeid = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.nodeid:
            self.nodeid = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.nodeid:
            self.nodeid = report.nodeid or "collection"


def outcomes(faults: Sequence[Fault], side_by_side: int) -> Iterator[Outcome]:
    """Runs every fault; outcomes as they come. What killed a fault of the same area the last time
    is run first."""
    known: dict[str, str] = {}
    if REMEMBERED.exists():
        known = json.loads(REMEMBERED.read_text())
    waiting, running = list(reversed(faults)), dict[int, tuple[Fault, int, float, int]]()
    lanes = set(range(side_by_side))
    while waiting or running:
        while waiting and lanes:
            fault, lane = waiting.pop(), lanes.pop()
            pid, pipe = _begun(fault, lane, known.get(fault.name) or known.get(fault.area))
            running[pipe] = (fault, pid, time.monotonic(), lane)
        ready, _, _ = select.select(list(running), [], [], 1.0)
        late = [p for p, (_, _, at, _) in running.items() if time.monotonic() - at > SLOW_S]
        for pipe in {*ready, *late}:
            fault, pid, began, lane = running.pop(pipe)
            told = "no end" if pipe in late and pipe not in ready else os.read(pipe, 4_096).decode()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(pipe)
            lanes.add(lane)
            killed = told != "survived"
            if killed and "::" in told:
                known[fault.name] = known[fault.area] = told
            yield Outcome(fault, killed, told or "the process died", time.monotonic() - began)
    REMEMBERED.parent.mkdir(exist_ok=True)
    REMEMBERED.write_text(json.dumps(known))


def _begun(fault: Fault, lane: int, first: str | None) -> tuple[int, int]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    os.setpgid(0, 0)
    os.environ["PYTEST_XDIST_WORKER"] = f"gw{lane}"
    told = "the fault could not be put in"
    try:
        fault.put_in()
        told = _tried(fault, first)
    except BaseException as error:
        told = f"{told} ({type(error).__name__}: {error})"[:300]
    os.write(writing, told.encode()[:4_000])
    os._exit(0)


def _tried(fault: Fault, first: str | None) -> str:
    tests = [*([first] if first else []), *(one for one in fault.tests if one != first)]
    for chosen in ([tests[0]], tests[1:]):
        if not chosen:
            continue
        seen = FirstFailure()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "-W"]
            status = pytest.main([*options, "default", *chosen], plugins=[seen])
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return seen.nodeid or f"pytest ended with {status}"
    return "survived"


def ready_servers() -> str:
    """Servers for this run, by a process of their own, so that no fork holds their pipes. Returns
    the run's name."""
    name = f"{os.getpid():010x}"
    os.environ[RUN_ID] = name
    pid = os.fork()
    if not pid:
        from tests.support import servers

        servers.shared(name)
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(pid, 0)
    return name
