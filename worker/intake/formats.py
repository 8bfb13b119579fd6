"""What a file is: by its content where that is plain, then by its name's ending; CSV in doubt."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import IO, Any

import orjson

from worker.domain.backlog import BacklogError, Caps, Reject
from worker.intake.dialects import dialect_of
from worker.intake.documents import read_documents
from worker.intake.encodings import JAPANESE_MAIL, encoding_of, recoded
from worker.intake.foreign import refuse_markup
from worker.intake.html_tables import is_html, read_html_table
from worker.intake.jsonl import RECORD_SEPARATOR, read_jsonl
from worker.intake.mail import is_mail, is_mailbox, read_mailbox, without_envelope
from worker.intake.rows import Item
from worker.intake.sources import OpenedBacklog
from worker.intake.tables import Table, read_table, table_of
from worker.intake.wrappers import COLUMNS, rows_within

KINDS = ("csv", "tsv", "json", "jsonl", "xlsx", "ods", "mbox", "eml")
ENDINGS = {
    "tsv": "tsv",
    "tab": "tsv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "json",
    "mbox": "mbox",
    "mbx": "mbox",
    "eml": "eml",
    "emlx": "eml",
}
LINES = ("jsonl", "ndjson")
NOTHING_REPEATED: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class Found:
    """What a file turned out to be, as far as it was not said; `encoding` where it is not UTF-8,
    `records` where its rows stand inside a document, `header` the line of a header that is not the
    first, `dialect` how a table is quoted where that is not the usual way."""

    kind: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    records: str | None = None
    sheet: str | None = None
    member: str | None = None
    header: int | None = None
    dialect: str | None = None

    def as_document(self) -> dict[str, str | int]:
        """For JSON: what there is to say."""
        names = (
            *("kind", "encoding", "delimiter", "dialect", "records", "sheet", "member", "header"),
        )
        return {name: value for name in names if (value := getattr(self, name)) is not None}


def items_of(
    path: str, opened: OpenedBacklog, stream: IO[bytes], caps: Caps, said: Found
) -> tuple[Iterator[Item], frozenset[str]]:
    """Its rows, and names that its header repeats; `said` is completed by what the file is. Raises
    BacklogError, also for what was said of a file that such a file does not have."""
    records, sheet, delimiter = said.records, said.sheet, said.delimiter
    found = _items_of(path, opened, stream, caps, said)
    for option, value, kinds, what in (
        ("--records", records, ("json",), "JSON"),
        ("--sheet", sheet, ("xlsx", "ods"), "workbook"),
        ("--delimiter", delimiter, ("csv", "tsv"), "CSV"),
    ):
        if value is not None and said.kind not in kinds:
            raise BacklogError(f"{path} is no {what}.", mend=f"leave out {option}")
    return found


def _items_of(
    path: str, opened: OpenedBacklog, stream: IO[bytes], caps: Caps, said: Found
) -> tuple[Iterator[Item], frozenset[str]]:
    said.encoding, said.member = opened.encoding, opened.member
    if opened.mails is not None:
        said.kind = "eml"
        return _mails(opened.mails, caps), NOTHING_REPEATED
    said.kind = opened.workbook or said.kind or kind_of(opened.name, opened.first)
    if said.kind in ("xlsx", "ods"):
        if opened.workbook is None:
            raise BacklogError(f"{path} is no workbook.", mend="leave out --format")
        return _of(table_of(path, _sheet(path, stream, said, caps), loose=True), said)
    if said.kind in ("mbox", "eml"):
        mails = read_mailbox(opened.chunks(), caps, single=said.kind == "eml")
        return mails, NOTHING_REPEATED
    chunks = opened.chunks() if said.encoding else _in_utf8(path, opened.chunks(), said)
    if opened.first.lstrip()[:1] == b"<":
        refuse_markup(path, opened.first)
        if is_html(opened.first):
            said.kind = "html"
            return _of(table_of(path, read_html_table(path, chunks, caps), loose=True), said)
    if said.kind in ("json", "jsonl"):
        return _json(path, opened.first, chunks, caps, said), NOTHING_REPEATED
    dialect = dialect_of(opened.first, _one_character(said.delimiter))
    said.delimiter, said.dialect = dialect.delimiter, dialect.as_words()
    return _of(read_table(path, chunks, dialect, caps), said)


def _of(table: Table, said: Found) -> tuple[Iterator[Item], frozenset[str]]:
    said.header = table.header
    return table.items, table.repeated


def _json(
    path: str, first: bytes, chunks: Iterator[bytes], caps: Caps, said: Found
) -> Iterator[Item]:
    """A row a line, or rows within documents."""
    where = tuple(said.records.split(".")) if said.records else rows_within(first)
    if where == COLUMNS:
        raise BacklogError(
            f"{path} holds a list for each column, and no rows.",
            mend="in pandas: df.to_json(FILE, orient='records', lines=True)",
        )
    if said.kind == "jsonl" and not where and not _is_document(first):
        return read_jsonl(chunks, caps)
    said.kind, said.records = "json", ".".join(where) or None
    return read_documents(path, chunks, caps, where)


def _mails(mails: Iterator[Iterator[bytes]], caps: Caps) -> Iterator[Item]:
    """Each file's mail; its line is its number among them."""
    for number, chunks in enumerate(mails, 1):
        for item in read_mailbox(chunks, caps, single=True):
            yield replace(item, line=number) if isinstance(item, Reject) else (number, item[1])


def _sheet(path: str, stream: IO[bytes], said: Found, caps: Caps) -> Iterator[Any]:
    # Imported when needed: openpyxl takes a quarter of a second.
    from worker.intake.opendocument import read_opendocument
    from worker.intake.sheets import read_workbook

    def heard(title: str) -> None:
        said.sheet = title

    stream.seek(0)
    read = read_workbook if said.kind == "xlsx" else read_opendocument
    return read(path, stream, said.sheet, caps, heard)


def _one_character(delimiter: str | None) -> str | None:
    named = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
    delimiter = named.get(delimiter or "", delimiter)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise BacklogError(
            f"{delimiter!r} cannot part columns: it must be one character.", mend="--delimiter ';'"
        )
    return delimiter


def _in_utf8(path: str, chunks: Iterator[bytes], said: Found) -> Iterator[bytes]:
    """The same text in UTF-8: as long as all is ASCII it is left open what the encoding is."""
    for chunk in chunks:
        if not chunk.isascii() or JAPANESE_MAIL in chunk:
            said.encoding = encoding_of(chunk)
            rest = _with(chunk, chunks)
            yield from recoded(path, said.encoding, rest) if said.encoding else rest
            return
        yield chunk


def _with(chunk: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield chunk
    yield from chunks


def kind_of(name: str, first: bytes) -> str:
    """By content where that is plain, then by the name's ending."""
    ending = PurePosixPath(name).suffix.lower().lstrip(".")
    start = first.lstrip()[:1]
    if start == b"[":
        # One JSON value a line can begin with `[` as well; a backlog's rows are objects.
        after = first.lstrip()[1:].lstrip()[:1]
        if after in (b"{", b"]") or ending == "json" or (after == b"[" and ending in LINES):
            return "json"
        return "jsonl" if ending in LINES else "csv"
    if start == b"{" or first[:1] == RECORD_SEPARATOR:
        return "jsonl"
    if ending in ("mbox", "mbx") or is_mailbox(first):
        return "mbox"
    if ending in ("eml", "emlx") or (ending in ("", "txt") and is_mail(without_envelope(first))):
        return "eml"
    kind = ENDINGS.get(ending, "csv")
    return "jsonl" if kind == "json" else kind


def _is_document(first: bytes) -> bool:
    """Whether values go on over line ends, or stand one behind the other: not a value a line."""
    text = first.lstrip().decode(errors="replace")
    line = text.partition("\n")[0]
    if text[:1] not in "{[" or _is_json(line):
        return False
    second = text[len(line) + 1 :].partition("\n")[0]
    if _is_json(second) and not line.rstrip().endswith("["):
        return False
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        beyond = len(line) + 1 + len(text[len(line) + 1 :]) - len(text[len(line) + 1 :].lstrip())
        return error.pos > beyond
    except (ValueError, RecursionError):
        return False
    # It goes over several lines, or another value stands behind it on the same one.
    return end > len(line) or bool(line[end:].strip())


def _is_json(line: str) -> bool:
    try:
        orjson.loads(line)
    except ValueError:
        return False
    return True
