"""Faults, what becomes of them, and the servers that their tests share."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support import servers

RUN_ID = "RUNG_TEST_RUN"
NO_END, NOT_PUT_IN, DIED = "no end", "not put in", "died"
"""How a fault is seen where no assertion failed: its test goes on for ever, the module cannot be
loaded with it, the process ends."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where it is, what it does, how it is put into a process, and the tests that should
    see it, the quickest first."""

    area: str
    part: str
    """The package that the area is in, a row of the table."""
    name: str
    put_in: Callable[[], None]
    tests: Sequence[str]
    statement: str = ""
    """The text that it changes: the quick tests that run this text are asked first."""
    take_out: Callable[[], None] | None = None
    """Where it can be undone in the same process."""
    unharmed: Callable[[], None] = lambda: None
    """Puts in what was there, in the way in which the fault is put in: what fails then sees no
    fault."""

    @property
    def group(self) -> str:
        """Of the same group are faults that the same tests see, mostly."""
        return self.name.partition(" ")[0] if self.statement else self.area


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a fault. `by` is the test that saw it, empty when none did; `how` says how,
    where it did not simply fail. Seconds of wall time."""

    name: str
    area: str
    part: str
    by: str
    how: str
    seconds: float

    @property
    def said(self) -> str:
        """For people."""
        return f"seen by {self.by or self.how}" if self.is_seen else "NOT SEEN"

    @property
    def is_seen(self) -> bool:
        return self.by != "" or self.how != ""


def became(fault: Fault, seconds: float, by: str = "", how: str = "") -> Outcome:
    """The outcome of this fault."""
    return Outcome(fault.name, fault.area, fault.part, by, how, round(seconds, 2))


def ready_servers() -> str:
    """Servers for this run, which end with this process. Returns the run's name."""
    name = f"{os.getpid():010x}"
    os.environ[RUN_ID] = name
    servers.shared(name)
    return name
