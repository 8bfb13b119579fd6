"""Zip archives, and bounds on what is unpacked of anything."""

import gzip
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from shlex import quote
from typing import IO

from worker.domain.backlog import BacklogError, Caps

CHUNK = 1 << 20
RATIO_FROM = 100_000_000
BROKEN_ZIP = (
    *(zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError),
    *(OverflowError, struct.error),
)
"""What zipfile raises for bytes that are not quite a zip file, or one of a kind it cannot read."""
DOCUMENTS = {
    "Index/Document.iwa": ("a document of Numbers, Pages or Keynote", "export it there as CSV"),
    "word/document.xml": ("a Word document", "export the messages as CSV, JSON or .xlsx"),
    "ppt/presentation.xml": ("a presentation", "export the messages as CSV, JSON or .xlsx"),
    "Index.zip": ("a document of Numbers, Pages or Keynote", "export it there as CSV"),
    "xl/workbook.bin": ("a binary Excel workbook (.xlsb)", "save it as .xlsx, and enqueue that"),
}
"""What an archive holds that is a document of a program, and what mends it."""
MAILS = (".eml", ".emlx")
BACKLOGS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".mbox", *MAILS)
"""Endings of what is meant, where an archive holds one of them beside a note or a page."""
LEFT_BY_SYSTEMS = re.compile(r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)")
"""What a Mac or Windows puts into an archive beside the files that were meant."""


def opened_archive(path: str, stream: IO[bytes]) -> zipfile.ZipFile:
    if not stream.seekable():
        raise BacklogError(
            "A workbook or zip file cannot be read from standard input.",
            mend="name the file, or for a zip: unzip -p FILE | rung enqueue -",
        )
    try:
        return zipfile.ZipFile(stream)
    except BROKEN_ZIP as error:
        raise BacklogError(f"{path} is a broken zip file: {error}.") from None


def workbook_in(path: str, archive: zipfile.ZipFile) -> str | None:
    """Which kind of workbook an archive is; None where it is none. Raises BacklogError for the
    documents of other programs, which are archives as well."""
    names = set(archive.namelist())
    for part, (what, mend) in DOCUMENTS.items():
        if part in names:
            raise BacklogError(f"{path} is {what}.", mend=mend)
    if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names):
        return "xlsx"
    if "mimetype" in names and "content.xml" in names:
        return "ods"
    return None


def unzipped(
    path: str,
    archive: zipfile.ZipFile,
    caps: Caps,
    member: str | None,
    on_bytes: Callable[[int], None],
) -> tuple[str, Iterator[bytes]]:
    info = _choose_member(path, archive, member)
    return PurePosixPath(info.filename).name, _chunks(path, archive, info, caps, on_bytes)


def _chunks(
    path: str,
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    caps: Caps,
    on_bytes: Callable[[int], None],
) -> Iterator[bytes]:
    try:
        unpacked = archive.open(info)
    except BROKEN_ZIP as error:
        raise BacklogError(f"{path} cannot be decompressed: {error}.") from None
    with unpacked:
        yield from bounded(path, unpacked, caps, lambda: max(info.compress_size, 1))
    on_bytes(info.compress_size)


def mails_in(
    path: str, archive: zipfile.ZipFile, caps: Caps, on_bytes: Callable[[int], None]
) -> Iterator[Iterator[bytes]] | None:
    """Each mail of an archive that holds nothing else, and several of them."""
    files = _members(path, archive)
    if len(files) < 2 or not all(one.filename.lower().endswith(MAILS) for one in files):
        return None
    return (_chunks(path, archive, info, caps, on_bytes) for info in files)


def _members(path: str, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """What was put in by people."""
    # A damaged archive may hold a member without a name.
    files = [
        info
        for info in archive.infolist()
        if info.filename and not info.is_dir() and not LEFT_BY_SYSTEMS.search(info.filename)
    ]
    for info in files:
        parts = PurePosixPath(info.filename.replace("\\", "/")).parts
        if ".." in parts or info.filename.startswith(("/", "\\")) or ":" in "".join(parts[:1]):
            raise BacklogError(f"{path} holds a file with an unsafe path; it was not opened.")
        if info.flag_bits & 1:
            raise BacklogError(f"{path} is encrypted.", mend="unzip it first")
    return files


def _choose_member(path: str, archive: zipfile.ZipFile, member: str | None) -> zipfile.ZipInfo:
    files = _members(path, archive)
    names = [info.filename for info in files]
    if member is not None:
        if member not in names:
            raise BacklogError(f"{path} holds no file {member!r}.", mend=f"unzip -l {quote(path)}")
        return files[names.index(member)]
    told = [one for one in files if one.filename.lower().endswith(BACKLOGS)]
    if len(files) > 1 and len(told) == 1:
        return told[0]
    if len(files) != 1:
        raise BacklogError(
            f"{path} holds {len(files)} files: {', '.join(sorted(names)[:10])}.",
            mend="name one with --member",
        )
    return files[0]


def bounded(
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
