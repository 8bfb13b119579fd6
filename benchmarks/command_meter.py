"""What a command takes: the clock, CPU of its process and of Postgres, and memory at its most."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile

from benchmarks.processes import waited_for

FINE = (0, 1, 3)
"""Exit codes of a command that did what it was asked: a certificate may be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Of one command. `postgres_s` is the CPU of its statements, `peak_mb` the most memory that the
    process had; `failed` is what it said last, where it did not do what it was asked."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    postgres_s: float = 0.0
    failed: str = ""


def take(words: Sequence[str], environ: Mapping[str, str], within_s: float) -> Taken:
    """Runs `rung WORDS` once; Postgres is not looked at. One that takes longer is ended."""
    began = time.monotonic()
    with TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker.cli", *words],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        late = threading.Timer(within_s, process.kill)
        late.start()
        used = waited_for(process)
        late.cancel()
        failed = ""
        if process.returncode == -signal.SIGKILL:
            failed = f"not within {within_s:.0f} s"
        elif process.returncode not in FINE:
            said.seek(0)
            failed = said.read().decode("utf-8", "replace").strip()[-200:]
    return Taken(
        wall_s=time.monotonic() - began,
        cpu_s=used.cpu_s,
        peak_mb=used.memory_mb,
        failed=failed,
    )


def table(found: Mapping[str, Sequence[Taken]], sizes: Sequence[int]) -> Iterator[str]:
    """Small and large beside one another, in the order of asking. `÷` is of Postgres's CPU and the
    command's together."""
    few, many = (f"{size:,}" for size in sizes)
    yield f"| command | clock, s, at {few} and {many} | CPU, s | Postgres's CPU, s | ÷ | MB |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for name, (small, large) in found.items():
        ratio = (large.cpu_s + large.postgres_s) / max(small.cpu_s + small.postgres_s, 0.01)
        pairs = (
            f"{small.wall_s:.1f} · {large.wall_s:.1f}",
            f"{small.cpu_s:.2f} · {large.cpu_s:.2f}",
            f"{small.postgres_s:.3f} · {large.postgres_s:.3f}",
            f"{ratio:.2f}",
            f"{small.peak_mb:.0f} · {large.peak_mb:.0f}",
        )
        failed = large.failed or small.failed
        yield f"| `rung {name}` | {' | '.join(pairs)} |" + (f" {failed}" if failed else "")
