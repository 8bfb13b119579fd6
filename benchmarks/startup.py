"""How long a command takes to say anything, on the wall clock."""

import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.figures import Figure, Finding
from benchmarks.house import database

TARGET_S = 0.5
TIMES = 7


def run(*, quick: bool = False) -> Finding:
    """Medians of `rung --help` and `rung status`, and what Python alone takes."""
    rung = str(Path(sys.executable).with_name("rung"))
    with database() as environ:
        python = _median_s([sys.executable, "-c", "pass"], environ)
        help_s = _median_s([rung, "--help"], environ)
        status_s = _median_s([rung, "status"], environ)
    return Finding(
        "startup",
        (
            Figure("rung --help", help_s, TARGET_S, at_most=True, unit=" s"),
            Figure("rung status", status_s, TARGET_S, at_most=True, unit=" s"),
        ),
        {
            "python -c pass s": python,
            "rung --help ÷ python": help_s / python,
            "rung status ÷ python": status_s / python,
        },
    )


def _median_s(command: Sequence[str], environ: Mapping[str, str]) -> float:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        subprocess.run(
            command, env=dict(environ), cwd=environ["RUNG_HOME"], check=True, capture_output=True
        )
        took.append(time.perf_counter() - began)
    return statistics.median(took)
