"""Opens a backlog: unpacks it, turns Unicode's wide encodings into UTF-8, and hands out chunks."""

import codecs
import gzip
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO

from worker.domain.backlog import BacklogError, Caps
from worker.intake.archives import (
    CHUNK,
    bounded,
    mails_in,
    opened_archive,
    unzipped,
    workbook_in,
)
from worker.intake.encodings import known_encoding, transcoded
from worker.intake.foreign import refuse_binary, refuse_foreign, refuse_within
from worker.intake.named_files import a_folder, no_such_file, unreadable

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Four bytes first: UTF-32's begins as UTF-16's does."""
MARKS = re.compile(b"(?:%s|%s)+" % (codecs.BOM_UTF8, codecs.BOM_UTF8.decode("latin-1").encode()))


MOST_NOTHING = 1_000_000_000
"""NULs in a row: a second of reading them. A copy that broke off may hold many."""


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
    mails: Iterator[Iterator[bytes]] | None = None
    """Of an archive that holds nothing but single mails, each of them."""

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
    refuse_foreign(path, head)
    inside, unpacked = None, head.startswith((ZIP, GZIP))
    if head.startswith(ZIP):
        archive = opened_archive(path, stream)
        if workbook := workbook_in(path, archive):
            return OpenedBacklog(name=name, workbook=workbook)
        if member is None and (mails := mails_in(path, archive, caps, on_bytes)):
            return OpenedBacklog(name=name, mails=mails, unpacked=True)
        name, chunks = unzipped(path, archive, caps, member, on_bytes)
        inside = name
    elif member is not None:
        raise BacklogError(f"{path} is no zip archive.", mend="leave out --member")
    elif head.startswith(GZIP):
        name = name.removesuffix(".gz").removesuffix(".gzip")
        chunks = _gunzip(path, head, stream, caps, on_bytes)
    else:
        chunks = _plain(head, stream, on_bytes)
    begun = next(chunks, b"")
    refuse_within(path, begun, unpacked=unpacked)
    opened = _decoded(path, name, chain([begun], chunks), encoding)
    opened.member, opened.unpacked = inside, unpacked
    return opened


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
        if not mark and encoding is None and not _decodes(first, wide or ""):
            refuse_binary(path, first)
        encoding = wide or encoding
    if encoding not in (None, "utf-8", "utf-8-sig"):
        first = first.removeprefix(mark)
        recoded = transcoded(path, encoding, chain([first], chunks))
        opened = OpenedBacklog(name=name, encoding=encoding)
    else:
        recoded, opened = chain([first], chunks), OpenedBacklog(name=name)
    opened.rest = without_tail(path, recoded)
    opened.first = _unmarked(next(opened.rest, b""))
    if not opened.first.strip():
        raise BacklogError(f"{path} is empty.")
    refuse_binary(path, opened.first)
    return opened


def _decodes(first: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(first)
    except UnicodeError:
        return False
    return True


def _unmarked(first: bytes) -> bytes:
    """Without marks of byte order: there may be several, and one that was read as Latin-1."""
    found = MARKS.match(first)
    return first[found.end() :] if found else first


def without_tail(path: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Without the NULs or the Ctrl-Z that old programs and copies that broke off leave at the end
    of a file. Raises BacklogError where they do not end, as those of /dev/zero."""
    held, nothing = b"", 0
    for chunk in chunks:
        kept = chunk.rstrip(b"\x00\x1a")
        if kept:
            yield held + kept
            held, nothing = b"", 0
        nothing += len(chunk) - len(kept)
        if nothing > MOST_NOTHING:
            raise BacklogError(f"{path} holds more than {MOST_NOTHING:,} NULs in a row.")
        # NULs by the megabyte between two rows say no more than one megabyte of them.
        held = (held + chunk[len(kept) :])[:CHUNK]


def _wide_encoding(first: bytes) -> tuple[str | None, bytes]:
    """UTF-16 or UTF-32, by the mark in front, or by NULs where an ASCII header would have them."""
    for mark, encoding in BOMS:
        if first.startswith(mark):
            return encoding, mark
    head = first[:200].rstrip(b"\x00")
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 <= len(head) or len(head) < 4:
        return None, b""
    if (even + odd) * 8 > len(head) * 5:
        # Three NULs for each letter; a half of UTF-16's characters beyond its first 65,536 has one.
        return ("utf-32-le" if head[0] else "utf-32-be"), b""
    return ("utf-16-le" if odd > even else "utf-16-be"), b""


def open_file(path: Path) -> IO[bytes]:
    """The file's bytes. Raises Missing when there is none, and UsageError or BacklogError where it
    cannot be read."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise no_such_file(path) from None
    except IsADirectoryError:
        raise a_folder(path) from None
    except OSError as error:
        raise unreadable(path, error) from None
