"""Reading files ahead of storing them: from a path or standard input."""

import queue
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from worker.intake.loads import Load
from worker.intake.sources import open_file

AHEAD = 3
"""Blocks that reading may be ahead of storing."""
TURN_S = 0.0005
"""For how long reading may keep the interpreter while another thread wants it: each time that
storing hears of Postgres, Postgres waits for what comes next. By itself Python gives ten times as
long."""


def stem(name: str) -> str:
    """`backlog` of `in/backlog.csv.gz`; `stdin` for `-`."""
    if name == "-":
        return "stdin"
    bare = re.sub(r"(\.(gz|gzip|zip|csv|tsv|json|jsonl|ndjson|txt))+$", "", Path(name).name)
    return re.sub(r"[^\w.-]+", "-", bare).strip("-.") or "backlog"


@contextmanager
def stream(name: str) -> Iterator[IO[bytes]]:
    """The bytes of a file, or of standard input for `-`. Raises Missing where there is no such
    file, and UsageError or BacklogError where it cannot be read."""
    if name == "-":
        yield _standard_input()
        return
    with open_file(Path(name)) as content:
        yield content


def _standard_input() -> IO[bytes]:
    """Unbuffered: a reader that waits in a buffered one holds its lock, and the process could not
    end on Ctrl-C."""
    try:
        return open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
    except (OSError, ValueError):
        return sys.stdin.buffer


def ahead(loads: Iterator[Load]) -> Iterator[Load]:
    """Reads in a thread of its own, a few blocks ahead: parsing overlaps with storing."""
    sys.setswitchinterval(min(sys.getswitchinterval(), TURN_S))
    ready: queue.Queue[Load | BaseException | None] = queue.Queue(AHEAD)
    stopped = threading.Event()

    def read() -> None:
        end: BaseException | None = None
        try:
            for load in loads:
                ready.put(load)
                if stopped.is_set():
                    return
        except BaseException as error:
            end = error
        ready.put(end)

    thread = threading.Thread(target=read, name="reader", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        while not ready.empty():
            ready.get_nowait()
