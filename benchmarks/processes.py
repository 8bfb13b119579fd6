"""CPU time of one process, and of the machine. Linux only: read from /proc."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system seconds of a process and all of its threads, to a hundredth. Children do
    not count. Raises OSError when it has ended."""
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS


def tree_cpu_s(pid: int) -> float:
    """As `cpu_s`, with the children of the process: those that run, and those that have ended."""
    running = 0.0
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if int(entry.name) != pid and _fields(int(entry.name))[1] == str(pid):
                running += cpu_s(int(entry.name))
    return sum(map(int, _fields(pid)[11:15])) / _TICKS + running


def parent_of(pid: int) -> int:
    """The process that started this one. Raises OSError when it has ended."""
    return int(_fields(pid)[1])


def _fields(pid: int) -> list[str]:
    """What /proc says of a process, from its state on."""
    return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()


@dataclass(frozen=True, slots=True)
class Machine:
    """Ticks of all processors since boot."""

    busy: int
    total: int

    def busy_share_since(self, before: "Machine") -> float:
        """Share of the machine's CPU time that was used since, by anybody."""
        return (self.busy - before.busy) / max(self.total - before.total, 1)


def machine() -> Machine:
    """As it stands now."""
    ticks = [
        int(part) for part in Path("/proc/stat").read_text("ascii").split("\n")[0].split()[1:9]
    ]
    idle = ticks[3] + ticks[4]
    return Machine(sum(ticks) - idle, sum(ticks))
