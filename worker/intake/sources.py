"""Opens a backlog: unpacks it, turns Unicode's wide encodings into UTF-8, and hands out chunks."""

import codecs
import gzip
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO

from worker.domain.backlog import BacklogError, Caps
from worker.intake.archives import CHUNK, bounded, opened_archive, unzipped, workbook_in
from worker.intake.encodings import known_encoding, transcoded

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Four bytes first: UTF-32's begins as UTF-16's does."""
FOREIGN = {
    b"\xd0\xcf\x11\xe0": (
        "an old Excel workbook (.xls), or one with a password",
        "open it in a spreadsheet, save it as .xlsx or CSV UTF-8, and enqueue that",
    ),
    b"%PDF": ("a PDF", "export the messages as CSV or JSON"),
    b"BZh": ("packed by bzip2", "bunzip2 -c FILE | rung enqueue -"),
    b"\xfd7zX": ("packed by xz", "xz -dc FILE | rung enqueue -"),
    b"\x28\xb5\x2f\xfd": ("packed by zstd", "zstd -dc FILE | rung enqueue -"),
    b"7z\xbc\xaf": ("a 7z archive", "7z e FILE, then enqueue what was in it"),
    b"Rar!": ("a RAR archive", "unrar x FILE, then enqueue what was in it"),
    b"PAR1": ("a Parquet file", "save it as CSV or JSONL, and enqueue that"),
}
"""First bytes of what is no backlog: what it is, and what mends it."""
PAGES = {
    b"<!doctype html": "a web page (HTML)",
    b"<html": "a web page (HTML)",
    b"<table": "a web page (HTML)",
    b"<?xml": "XML",
}
"""First words of text that is no backlog; some products call one of them .xls."""
FROM_A_PAGE = (
    "export the messages as CSV, JSON or .xlsx; if a spreadsheet opens the file, save it as .xlsx"
    " there"
)


@dataclass(slots=True, kw_only=True)
class OpenedBacklog:
    """A backlog's bytes, without a byte order mark, and the name that tells its format. `workbook`
    is its format where it is one of the zip files that spreadsheets are; then it has no bytes.
    `encoding` is what it was in, where that was not UTF-8."""

    name: str
    first: bytes = b""
    rest: Iterator[bytes] = field(default_factory=lambda: iter(()))
    workbook: str | None = None
    encoding: str | None = None
    member: str | None = None
    unpacked: bool = False

    def chunks(self) -> Iterator[bytes]:
        """All of it."""
        yield self.first
        yield from self.rest


def open_backlog(
    path: str,
    stream: IO[bytes],
    caps: Caps,
    member: str | None = None,
    encoding: str | None = None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> OpenedBacklog:
    """The backlog at `path`, read from `stream`. Raises BacklogError when it cannot be one."""
    name = PurePosixPath(path).name
    head = _filled(stream, 4)
    _refuse_foreign(path, head)
    inside, unpacked = None, head.startswith((ZIP, GZIP))
    if head.startswith(ZIP):
        archive = opened_archive(path, stream)
        if workbook := workbook_in(path, archive):
            return OpenedBacklog(name=name, workbook=workbook)
        name, chunks = unzipped(path, archive, caps, member, on_bytes)
        inside = name
    elif head.startswith(GZIP):
        name = name.removesuffix(".gz").removesuffix(".gzip")
        chunks = _gunzip(path, head, stream, caps, on_bytes)
    else:
        chunks = _plain(head, stream, on_bytes)
    opened = _decoded(path, name, chunks, encoding)
    opened.member, opened.unpacked = inside, unpacked
    return opened


def _refuse_foreign(path: str, head: bytes) -> None:
    for mark, (what, mend) in FOREIGN.items():
        if head.startswith(mark):
            raise BacklogError(f"{path} is {what}.", mend=mend)


def _plain(head: bytes, stream: IO[bytes], on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    chunk = head + _filled(stream, CHUNK)
    while chunk:
        on_bytes(len(chunk))
        yield chunk
        chunk = _filled(stream, CHUNK)


def _filled(stream: IO[bytes], size: int) -> bytes:
    """`size` bytes, fewer only at the end: what a file is must not depend on how it trickles in."""
    data = stream.read(size)
    if len(data) == size:
        return data
    pieces = [data]
    while data:
        size -= len(data)
        pieces.append(data := stream.read(size))
    return b"".join(pieces)


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were read already; counts what it gives."""

    def __init__(self, head: bytes, stream: IO[bytes], on_bytes: Callable[[int], None]) -> None:
        self._head, self._stream, self._on_bytes = head, stream, on_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._head or self._stream.read(len(view))
        taken, self._head = data[: len(view)], data[len(view) :]
        view[: len(taken)] = taken
        self._on_bytes(len(taken))
        return len(taken)


def _gunzip(
    path: str, head: bytes, stream: IO[bytes], caps: Caps, on_bytes: Callable[[int], None]
) -> Iterator[bytes]:
    read = 0

    def count(size: int) -> None:
        nonlocal read
        read += size
        on_bytes(size)

    unpacked = gzip.GzipFile(fileobj=io.BufferedReader(_Rejoined(head, stream, count), CHUNK))
    yield from bounded(path, unpacked, caps, lambda: read)


def _decoded(path: str, name: str, chunks: Iterator[bytes], encoding: str | None) -> OpenedBacklog:
    first = next(chunks, b"")
    if encoding is not None:
        encoding = known_encoding(encoding)
    wide, mark = _wide_encoding(first)
    if encoding in ("utf-16", "utf-32") or (encoding is None and wide is not None):
        encoding = wide or encoding
    if encoding not in (None, "utf-8", "utf-8-sig"):
        first = first.removeprefix(mark)
        recoded = transcoded(path, encoding, chain([first], chunks))
        first = next(recoded, b"").removeprefix(codecs.BOM_UTF8)
        opened = OpenedBacklog(name=name, first=first, rest=recoded, encoding=encoding)
    else:
        opened = OpenedBacklog(name=name, first=first.removeprefix(codecs.BOM_UTF8), rest=chunks)
    beginning = opened.first.lstrip()
    if not beginning:
        raise BacklogError(f"{path} is empty.")
    for mark, what in PAGES.items():
        if beginning[: len(mark)].lower() == mark:
            raise BacklogError(f"{path} is {what}.", mend=FROM_A_PAGE)
    return opened


def _wide_encoding(first: bytes) -> tuple[str | None, bytes]:
    """UTF-16 or UTF-32, by the mark in front, or by NULs where an ASCII header would have them."""
    for mark, encoding in BOMS:
        if first.startswith(mark):
            return encoding, mark
    head = first[:200]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 <= len(head) or len(head) < 4:
        return None, b""
    if even and odd:
        return ("utf-32-le" if head[0] else "utf-32-be"), b""
    return ("utf-16-le" if odd else "utf-16-be"), b""


def open_file(path: Path) -> IO[bytes]:
    """The file's bytes. Raises BacklogError when there is none."""
    try:
        if path.is_dir():
            raise BacklogError(f"{path} is a directory.", mend=f"rung enqueue {path}/*.jsonl")
        return path.open("rb")
    except OSError as error:
        raise BacklogError(f"{path} cannot be read: {error.strerror or error}.") from None
