"""Faults, what becomes of them, and the servers that their tests share."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support import servers

RUN_ID = "RUNG_TEST_RUN"


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
    unharmed: Callable[[], None] = lambda: None
    """Puts in what was there, in the way in which the fault is put in: what fails then sees no
    fault."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a fault. `by` is the test that failed, or what else ended it."""

    fault: Fault
    killed: bool
    by: str
    seconds: float


def ready_servers() -> str:
    """Servers for this run, which end with this process. Returns the run's name."""
    name = f"{os.getpid():010x}"
    os.environ[RUN_ID] = name
    servers.shared(name)
    return name
