"""Processes that `rung up` starts, and that must not outlive it.

On Linux the kernel ends them when their parent dies, however it dies. Elsewhere, and for what the
kernel has missed, `children.json` in RUNG_HOME names them: the next `rung up` ends what still runs.
"""

import contextlib
import ctypes
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worker.sandbox.home import owner_only

PYTHON = (sys.executable, "-P")
"""`-P`: nothing is imported from the working directory, where a `models` of yours may lie."""
FILE_NAME = "children.json"
PR_SET_PDEATHSIG = 1
END_WITHIN_S = 12.0
"""A worker that is told to hurry ends within 10 s."""
STOP_WITHIN_S = 1.5
"""A server that keeps nothing is ready to end at once; one that hangs is not waited for."""
LINUX = platform.system() == "Linux"
_LIBC = ctypes.CDLL(None) if LINUX else None


def ending_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """For `Popen(preexec_fn=…)`: the child gets this signal when the thread that starts it is gone.
    None where the system cannot do that."""
    if _LIBC is None:
        return None
    libc, parent = _LIBC, os.getpid()

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            os._exit(1)

    return ask


def end(process: "subprocess.Popen[Any]", within_s: float = STOP_WITHIN_S) -> None:
    """Asks a process to end, and kills it where it does not within so many seconds."""
    process.terminate()
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def remember(home: Path, pid: int) -> None:
    """Writes a child down, beside those that still run."""
    known = {**{p: at for p, at in _known(home) if started_at(p) == at}, pid: started_at(pid)}
    there, new = home / FILE_NAME, home / f"{FILE_NAME}.new"
    with open(new, "w", encoding="utf-8", opener=owner_only) as file:
        json.dump(list(known.items()), file)
    new.replace(there)


def end_leftovers(home: Path) -> list[int]:
    """Ends children of an earlier `rung up` that was killed; returns their pids."""
    left = [pid for pid, at in _known(home) if at is not None and started_at(pid) == at]
    for number, within_s in ((signal.SIGQUIT, END_WITHIN_S), (signal.SIGKILL, END_WITHIN_S)):
        running = [pid for pid in left if started_at(pid) is not None]
        for pid in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        wait_until_ended(running, within_s)
    (home / FILE_NAME).unlink(missing_ok=True)
    return left


def started_at(pid: int) -> str | None:
    """When a process began, in the system's own words: with its pid, that names it for good. None
    when it has ended."""
    try:
        if LINUX:
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
            return None if fields[0] in "ZX" else fields[19]
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        return found.stdout.strip() or None
    except OSError:
        return None


def _known(home: Path) -> list[tuple[int, str | None]]:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return [(int(pid), at) for pid, at in json.loads((home / FILE_NAME).read_text("utf-8"))]
    return []


def wait_until_ended(pids: list[int], within_s: float) -> None:
    """Returns when none of them runs any more, or after so many seconds."""
    deadline = time.monotonic() + within_s
    while any(started_at(pid) is not None for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
