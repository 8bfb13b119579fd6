"""Mailboxes (`.mbox`, as Gmail hands them out) and single mails (`.eml`): a mail, a row."""

import email
import hashlib
import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr
from typing import Any

from worker.domain.backlog import Caps, Reject
from worker.intake.rows import Item

FROM = b"From "
LONGEST_PIECE = 1_000_000
_FROM_LINE = re.compile(rb"^From \S+ +(?:\w{3},? )?\w{3} +\d{1,2} \d\d:\d\d(?::\d\d)?.*\d{4}")
"""As every mail program writes it. Less would let a mail that quotes one cut itself in two."""
_QUOTED_FROM = re.compile(rb"^>+From ")
KEPT = {
    "x-gm-thrid": "thread",
    "in-reply-to": "in_reply_to",
    "to": "to",
    "x-gmail-labels": "labels",
}


def is_mailbox(first: bytes) -> bool:
    """Whether the file begins as a mailbox does: a separator, then headers."""
    line, _, rest = first.partition(b"\n")
    return _FROM_LINE.match(line) is not None and is_mail(rest)


def is_mail(first: bytes) -> bool:
    """Whether the file begins with the headers of a mail."""
    head = first[:20_000].replace(b"\r\n", b"\n").partition(b"\n\n")[0].split(b"\n")
    names = {line.partition(b":")[0].strip().lower() for line in head if b":" in line}
    first_line = re.match(rb"[A-Za-z][A-Za-z0-9-]*:[ \t]", head[0]) if head else None
    return first_line is not None and b"from" in names and len(names & _USUAL) >= 2


_USUAL = {b"date", b"subject", b"to", b"message-id", b"mime-version", b"received", b"content-type"}


def read_mailbox(chunks: Iterator[bytes], caps: Caps, *, single: bool) -> Iterator[Item]:
    """Every mail. Of a long one only the beginning is read: what is behind are attachments."""
    for line, raw in _split(chunks, caps.line, single):
        yield _mail(line, raw)


def _split(chunks: Iterator[bytes], cap: int, single: bool) -> Iterator[tuple[int, bytes]]:
    """Each mail's first line, and its bytes as far as the cap."""
    held: list[bytes] = []
    start, size, blank = 1, 0, True
    for number, line in enumerate(_lines(chunks), 1):
        if not single and blank and line.startswith(FROM) and _FROM_LINE.match(line):
            if held:
                yield start, b"".join(held)
            start, held, size = number, [], 0
            continue
        blank = not line.strip(b"\r\n")
        if size < cap:
            held.append(line[1:] if _QUOTED_FROM.match(line) else line)
            size += len(line)
    if held:
        yield start, b"".join(held)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines with their ends; a very long one comes in several pieces."""
    held = b""
    for chunk in chunks:
        *lines, held = (held + chunk).split(b"\n")
        for line in lines:
            yield line + b"\n"
        if len(held) > LONGEST_PIECE:
            yield held
            held = b""
    if held:
        yield held


def _mail(line: int, raw: bytes) -> Item:
    try:
        message = email.message_from_bytes(raw)
        body, attachments = _body(message)
        row: dict[str, Any] = {
            "external_id": _header(message, "message-id").strip("<> \t") or _fingerprint(raw),
            "body": body,
            "subject": _header(message, "subject"),
            "customer_id": parseaddr(_header(message, "from"))[1] or None,
            "received_at": _header(message, "date"),
            "channel": "email",
            **{name: _header(message, header) for header, name in KEPT.items()},
        }
        if attachments:
            row["attachments"] = attachments
        return line, {name: value for name, value in row.items() if value}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        return Reject(line, f"a mail that cannot be read ({type(error).__name__})")


def _fingerprint(raw: bytes) -> str:
    """What a mail without an id of its own is known by."""
    return f"mail-{hashlib.sha256(raw).hexdigest()[:24]}"


def _header(message: Message, name: str) -> str:
    """The header's text, with its encoded words decoded."""
    value = message.get(name)
    if value is None:
        return ""
    try:
        text = str(make_header(decode_header(value)))
    except (ValueError, LookupError):
        text = str(value)
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join(text.replace("\x00", "").split())


def _body(message: Message) -> tuple[str | None, list[str]]:
    """The first part that is plain text, or else HTML; and the names of what is attached."""
    found: dict[str, str] = {}
    attachments = []
    for part in message.walk():
        if part.is_multipart():
            continue
        name = part.get_filename()
        kind = part.get_content_type()
        if name or part.get_content_disposition() == "attachment":
            attachments.append((name or kind)[:200])
        elif kind in ("text/plain", "text/html") and kind not in found and (text := _text(part)):
            found[kind] = text
    return found.get("text/plain") or found.get("text/html"), attachments


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_content_charset() or "utf-8"
    try:
        text = payload.decode(charset)
    except (LookupError, UnicodeDecodeError):
        text = payload.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\x00", "").strip()
