"""Pages as a team or a crawler exports them: addresses with their words, as a JSON list or one on
each line."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

MAX_PAGE_BYTES = 2_000_000
LEAST_BAD, HTTP_DIGITS = 400, 3
_ADDRESS, _WORDS = ("url", "address", "link"), ("markdown", "html", "text", "body", "content")
_STATUS = ("status", "status_code", "http_status", "statuscode", "code")
_BEGINNING = re.compile(r"^https?://(?:www\.)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One page of an export, as it stands there."""

    address: str
    words: str
    title: str
    language: str
    is_html: bool

    @property
    def name(self) -> str:
        """The address without what every address begins with."""
        return _BEGINNING.sub("", self.address)


def entries_in(text: str) -> Iterator[tuple[str, Entry | str]]:
    """Each entry behind what it is called (`entry 3`, `line 3`); in place of one that cannot be
    taken the end of a sentence that says why. Raises ValueError for a list that is no JSON."""
    if text.lstrip().startswith("["):
        for number, row in enumerate(orjson.loads(text), start=1):
            yield f"entry {number}", _entry(row)
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"line {number}", _line(line)


def _line(line: str) -> Entry | str:
    try:
        return _entry(orjson.loads(line))
    except orjson.JSONDecodeError:
        return "is no JSON."


def _entry(row: Any) -> Entry | str:
    """A page that was not there when it was fetched would tell customers so."""
    if not isinstance(row, Mapping):
        return "is no mapping."
    status = _value(row, _STATUS)
    if len(status) == HTTP_DIGITS and status.isdecimal() and int(status) >= LEAST_BAD:
        return f"was not there when it was exported (HTTP {status})."
    address, words = _value(row, _ADDRESS), _value(row, _WORDS)
    if not address or not words:
        return "has no url, or no text, html or markdown."
    if len(words) > MAX_PAGE_BYTES:
        most = MAX_PAGE_BYTES // 1_000_000
        return f"has {len(words) / 1e6:.1f} MB, and a page may have {most}."
    return Entry(
        address=address,
        words=words,
        title=_value(row, ("title",)),
        language=_value(row, ("language",)),
        is_html=bool(row.get("html")) and not row.get("markdown"),
    )


def _value(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((str(row[name]) for name in names if row.get(name)), "")
