"""How many worker processes a machine is good for: `rung up --workers auto`.

One process keeps one processor busy at most, Python being what it is. Two things make more of them
useless: processors, of which Postgres wants some where it is on this machine too, and the rate
limits, which a few processes use up.
"""

import math
import os
from pathlib import Path
from typing import Any

import click

from worker.config.settings import Settings
from worker.domain.text import whole_number

MOST = 64
AUTO = "auto"
CALLS_PER_S = 300.0
"""That one process makes on a processor of its own, with what belongs to them: a bound from below
(docs/performance.md)."""
POSTGRES_SHARE = 0.4
"""Of the CPU that workers, Postgres and Redis use together."""
CGROUP = Path("/sys/fs/cgroup/cpu.max")


class WorkersType(click.ParamType[int | str]):
    """A number of processes, or `auto`."""

    name = "workers"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        """The number, or `auto` as it is."""
        if value == AUTO:
            return AUTO
        number = whole_number(str(value))
        if number is None or not 1 <= number <= MOST:
            self.fail(f"{value!r} is neither a number from 1 to {MOST} nor auto.", param, ctx)
        return number


def processes(wanted: int | str, settings: Settings) -> int:
    """As many as were asked for; for `auto` as many as help."""
    if isinstance(wanted, int):
        return wanted
    return useful(processors(), settings, beside_postgres=settings.database_url is None)


def useful(cpus: float, settings: Settings, *, beside_postgres: bool) -> int:
    """Processes that are of use on so many processors: one at least."""
    free = cpus * (1 - POSTGRES_SHARE) if beside_postgres else cpus
    limits = [tier.rpm for tier in settings.tiers.values()]
    calls = sum(limit for limit in limits if limit) / 60
    by_limits = MOST if None in limits else math.ceil(calls / CALLS_PER_S)
    return max(1, min(math.floor(free), by_limits, MOST))


def processors(cgroup: Path = CGROUP) -> float:
    """Processors that this process may use: by affinity, and by the container's quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    cpus = float(len(affinity(0)) if affinity else os.cpu_count() or 1)
    try:
        quota, period = cgroup.read_text("ascii").split()
        return min(cpus, int(quota) / int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return cpus  # No quota, or none that is known here.
