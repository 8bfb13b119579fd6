"""Progress bars."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from worker.cli.speech.output import console


@contextmanager
def progress(opened: list[tuple[str, IO[bytes]]]) -> Iterator[Any]:
    """A progress bar by bytes on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    sizes = [Path(name).stat().st_size if name != "-" else None for name, _ in opened]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn())
    shown = Progress(*columns, console=console(stderr=True), transient=True)
    bar = shown.add_task("reading", total=total)

    def advance(size: int) -> None:
        """Begins with the first bytes: before them people may be asked something."""
        if not shown.live.is_started:
            shown.start()
        shown.advance(bar, size)

    try:
        yield advance
    finally:
        shown.stop()
