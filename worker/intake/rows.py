"""Judges one row: a Record, or the reason why not."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import orjson

from worker.domain.backlog import Caps, Record, Reject
from worker.domain.text import has_invisible, is_blank

KNOWN = ("source", "channel", "customer_id", "subject", "language", "received_at")
FIELDS = ("external_id", "body", *KNOWN)
_KNOWN_NAMES = frozenset(FIELDS)
NUL = "\x00"


class Rows:
    """Turns mappings into records. `columns` maps our field names to the file's."""

    def __init__(self, caps: Caps, columns: Mapping[str, str]) -> None:
        self._caps = caps
        self._renamed = {theirs: ours for ours, theirs in columns.items()}

    def judge(self, line: int, row: Mapping[str, Any]) -> Record | Reject:
        """The row as a record, or why it is rejected."""
        if self._renamed:
            row = {self._renamed.get(key, key): value for key, value in row.items()}
        external_id, body = row.get("external_id"), row.get("body")
        if reason := self._bad_id(external_id) or self._bad_body(body):
            if not external_id and not body:
                reason = "missing external_id and body"
            known = external_id if isinstance(external_id, str) and external_id else None
            return Reject(line, reason, known)
        record = Record(line, external_id, body)  # type: ignore[arg-type]
        if len(row) > 2 and (reason := self._more(record, row)):
            return Reject(line, reason, record.external_id)
        return record

    def _bad_id(self, value: Any) -> str | None:
        if type(value) is not str:
            return "missing external_id" if value is None else f"external_id is {kind_of(value)}"
        if not value or (not value.isascii() and is_blank(value)) or value.isspace():
            return "empty external_id"
        if len(value) > self._caps.id_chars:
            return f"external_id is longer than {self._caps.id_chars} characters"
        return "NUL in external_id" if NUL in value else None

    def _bad_body(self, value: Any) -> str | None:
        if type(value) is not str:
            return "missing body" if value is None else f"body is {kind_of(value)}"
        if len(value) > self._caps.body_chars:
            return f"body is longer than {self._caps.body_chars:,} characters"
        if not value[:64].strip() and is_blank(value):
            return "empty body"
        if not value.isascii() and len(value) < 1_000 and is_blank(value):
            return "empty body"
        return "NUL in body" if NUL in value else None

    def _more(self, record: Record, row: Mapping[str, Any]) -> str | None:
        """Fills the optional fields; says why the row must go if one cannot be stored."""
        for name in KNOWN:
            value = row.get(name)
            if value is None or value == "":
                continue
            if isinstance(value, dict | list) and too_deep(value, self._caps.depth):
                return "nesting too deep"
            if not isinstance(value, str):
                value = str(value)
            if NUL in value or len(value) > self._caps.body_chars:
                return f"{name} cannot be stored"
            setattr(record, name, _instant(value) if name == "received_at" else value)
        extra = {k: v for k, v in row.items() if k not in _KNOWN_NAMES and v not in (None, "")}
        if extra:
            return self._metadata(record, extra)
        return None

    def _metadata(self, record: Record, extra: Mapping[str, Any]) -> str | None:
        if any(isinstance(value, dict | list) for value in extra.values()) and too_deep(
            extra, self._caps.depth
        ):
            return "nesting too deep"
        try:
            packed = orjson.dumps(extra)
        except (TypeError, ValueError):
            return "metadata cannot be stored"
        if b"\\u0000" in packed:
            return "NUL in metadata"
        if len(packed) > self._caps.metadata:
            return f"metadata is larger than {self._caps.metadata:,} bytes"
        record.metadata = extra
        return None


def warning_of(record: Record) -> Reject | None:
    """What is odd about a record that is taken nevertheless."""
    if has_invisible(record.external_id):
        return Reject(record.line, "external_id holds invisible characters", record.external_id)
    return None


def kind_of(value: Any) -> str:
    """The kind of a JSON value, with its article."""
    kinds = {bool: "a boolean", int: "a number", float: "a number", list: "an array"}
    return "an object" if isinstance(value, dict) else kinds.get(type(value), "not text")


def too_deep(value: Any, left: int) -> bool:
    """Whether objects and arrays nest deeper than `left`."""
    if left < 0:
        return True
    if isinstance(value, Mapping):
        return any(too_deep(inner, left - 1) for inner in value.values())
    return isinstance(value, list) and any(too_deep(inner, left - 1) for inner in value)


def _instant(value: str) -> dt.datetime | None:
    """An ISO 8601 time in UTC, and as UTC where it names no zone; None when it cannot be read.
    Postgres takes no offsets beyond 16 hours, nor any with parts of a second."""
    try:
        moment = dt.datetime.fromisoformat(value)
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
