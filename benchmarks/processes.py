"""CPU time of one process, and of the machine. Linux only: read from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system seconds of a process and all of its threads, to a hundredth. Children do
    not count. Raises OSError when it has ended."""
    after_name = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS


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
