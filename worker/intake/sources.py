"""Opens a backlog: decompresses, finds the encoding, and hands out chunks of UTF-8."""

import codecs
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from worker.domain.backlog import BacklogError, Caps

CHUNK = 1 << 20
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
RATIO_FROM = 100_000_000
BROKEN_ZIP = (
    *(zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError),
    *(OverflowError, struct.error),
)
"""What zipfile raises for bytes that are not quite a zip file, or one of a kind it cannot read."""
UNREADABLE_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32LE"),
    (codecs.BOM_UTF32_BE, "UTF-32BE"),
)


@dataclass(slots=True)
class Opened:
    """A backlog's bytes, in UTF-8 without a byte order mark, and the name that tells its format."""

    name: str
    first: bytes
    rest: Iterator[bytes]

    def chunks(self) -> Iterator[bytes]:
        """All of it."""
        yield self.first
        yield from self.rest


def open_backlog(
    path: str, stream: IO[bytes], caps: Caps, member: str | None, on_bytes: Callable[[int], None]
) -> Opened:
    """The backlog at `path`, read from `stream`. Raises BacklogError when it cannot be one."""
    name = PurePosixPath(path).name
    head = _filled(stream, 4)
    if head.startswith(ZIP):
        name, chunks = _unzip(path, head, stream, caps, member, on_bytes)
    elif head.startswith(GZIP):
        if not name.endswith((".gz", ".gzip")) and name != "-":
            raise BacklogError(
                f"{path} is gzip-compressed, whatever its name says.",
                mend=f"mv {name} {name}.gz, then enqueue that",
            )
        name = name.removesuffix(".gz").removesuffix(".gzip")
        chunks = _gunzip(path, head, stream, caps, on_bytes)
    else:
        chunks = _plain(head, stream, on_bytes)
    return _decoded(path, name, chunks)


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
    yield from _bounded(path, unpacked, caps, lambda: read)


def _unzip(
    path: str,
    head: bytes,
    stream: IO[bytes],
    caps: Caps,
    member: str | None,
    on_bytes: Callable[[int], None],
) -> tuple[str, Iterator[bytes]]:
    if not stream.seekable():
        raise BacklogError(
            "A zip file cannot be read from standard input.", mend="unzip -p FILE | rung enqueue -"
        )
    try:
        archive = zipfile.ZipFile(stream)
    except BROKEN_ZIP as error:
        raise BacklogError(f"{path} is a broken zip file: {error}.") from None
    info = _choose_member(path, archive, member)

    def chunks() -> Iterator[bytes]:
        try:
            unpacked = archive.open(info)
        except BROKEN_ZIP as error:
            raise BacklogError(f"{path} cannot be decompressed: {error}.") from None
        with unpacked:
            yield from _bounded(path, unpacked, caps, lambda: max(info.compress_size, 1))
        on_bytes(info.compress_size)

    return PurePosixPath(info.filename).name, chunks()


def _choose_member(path: str, archive: zipfile.ZipFile, member: str | None) -> zipfile.ZipInfo:
    # A damaged archive may hold a member without a name.
    files = [info for info in archive.infolist() if info.filename and not info.is_dir()]
    for info in files:
        parts = PurePosixPath(info.filename.replace("\\", "/")).parts
        if ".." in parts or info.filename.startswith(("/", "\\")) or ":" in "".join(parts[:1]):
            raise BacklogError(f"{path} holds a file with an unsafe path; it was not opened.")
        if info.flag_bits & 1:
            raise BacklogError(f"{path} is encrypted.", mend="unzip it first")
    names = [info.filename for info in files]
    if member is not None:
        if member not in names:
            raise BacklogError(f"{path} holds no file {member!r}.", mend=f"unzip -l {path}")
        return files[names.index(member)]
    if len(files) != 1:
        raise BacklogError(
            f"{path} holds {len(files)} files: {', '.join(sorted(names)[:10])}.",
            mend="name one with --member",
        )
    return files[0]


def _bounded(
    path: str, unpacked: IO[bytes] | gzip.GzipFile, caps: Caps, packed: Callable[[], int]
) -> Iterator[bytes]:
    total = 0
    try:
        while chunk := unpacked.read(CHUNK):
            total += len(chunk)
            too_dense = total > RATIO_FROM and total > caps.ratio * max(packed(), 1)
            if total > caps.expanded or too_dense:
                raise BacklogError(f"{path} expands to more than is allowed; it looks like a bomb.")
            yield chunk
    except (*BROKEN_ZIP, EOFError, zlib.error, lzma.LZMAError) as error:
        raise BacklogError(f"{path} cannot be decompressed: {error}.") from None


def _decoded(path: str, name: str, chunks: Iterator[bytes]) -> Opened:
    first = next(chunks, b"")
    for mark, encoding in UNREADABLE_ENCODINGS:
        if first.startswith(mark):
            raise BacklogError(
                f"{path} is {encoding}; a backlog must be UTF-8.",
                mend=f"iconv -f {encoding} -t UTF-8 {name} > utf8-{name}",
            )
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if first.startswith(mark):
            chunks = _transcoded(path, encoding, first[len(mark) :], chunks)
            return Opened(name, next(chunks, b""), chunks)
    first = first.removeprefix(codecs.BOM_UTF8)
    if not first.strip():
        raise BacklogError(f"{path} is empty.")
    if first[:200].count(0) > len(first[:200]) // 4:
        raise BacklogError(
            f"{path} is not UTF-8: its first line holds NUL bytes, as UTF-16 does.",
            mend=f"iconv -f UTF-16LE -t UTF-8 {name} > utf8-{name}",
        )
    return Opened(name, first, chunks)


def _transcoded(path: str, encoding: str, first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        yield decoder.decode(first).encode()
        for chunk in rest:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError:
        raise BacklogError(f"{path} is not valid {encoding.upper()}.") from None


def open_file(path: Path) -> IO[bytes]:
    """The file's bytes. Raises BacklogError when there is none."""
    try:
        if path.is_dir():
            raise BacklogError(f"{path} is a directory.", mend=f"rung enqueue {path}/*.jsonl")
        return path.open("rb")
    except OSError as error:
        raise BacklogError(f"{path} cannot be read: {error.strerror or error}.") from None
