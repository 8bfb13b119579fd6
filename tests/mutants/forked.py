"""Runs collected tests against one fault at a time, each in a fork of the process that collected
them: so nothing is imported or looked for again, and nothing of a fault stays.

The tests share one Postgres and one Redis, which outlive them. A fault is killed when a test fails,
or when the tests do not come to an end: then it has made a loop, or a wait, of something.
"""

import contextlib
import io
import os
import select
import signal
import time
from collections.abc import Callable, Sequence

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, Phase, settings

from tests.mutants.running import Fault, Outcome

SLOW_S = 150.0
"""Tests that take longer than this have met a fault that hangs."""
PROFILE = "mutants"
EXAMPLES = 40
"""Of each property. What fails is not made smaller."""
settings.register_profile(
    PROFILE,
    deadline=None,
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class EachInAFork:
    """A plugin that runs the collected tests of each fault until one of them fails, first those
    that have seen a fault of the same area. One that fails without any fault sees nothing."""

    def __init__(
        self, faults: Sequence[Fault], told: Callable[[Outcome], None], side_by_side: int
    ) -> None:
        self._waiting, self._told = list(reversed(faults)), told
        self._lanes = set(range(side_by_side))
        self._running = dict[int, tuple[Fault, int, float, int]]()
        self._sharp, self._unsound = dict[str, list[str]](), dict[str, set[str]]()
        self._items = list[pytest.Function]()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of pytest's own."""
        self._items = [item for item in session.items if isinstance(item, pytest.Function)]
        while self._waiting or self._running:
            while self._waiting and self._lanes:
                self._begin(self._waiting.pop(), self._lanes.pop())
            ready, _, _ = select.select(list(self._running), [], [], 1.0)
            now = time.monotonic()
            late = {p for p, (_, _, began, _) in self._running.items() if now - began > SLOW_S}
            for pipe in {*ready, *late}:
                self._end(pipe, hung=pipe not in ready)
        return True

    def _begin(self, fault: Fault, lane: int) -> None:
        sharp = self._sharp.setdefault(fault.area, [])
        near = [item for test in fault.tests for item in self._items if _is_of(item, test)]
        first = [item for name in sharp for item in near if item.nodeid == name]
        unsound = self._unsound.setdefault(fault.area, set())
        order = dict.fromkeys(one for one in (*first, *near) if one.nodeid not in unsound)
        pid, pipe = _fork(fault.put_in, list(order), lane)
        self._running[pipe] = (fault, pid, time.monotonic(), lane)

    def _end(self, pipe: int, *, hung: bool) -> None:
        fault, pid, began, lane = self._running.pop(pipe)
        by = _heard(pid, pipe, hung=hung)
        sharp, is_test = self._sharp[fault.area], "::" in by
        if is_test and by not in sharp and not self._is_sound(fault, by, lane):
            self._unsound[fault.area].add(by)
            self._waiting.append(fault)
        else:
            if is_test and by not in sharp:
                sharp.insert(0, by)
            self._told(Outcome(fault, by != "", by, time.monotonic() - began))
        self._lanes.add(lane)

    def _is_sound(self, fault: Fault, nodeid: str, lane: int) -> bool:
        """Whether the test passes without the fault."""
        items = [item for item in self._items if item.nodeid == nodeid]
        return _heard(*_fork(fault.unharmed, items, lane), hung=False) == ""


def _is_of(item: pytest.Function, test: str) -> bool:
    return item.nodeid.startswith((f"{test}::", f"{test.rstrip('/')}/"))


def _fork(
    put_in: Callable[[], None], items: Sequence[pytest.Function], lane: int
) -> tuple[int, int]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    os.setpgid(0, 0)
    os.environ["PYTEST_XDIST_WORKER"] = f"gw{lane}"
    told = "the fault could not be put in"
    try:
        put_in()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            told = next((item.nodeid for item in items if not _passes(item, items)), "")
    except BaseException as error:
        told = f"{told} ({type(error).__name__}: {error})"[:300]
    os.write(writing, told.encode()[:4_000] or b"\x00")
    os._exit(0)


def _heard(pid: int, pipe: int, *, hung: bool) -> str:
    """What ended the tests of a fork; empty when nothing did."""
    told = "no end" if hung else os.read(pipe, 4_096).decode() or "the process died"
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(pipe)
    return told.strip("\x00")


def _passes(item: pytest.Function, items: Sequence[pytest.Function]) -> bool:
    place = items.index(item)
    beside = items[place + 1] if place + 1 < len(items) else None
    reports = runtestprotocol(item, log=False, nextitem=beside)
    return not any(report.failed for report in reports)


def run(faults: Sequence[Fault], told: Callable[[Outcome], None], side_by_side: int) -> None:
    """Says what became of each fault. Raises AssertionError where the tests cannot be collected."""
    tests = list(dict.fromkeys(test for fault in faults for test in fault.tests))
    trying = EachInAFork(faults, told, side_by_side)
    said = io.StringIO()
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "-W", "default"]
    options += ["--hypothesis-profile", PROFILE]
    with contextlib.redirect_stdout(said):
        status = pytest.main([*options, *tests], plugins=[trying])
    assert status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED), said.getvalue()
