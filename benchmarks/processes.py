"""CPU time of one process, and of the machine. Linux only: read from /proc."""

import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_LOOK_EVERY_S = 0.02


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


def peak_mb(pid: int) -> float:
    """The most memory that a process had, in MiB. Raises OSError when it has ended."""
    status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    # One that has ended, and that nobody has waited for, has no memory any more.
    known = status.partition("VmHWM:")[2].split()
    return int(known[0]) / 1024 if known else 0.0


@dataclass(frozen=True, slots=True)
class Used:
    """What a process came to."""

    cpu_s: float
    memory_mb: float


def ended(process: "subprocess.Popen[bytes]") -> Used:
    """Waits for a process that ends by itself. Raises RuntimeError when it did not end well."""
    used = waited_for(process)
    if process.returncode > 0:
        raise RuntimeError(f"{process.args!r} ended with exit code {process.returncode}")
    return used


def waited_for(process: "subprocess.Popen[bytes]") -> Used:
    """What a process came to until it ended, in whatever way."""
    peak, still = 0.0, os.WEXITED | os.WNOHANG | os.WNOWAIT
    # Its memory is looked at meanwhile: `ru_maxrss` begins with that of whoever started it.
    while os.waitid(os.P_PID, process.pid, still) is None:
        peak = max(peak, peak_mb(process.pid))
        time.sleep(_LOOK_EVERY_S)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Used(used.ru_utime + used.ru_stime, peak)


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
