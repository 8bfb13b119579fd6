"""What a command costs before it says anything, and a worker before it is at work: CPU seconds,
which a busy machine disturbs less than the wall clock."""

import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.figures import Figure, Finding
from benchmarks.house import house
from benchmarks.services import database

TARGET_S, TARGET_WORKER_S = 0.35, 3.0
TIMES = 7
FLOOR = "import sqlalchemy, psycopg, click, pydantic"
"""What `rung status` cannot do without: it reads a configuration and a database."""
IN_FLIGHT = {"haiku": 64, "sonnet": 32, "opus": 16}


def run(*, quick: bool = False) -> Finding:
    """Medians of `rung --help` and `rung status`, what Python alone takes, and with the libraries
    of `rung status`; and one worker."""
    rung = str(Path(sys.executable).with_name("rung"))
    with database() as environ:
        python = _median_s([sys.executable, "-c", "pass"], environ)
        floor_s = _median_s([sys.executable, "-c", FLOOR], environ)
        help_s = _median_s([rung, "--help"], environ)
        status_s = _median_s([rung, "status"], environ)
    with house(latency_scale=0, in_flight=IN_FLIGHT) as home:
        worker_s = home.worker_cpu_s()
    return Finding(
        "startup",
        (
            Figure("rung --help, CPU", help_s, TARGET_S, at_most=True, unit=" s"),
            Figure("rung status, CPU", status_s, TARGET_S, at_most=True, unit=" s"),
            Figure("a worker at work, CPU", worker_s, TARGET_WORKER_S, at_most=True, unit=" s"),
        ),
        {
            "python -c pass s": python,
            "the libraries of rung status, imported alone s": floor_s,
            "rung --help ÷ python": help_s / python,
            "rung status ÷ python": status_s / python,
            "rung status ÷ its libraries": status_s / floor_s,
        },
    )


def _median_s(command: Sequence[str], environ: Mapping[str, str]) -> float:
    took = []
    for _ in range(TIMES):
        process = subprocess.Popen(
            command,
            env=dict(environ),
            cwd=environ["RUNG_HOME"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{command[-1]} ended with {process.returncode}")
        took.append(used.ru_utime + used.ru_stime)
    return statistics.median(took)
