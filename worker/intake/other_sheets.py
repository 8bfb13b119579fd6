"""The sheets of a workbook beside the one that was read: the first is often a cover."""

from collections.abc import Callable, Sequence
from shlex import quote
from typing import IO

from worker.domain.backlog import BacklogError, Caps

MOST_SHEETS = 20
"""Of a workbook that are named, or looked into."""


def titles_of(path: str, stream: IO[bytes], kind: str | None, caps: Caps) -> list[str]:
    """The sheets that people see; none of what is no workbook, or is broken."""
    if kind not in ("xlsx", "ods") or not stream.seekable():
        return []
    # Imported when needed: openpyxl takes a quarter of a second.
    from worker.intake.opendocument import opendocument_titles
    from worker.intake.sheets import BROKEN, workbook_titles

    stream.seek(0)
    read = workbook_titles if kind == "xlsx" else opendocument_titles
    try:
        return read(path, stream, caps)[:MOST_SHEETS]
    except BROKEN:
        return []


def with_sheets(
    error: BacklogError,
    path: str,
    read: str,
    others: Sequence[str],
    is_backlog: Callable[[str], bool],
) -> BacklogError:
    """The error of a workbook, with which sheet was read, what else there is, and which of these
    could be read."""
    likely = next(filter(is_backlog, others), None)
    if likely is not None:
        error.mend = f"rung enqueue --sheet {quote(likely)} {quote(path)}"
    if others:
        named = ", ".join(map(repr, others))
        error.args = (f"{error} That is its sheet {read!r}; there are also: {named}.",)
    return error
