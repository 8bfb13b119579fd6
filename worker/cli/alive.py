"""`rung alive`: is what runs in this container well? For the image's HEALTHCHECK.

One image runs as worker, dashboard, scheduler and migration; which of them this is, the command
lines of the container's processes tell.
"""

import socket
import urllib.request
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import click

from worker.cli.speech.output import talk
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.errors import RungError

ANSWER_S = 10.0
PROCESSES = Path("/proc")


class ContainerPart(StrEnum):
    """What a process of ours is."""

    WORKER = "worker"
    DASHBOARD = "dashboard"
    SCHEDULER = "beat"


@click.command()
@click.option("--port", type=int, help="Of the dashboard, instead of `dashboard.port`.")
def alive(port: int | None) -> None:
    """Is what runs in this container well? Exits with 0 or 1; for a HEALTHCHECK."""
    settings = load_settings()
    found = {part for words in command_lines() if (part := part_of(words)) is not None}
    if not found:
        raise RungError("Neither a worker nor a dashboard nor a scheduler runs here.")
    if ContainerPart.WORKER in found and not worker_answers(socket.gethostname()):
        raise RungError(f"The worker does not answer within {ANSWER_S:.0f} s.")
    if ContainerPart.DASHBOARD in found:
        _look_at_dashboard(settings, port)
    talk(f"Well: {', '.join(sorted(found))}.")


def command_lines(processes: Path = PROCESSES) -> Iterator[list[str]]:
    """Of every process that can be seen, and is not this one's kind."""
    for file in processes.glob("[0-9]*/cmdline"):
        try:
            yield file.read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:
            continue  # It has ended meanwhile.


def part_of(words: list[str]) -> ContainerPart | None:
    """Which of ours a command line starts, if any."""
    names = [Path(word).name for word in words]
    ours = "rung" in names or "celery" in names
    if not ours or "alive" in names:
        return None
    return next((part for part in ContainerPart if part in names), None)


def worker_answers(host: str) -> bool:
    """Whether a worker of this host answers by way of Redis."""
    from worker.app import app

    inspect = app.control.inspect(
        timeout=ANSWER_S, limit=1, pattern=f"*@{host}", matcher=cast("Any", "glob")
    )
    return bool(inspect.ping())


def _look_at_dashboard(settings: Settings, port: int | None) -> None:
    number = settings.dashboard.port if port is None else port
    url = f"http://127.0.0.1:{number}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S):
            return
    except OSError as error:
        raise RungError(f"The dashboard does not answer at {url}: {error}.") from None
