"""Real processes for tests: started in their own group, ended by pid whatever happens."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

RUNG = (sys.executable, "-c", "from worker.cli.main import run; run()")


def clean_environ(**changes: str) -> dict[str, str]:
    """This environment without anybody's services, plus `changes`."""
    dropped = ("DATABASE_URL", "REDIS_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith("RUNG_")
    }
    return {**kept, "NO_COLOR": "1", "COLUMNS": "120", **changes}


@contextlib.contextmanager
def process(
    command: Sequence[str], *, log: Path, environ: Mapping[str, str], cwd: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A running process whose output goes to `log`; asked to end, then killed."""
    with log.open("wb") as out:
        started = subprocess.Popen(
            list(command),
            stdout=out,
            stderr=out,
            env=dict(environ),
            cwd=cwd,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(30)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def rung(
    *arguments: str,
    environ: Mapping[str, str],
    cwd: Path,
    timeout_s: float = 120,
    command: Sequence[str] = RUNG,
) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        [*command, *arguments],
        env=dict(environ),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def children_of(pid: int, containing: str) -> list[int]:
    """Pids of the descendants of `pid` whose command line contains a text."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError, ValueError):
            command = (
                (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            )
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == pid and containing in command:
                found.append(int(entry.name))
    return found
