"""Runs collected tests against one fault at a time, each in a fork of the process that collected
them: so nothing is imported or looked for again, and nothing of a fault stays.

The tests share one Postgres and one Redis, which outlive them. A fault is seen when a test fails,
or when one comes to no end that has one without the fault: then it has made a loop, or a wait, of
something.
"""

import contextlib
import io
import os
import select
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, Phase, settings

from tests.mutants.running import DIED, NO_END, NOT_PUT_IN, Fault, Outcome, became

LEAST_S, TIMES = 45.0, 10.0
"""A test has come to no end after this many seconds, and this many times what it took before."""
PROFILE = "mutants"
EXAMPLES = 40
"""Of each property. What fails is not made smaller."""
RED, GREEN = "red", "green"
settings.register_profile(
    PROFILE,
    deadline=None,
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, slots=True)
class End:
    """How the tests of a fork ended, and at which of them."""

    at: str
    how: str


class EachInAFork:
    """A plugin that runs the collected tests of each fault until one of them fails, first the one
    that saw it last time, then those that have seen a fault of the same area. One that fails
    without any fault sees nothing."""

    def __init__(
        self, faults: Iterable[Fault], told: Callable[[Outcome], None], before: Mapping[str, str]
    ) -> None:
        self._faults, self._told, self._before = faults, told, before
        self._sharp = defaultdict[str, list[str]](list)
        self._unsound = defaultdict[str, set[str]](set)
        self._took = dict[str, float]()
        self._items = list[pytest.Function]()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of pytest's own."""
        self._items = [item for item in session.items if isinstance(item, pytest.Function)]
        for fault in self._faults:
            began = time.monotonic()
            while (end := self._tried(fault)) is None:
                pass
            how = "" if end.how in (RED, GREEN) else end.how
            by = end.at if end.how in (RED, NO_END, DIED) else ""
            self._told(became(fault, time.monotonic() - began, by, how))
        return True

    def _tried(self, fault: Fault) -> End | None:
        """None when what failed does so without the fault as well, and is not asked again."""
        near = [item for test in fault.tests for item in self._items if _is_of(item, test)]
        sharp, unsound = self._sharp[fault.area], self._unsound[fault.area]
        known = (self._before.get(fault.name, ""), *sharp)
        first = [item for name in known for item in near if item.nodeid == name]
        order = dict.fromkeys(one for one in (*first, *near) if one.nodeid not in unsound)
        end = self._run(fault.put_in, list(order))
        if end.how in (RED, NO_END, DIED) and end.at not in sharp:
            alone = [item for item in near if item.nodeid == end.at]
            if self._run(fault.unharmed, alone).how != GREEN:
                unsound.add(end.at)
                return None
            if end.how == RED:
                sharp.insert(0, end.at)
        return end

    def _run(self, put_in: Callable[[], None], items: Sequence[pytest.Function]) -> End:
        pid, pipe = _fork(put_in, items)
        at, how, lines = "", "", b""
        began = time.monotonic()
        while not how:
            left = began + max(LEAST_S, TIMES * self._took.get(at, 0.0)) - time.monotonic()
            if not select.select([pipe], [], [], max(left, 0.0))[0]:
                how = NO_END
            elif not (said := os.read(pipe, 65_536)):
                how = DIED
            *whole, lines = (lines + said).split(b"\n") if not how else (b"",)
            for line in filter(None, whole):
                now = time.monotonic()
                if at:
                    self._took.setdefault(at, now - began)
                kind, _, told = line.decode().partition(" ")
                at, how, began = (told, "", now) if kind == "at" else (at, told, began)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(pipe)
        return End(at, how)


def _is_of(item: pytest.Function, test: str) -> bool:
    return item.nodeid.startswith((f"{test}::", f"{test.rstrip('/')}/"))


def _fork(put_in: Callable[[], None], items: Sequence[pytest.Function]) -> tuple[int, int]:
    """A process that says at which test it is and how it ended, and the pipe in which it does."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    os.setpgid(0, 0)
    how = NOT_PUT_IN
    try:
        put_in()
        how = DIED
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            how = GREEN if all(_passes(item, items, writing) for item in items) else RED
    except BaseException as error:
        how = how if how == DIED else f"{NOT_PUT_IN}: {type(error).__name__}"
    os.write(writing, f"end {how}\n".encode())
    os._exit(0)


def _passes(item: pytest.Function, items: Sequence[pytest.Function], writing: int) -> bool:
    os.write(writing, f"at {item.nodeid}\n".encode())
    place = items.index(item)
    beside = items[place + 1] if place + 1 < len(items) else None
    reports = runtestprotocol(item, log=False, nextitem=beside)
    return not any(report.failed for report in reports)


def run(
    faults: Iterable[Fault],
    tests: Sequence[str],
    told: Callable[[Outcome], None],
    before: Mapping[str, str],
) -> None:
    """Says what became of each fault; `tests` are those of all of them, `before` which one saw a
    fault last time, by its name. Raises AssertionError where the tests cannot be collected."""
    trying = EachInAFork(faults, told, before)
    said = io.StringIO()
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "-W", "default"]
    options += ["--hypothesis-profile", PROFILE]
    with contextlib.redirect_stdout(said):
        status = pytest.main([*options, *tests], plugins=[trying])
    assert status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED), said.getvalue()
