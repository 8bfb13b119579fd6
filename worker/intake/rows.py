"""Judges one row: a Record, or the reason why not; and notes what was done to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from worker.domain.backlog import (
    LONGEST,
    Caps,
    Care,
    Note,
    Notes,
    PlainRows,
    Record,
    Reject,
)
from worker.domain.text import is_blank
from worker.intake import remarks
from worker.intake.cell_text import as_text
from worker.intake.cell_words import is_nothing, tidied, why_no_id
from worker.intake.dates import moment_of
from worker.intake.layouts import Layout, layout_of
from worker.intake.markup import is_markup, only_pictures, text_of, unquoted, without_entities
from worker.intake.metadata import too_deep, with_room
from worker.intake.numbered_dates import Ambiguous, DateOrder
from worker.intake.paths import parse_place
from worker.intake.plain_columns import plain_rows
from worker.intake.plain_rows import are_wide, plain_record
from worker.intake.product_rows import FileWords, RowWords, row_words_of

ORIGINAL = "original_body"
NUL = "\x00"
MOST_LAYOUTS = 1_000
"""Rows of one file have few shapes; one in which every row has its own costs speed, not memory."""
MOST_NAMES = 1_000_000
"""Columns of all these shapes together."""

Item = tuple[int, Mapping[str, Any]] | Reject
"""A row as it was read, with its line, or why it could not be."""


class Rows:
    """Turns mappings into records. `columns` says where our fields stand in the file; a field that
    it does not name is looked for under its own name. `order` is that of day and month; `mails`
    have attachments; `floats`: ids with a point are whole numbers, None where ids stay as they are.
    What is `told` of whole rows is heard."""

    def __init__(
        self,
        caps: Caps,
        columns: Mapping[str, str] | None = None,
        *,
        order: DateOrder | None = None,
        strip_quotes: bool = False,
        mails: bool = False,
        told: FileWords | None = None,
        floats: bool | None = None,
    ) -> None:
        self._caps, self._order, self._strip_quotes = caps, order, strip_quotes
        self._mails, self._floats, self._told = mails, floats, told
        self._places = {name: parse_place(text) for name, text in (columns or {}).items()}
        picks = "body" in self._places and self._places["body"].picks
        self._no_body = f"missing body{remarks.NOTHING_PUBLIC if picks else ''}"
        self._plain = not strip_quotes and told is None and are_wide(caps)
        self._words: dict[tuple[str, ...], RowWords | None] = {}
        self._layouts: dict[tuple[str, ...], Layout] = {}
        self._names, self._notes = 0, Notes()

    def fresh_notes(self) -> Notes:
        """What is done to rows from now on is noted here."""
        self._notes = Notes()
        return self._notes

    def by_columns(self, items: Sequence[Item]) -> tuple[PlainRows, Sequence[int]] | None:
        """What can be judged by columns, and which of these rows are not plain; None where each is
        to be judged by itself."""
        first = items[0]
        if not self._plain or isinstance(first, Reject):
            return None
        layout = self._layouts.get(names := tuple(first[1])) or self._layout(names)
        if layout.plain is None or layout.rest or layout.plain.moment is not None:
            return None
        return plain_rows(items, names, layout.plain, floats=self._floats)

    def judge(self, line: int, row: Mapping[str, Any]) -> Record | Reject:
        """The row as a record, or why it is rejected."""
        layout = self._layouts.get(names := tuple(row)) or self._layout(names)
        columns = layout.plain if self._plain else None
        if columns and (plain := plain_record(line, row, columns, floats=self._floats)):
            extra = layout.beside(row) if layout.rest else {}
            if columns.moment is not None and (value := row[columns.moment]):
                self._put_moment(plain, value, extra)
            self._metadata(plain, extra)
            return plain
        away = None
        if self._told is not None and (words := self._words[names]) is not None:
            away, row = words.why_away(row), words.in_words(row, line, self._notes)
        external_id, body, original = layout.external_id(row), layout.body(row), None
        if type(external_id) is int:
            external_id = self._coerced(line, "external_id", external_id)
        elif self._floats is not None:
            external_id = self._tidied(line, "external_id", external_id)
        if type(body) is dict:
            body = as_text(body)
        if type(body) is str and ("<" in body or "&" in body or self._strip_quotes):
            body, original = self._said(line, body)
        if reason := self._bad_id(external_id) or away or self._bad_body(body):
            if not external_id and not body and not away:
                reason = "missing external_id and body"
            known = external_id if isinstance(external_id, str) and external_id else None
            return Reject(line, reason, known)
        record = Record(line=line, external_id=external_id, body=body)
        if (layout.others or layout.rest or original) and (
            reason := self._more(record, row, layout, original)
        ):
            return Reject(line, reason, record.external_id)
        return record

    def _layout(self, names: tuple[str, ...]) -> Layout:
        self._names += len(names)
        if len(self._layouts) >= MOST_LAYOUTS or self._names > MOST_NAMES:
            self._layouts.clear()
            self._words.clear()
            self._names = len(names)
        layout = self._layouts[names] = layout_of(names, self._places)
        self._words[names] = row_words_of(names, self._told)
        return layout

    def _tidied(self, line: int, field: str, value: Any) -> Any:
        tidy, words = tidied(value, floats=self._floats is True)
        if words is not None:
            self._notes.add(Note(Care.COERCED, field, words), line)
        return tidy

    def _coerced(self, line: int, field: str, value: int) -> str:
        self._notes.add(Note(Care.COERCED, field, remarks.DIGITS), line)
        return str(value)

    def _said(self, line: int, body: str) -> tuple[str, str | None]:
        """What the customer said, and the body as it came where that is not the same."""
        said = body
        if "&" in said and not is_markup(said) and (plain := without_entities(said)) != said:
            self._notes.add(Note(Care.COERCED, "body", remarks.ENTITIES), line)
            said = plain
        if is_markup(said) and (text := text_of(said, quotes=self._strip_quotes)) is not None:
            self._notes.add(Note(Care.COERCED, "body", remarks.AS_TEXT), line)
            said = text
        if self._strip_quotes and (kept := unquoted(said)) != said.strip():
            self._notes.add(Note(Care.COERCED, "body", remarks.CUT), line)
            said = kept
        return said, (body if said is not body else None)

    def _bad_id(self, value: Any) -> str | None:
        if type(value) is not str:
            return remarks.missing("external_id", value)
        if not value:
            return "missing external_id"
        if (not value.isascii() and is_blank(value)) or value.isspace():
            return "empty external_id"
        if len(value) > self._caps.id_chars:
            return f"external_id is longer than {self._caps.id_chars} characters"
        if not value.isascii() and len(value.encode(errors="replace")) > self._caps.id_bytes:
            return f"external_id is longer than {self._caps.id_bytes:,} bytes"
        return "NUL in external_id" if NUL in value else why_no_id(value)

    def _bad_body(self, value: Any) -> str | None:
        if type(value) is not str:
            return self._no_body if value is None else f"body is {remarks.kind_of(value)}"
        if len(value) > self._caps.body_chars:
            return f"body is longer than {self._caps.body_chars:,} characters"
        if not value[:64].strip() and is_blank(value):
            return "empty body"
        if only_pictures(value) or (not value.isascii() and len(value) < 1_000 and is_blank(value)):
            return "empty body"
        if is_nothing("body", value):
            return remarks.no_words(value)
        return "NUL in body" if NUL in value else None

    def _more(
        self, record: Record, row: Mapping[str, Any], layout: Layout, original: str | None
    ) -> str | None:
        """Fills the optional fields; says why the row must go if one cannot be stored."""
        extra = layout.beside(row)
        for field, getter in layout.others:
            value = getter(row)
            if type(value) is str:
                if not value or is_nothing(field, value):
                    continue
            elif value is None or value == []:
                continue
            elif isinstance(value, dict | list) and too_deep(value, self._caps.depth):
                return "nesting too deep"
            if field == "received_at":
                self._put_moment(record, value, extra)
            elif reason := self._put(record, field, value, extra):
                return reason
        self._metadata(record, extra)
        if original is not None:
            self._keep(record, original)
        return None

    def _put(self, record: Record, field: str, value: Any, extra: dict[str, Any]) -> str | None:
        if type(value) is dict:
            value = as_text(value)
        if type(value) is int:
            value = self._coerced(record.line, field, value)
        elif self._floats is not None and field == "customer_id":
            value = self._tidied(record.line, field, value)
        elif field == "subject" and type(value) is str and "<" in value and is_markup(value):
            value = text_of(value) or value
        if not isinstance(value, str):
            self._notes.add(Note(Care.KEPT_AS_METADATA, field, remarks.NOT_TEXT), record.line)
            extra[field] = value
        elif len(value) > LONGEST[field]:
            return f"{field} is longer than {LONGEST[field]:,} characters"
        elif NUL in value:
            return f"NUL in {field}"
        else:
            setattr(record, field, value)
        return None

    def _put_moment(self, record: Record, value: Any, extra: dict[str, Any]) -> None:
        words = remarks.UNREAD
        try:
            record.received_at = moment_of(value, self._order)
        except Ambiguous:
            words = remarks.AMBIGUOUS
        if record.received_at is None:
            self._notes.add(Note(Care.KEPT_AS_METADATA, "received_at", words), record.line)
            extra["received_at"] = value

    def _keep(self, record: Record, original: str) -> None:
        """The body as it came, beside what was made of it."""
        if NUL in original or len(original.encode(errors="replace")) > self._caps.original:
            self._notes.add(Note(Care.LEFT_OUT, "body", remarks.NO_ROOM_FOR_ORIGINAL), record.line)
        else:
            record.metadata, record.packed = {**(record.metadata or {}), ORIGINAL: original}, None

    def _metadata(self, record: Record, extra: dict[str, Any]) -> None:
        if not extra:
            return
        for note in remarks.of_mail(extra) if self._mails else ():
            self._notes.add(note, record.line)
        record.metadata, record.packed, notes = with_room(extra, self._caps)
        for note in notes:
            self._notes.add(note, record.line)
