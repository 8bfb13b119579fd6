"""Rows in COPY's binary format: Postgres reads it faster than text, and nothing in a message has to
be escaped. A field is its length in four bytes and then itself; a row, the number of its fields and
then these."""

import datetime as dt
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct

import orjson
import psycopg
from psycopg.errors import DeadlockDetected, UniqueViolation
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from worker.domain.backlog import PlainRows, Record

DEFAULT_SOURCE = "default"
DIGEST_BYTES = 16
OWN_COLUMNS = 500
"""Names of columns that are not ours, of one intake, or a few more."""
PIECE = 500
"""Parts of rows that are sent at once."""
NOT_ALL_NEW = (UniqueViolation, DeadlockDetected)
"""What a chunk meets in which some message is known, or is just being made known by another."""
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
NOTHING_MORE = b"\x00\x00\x00\x03\x01{}"
"""An empty object of jsonb, whose format is version 1 and then its text."""
DIGEST = DIGEST_BYTES.to_bytes(4, "big")
EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
"""Postgres counts a time in these from that one."""
_NO_SUBJECT = hashlib.sha256(b"\0")
"""Begun once: OpenSSL makes a copy in less than it begins another in."""
_size = Struct("!I").pack
_number = Struct("!iq").pack
_message = Struct("!hiq").pack
_MESSAGE_FIELDS, _JOB_FIELDS, _TRIED_FIELDS = 11, 4, 4
_BIGINT = 8
_EMPTY = len(NULL)
"""Bytes of a field in which no text is."""


def copy_in(connection: Connection, statement: str, rows: Iterator[bytes]) -> None:
    """Sends rows in pieces, so that Postgres stores some while the next are being made. Errors are
    SQLAlchemy's, as those of any other statement, but for NOT_ALL_NEW.

    A transaction is begun where none is: SQLAlchemy does not see what its driver is told, and
    would commit nothing."""
    if not connection.in_transaction():
        connection.begin()
    cursor = connection.connection.cursor()
    try:
        with cursor.copy(statement) as copy:
            copy.write(HEADER)
            while piece := b"".join(itertools.islice(rows, PIECE)):
                copy.write(piece)
            copy.write(END)
    except NOT_ALL_NEW:
        raise
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, None, error, psycopg.Error) from error


@dataclass(frozen=True, slots=True)
class PackedRows:
    """Records as COPY takes them: the line of each, and its fields behind the first, which is the
    message's id, or the line. `own` names columns that are not ours, in order of appearance."""

    lines: Sequence[int]
    rows: Sequence[bytes]
    own: Mapping[str, None]


def packed_rows(records: Sequence[Record], source: str | None) -> PackedRows:
    """As `packed`, of records alone."""
    return packed((records,), source)


def packed(parts: Iterable[Sequence[Record] | PlainRows], source: str | None) -> PackedRows:
    """Everything that Postgres is told of these rows, which can be forgotten. `source` wins over
    theirs."""
    lines, rows, own = list[int](), list[bytes](), dict[str, None]()
    for part in parts:
        if isinstance(part, PlainRows):
            lines += part.lines
            rows += _plain(part, source)
            continue
        for r in part:
            lines.append(r.line)
            rows.append(_row(r, source))
            if r.metadata and len(own) < OWN_COLUMNS and not r.metadata.keys() <= own.keys():
                own |= dict.fromkeys(r.metadata)
    return PackedRows(lines, rows, own)


def _row(r: Record, source: str | None) -> bytes:
    external_id, body = r.external_id.encode(), r.body.encode()
    subject = NULL if r.subject is None else _text(r.subject)
    return b"".join(
        (
            _few_words(source or r.source or DEFAULT_SOURCE, r.channel, r.language),
            _size(len(external_id)),
            external_id,
            _size(len(body)),
            body,
            DIGEST,
            _digest(subject, body),
            subject,
            NULL if r.customer_id is None else _text(r.customer_id),
            NULL if r.received_at is None else _moment(r.received_at),
            _document(r.packed or orjson.dumps(r.metadata)) if r.metadata else NOTHING_MORE,
        )
    )


def _plain(rows: PlainRows, source: str | None) -> Iterator[bytes]:
    """The same of many rows, in the same order, a column at a time: a call for each field of each
    row would take longer than all else here."""
    columns, none = rows.others, [None] * len(rows)
    ids, bodies = list(map(str.encode, rows.external_ids)), list(map(str.encode, rows.bodies))
    sources = [source or one or DEFAULT_SOURCE for one in columns.get("source", none)]
    few = map(_few_words, sources, columns.get("channel", none), columns.get("language", none))
    subjects = _texts(columns.get("subject", none))
    digests = map(_digest, subjects, bodies)
    fields = (
        *(few, map(_size, map(len, ids)), ids, map(_size, map(len, bodies)), bodies),
        *([DIGEST] * len(rows), digests, subjects, _texts(columns.get("customer_id", none))),
    )
    return map(b"".join, zip(*fields, [NULL + NOTHING_MORE] * len(rows), strict=True))


def _texts(values: Sequence[str | None]) -> list[bytes]:
    return [
        NULL if one is None else _size(len(encoded := one.encode())) + encoded for one in values
    ]


def numbered(numbers: Iterable[int], chunk: PackedRows) -> Iterator[bytes]:
    """Each number, and the row behind it."""
    begins = map(_message, itertools.repeat(_MESSAGE_FIELDS), itertools.repeat(_BIGINT), numbers)
    return itertools.chain.from_iterable(zip(begins, chunk.rows, strict=True))


def job_rows(ids: Iterable[int], run: int, lane: str, priority: int) -> Iterator[bytes]:
    """A job for each of these messages."""
    job = _JOB_FIELDS.to_bytes(2, "big") + _text(lane)
    job += _size(2) + priority.to_bytes(2, "big", signed=True) + _number(_BIGINT, run)
    return (job + _number(_BIGINT, id_) for id_ in ids)


def tried_rows(records: Sequence[Record], source: str | None) -> Iterator[bytes]:
    """What a trial is told of each record, behind its place among these."""
    for number, r in enumerate(records):
        known_by = _text(source or r.source or DEFAULT_SOURCE) + _text(r.external_id)
        yield _message(_TRIED_FIELDS, _BIGINT, number) + known_by + DIGEST + digest_of(r)


def digest_of(record: Record) -> bytes:
    """What tells changed text under a known id."""
    return _digest(_text(record.subject or ""), record.body.encode())


def _digest(subject: bytes, body: bytes) -> bytes:
    """Of a body and its subject, which is a field."""
    hashed = _NO_SUBJECT.copy() if len(subject) == _EMPTY else hashlib.sha256(subject[4:] + b"\0")
    hashed.update(body)
    return hashed.digest()[:DIGEST_BYTES]


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _size(len(encoded)) + encoded


@lru_cache(1_000)
def _few_words(source: str, channel: str | None, language: str | None) -> bytes:
    """Columns that have few words."""
    return b"".join(NULL if one is None else _text(one) for one in (source, channel, language))


def _moment(value: dt.datetime) -> bytes:
    return _number(_BIGINT, (value - EPOCH) // MICROSECOND)


def _document(packed: bytes) -> bytes:
    return _size(len(packed) + 1) + b"\x01" + packed
