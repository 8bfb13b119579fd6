"""Mailboxes (`.mbox`, as Gmail hands them out) and single mails (`.eml`, and Apple's `.emlx`): a
mail, a row."""

import email
import hashlib
import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.policy import Compat32
from email.utils import parseaddr
from itertools import islice, repeat
from typing import Any

from worker.domain.backlog import Caps, Reject
from worker.intake.automatic_mail import why_automatic
from worker.intake.mail_parts import (
    ENCRYPTED,
    THROWN_AWAY,
    WITHOUT_TEXT,
    is_encrypted,
    read_parts,
    why_no_question,
)
from worker.intake.mailboxes import is_separator, split, whole
from worker.intake.remarks import SUBJECT_ALONE
from worker.intake.rows import Item

LONGEST_HEADER = 8_000
"""Characters of one header that are read. Python's parsers of addresses and parameters take
quadratic time, and so much is half a second at worst; no mail program writes longer ones."""
MOST_HEADERS = 20_000
"""Of a mail and all its parts; one that has more is not read."""
MOST_BOUNDARIES = 5_000
"""Lines that may part a mail: it is read no further, for a few megabytes can hold a million parts.
"""
MOST_OF_PARTS = 40
"""Parts that have parts: at the next one it is read no further, for Python looks in each line for
the end of every one that is open."""
_OF_PARTS = re.compile(
    rb"^content-type:[ \t\r\n]*(?:multipart/|message/delivery-status)", re.I | re.M
)
WORDS_OF_A_QUESTION = 3
"""Of a mail without a text, in its subject: fewer name a matter or a file, and ask nothing."""
_OWN = """
sent,sent mail,sent items,draft,drafts,gesendet,gesendete objekte,entwurf,entwürfe,envoyés,
messages envoyés,brouillon,brouillons,enviado,enviados,borrador,borradores,rascunho,rascunhos,
inviati,posta inviata,bozza,bozze,verzonden,concept,concepten,wysłane,kopie robocze,отправленные,
черновики,送信済み,送信済みメール,下書き,已发送,已发邮件,草稿,보낸편지함,임시보관함
"""
OWN = frozenset(" ".join(label.split()) for label in _OWN.split(","))
"""Gmail's labels, in its languages, of what left the mailbox or did not leave it yet."""
_NOBODY = re.compile(r"(?:do[._-]?not|no)[._-]?reply\b", re.I)
_VIA = re.compile(r"\b(?:via|über|vía|através de) \S", re.I)
_APPLES = re.compile(rb"\s*(\d{1,12})\s*\n(?=[!-9;-~]+:)")
"""What stands before a mail in a file of Apple Mail (`.emlx`): its length, for words of the
program's own stand behind it."""
KEPT = {
    "x-gm-thrid": "thread",
    "in-reply-to": "in_reply_to",
    "to": "to",
    "x-gmail-labels": "labels",
}


class _Short(Compat32):
    """Python's usual way, with no more headers, and no longer ones, than are read of a mail."""

    left: Iterator[bool] = iter(())

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """The name, and as much of the value. Raises ValueError when there are too many."""
        if not next(self.left, False):
            raise ValueError("more headers than any mail has")
        name, value = super().header_source_parse(sourcelines)
        return name, value[:LONGEST_HEADER]


def _short() -> _Short:
    """For one mail: it counts."""
    return _Short(left=repeat(True, MOST_HEADERS))  # type: ignore[call-arg]


def is_mailbox(first: bytes) -> bool:
    """Whether the file begins as a mailbox does: a separator, then headers."""
    line, _, rest = first.partition(b"\n")
    return is_separator(line, line) and is_mail(rest)


def is_mail(first: bytes) -> bool:
    """Whether the file begins with the headers of a mail."""
    head = first[:20_000].replace(b"\r\n", b"\n").partition(b"\n\n")[0].split(b"\n")
    names = {line.partition(b":")[0].strip().lower() for line in head if b":" in line}
    first_line = re.match(rb"[A-Za-z][A-Za-z0-9-]*:[ \t]", head[0]) if head else None
    return first_line is not None and b"from" in names and len(names & _USUAL) >= 2


_USUAL = {b"date", b"subject", b"to", b"message-id", b"mime-version", b"received", b"content-type"}


def read_mailbox(chunks: Iterator[bytes], caps: Caps, *, single: bool) -> Iterator[Item]:
    """Every mail. Of a long one only the beginning is read: what is behind are attachments."""
    for line, raw in (whole if single else split)(chunks, caps.line):
        yield _mail(line, without_envelope(raw) if single else raw)


def without_envelope(raw: bytes) -> bytes:
    """The mail in a file of Apple Mail; any other as it is."""
    apples = _APPLES.match(raw)
    return raw[apples.end() : apples.end() + int(apples[1])] if apples else raw


def _mail(line: int, raw: bytes) -> Item:
    try:
        message = email.message_from_bytes(_begun(raw), policy=_short())
        labels = {label.strip() for label in _header(message, "x-gmail-labels").split(",")}
        if own := next((label for label in sorted(labels) if label.casefold() in OWN), None):
            return Reject(line, f"a mail of this mailbox's owner (label {own})")
        if label := next((one for one in sorted(labels) if one.casefold() in THROWN_AWAY), None):
            return Reject(line, f"a mail that was thrown away (label {label})")
        known = _header(message, "message-id").strip("<> \t") or _fingerprint(raw)
        subject = _header(message, "subject")
        if reason := why_no_question(message) or why_automatic(message, subject):
            return Reject(line, reason, known)
        body, attachments = read_parts(message)
        alone = body is None and len(subject.split()) >= WORDS_OF_A_QUESTION
        body = subject if alone else body
        if body is None or is_encrypted(body):
            return Reject(line, WITHOUT_TEXT if body is None else ENCRYPTED, known)
        row: dict[str, Any] = {
            "external_id": known,
            "body": body,
            "subject": subject,
            "customer_id": _sender(message),
            "received_at": _header(message, "date"),
            "channel": "email",
            **{name: _header(message, header) for header, name in KEPT.items()},
        }
        if attachments:
            row["attachments"] = attachments
        if alone:
            row[SUBJECT_ALONE] = True
        return line, {name: value for name, value in row.items() if value or name == "body"}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Reject(line, "a mail that cannot be read: its parts or headers are damaged")


def _sender(message: Message) -> str | None:
    """Who wrote it: behind a form that signs with an address which nobody reads, whom it names;
    behind a group that signs in a writer's place (`'Ann' via Support`), the writer."""
    if original := parseaddr(_header(message, "x-original-from"))[1]:
        return original
    name, sender = parseaddr(_header(message, "from"))
    if _VIA.search(name) and (original := parseaddr(_header(message, "x-original-sender"))[1]):
        return original
    if _NOBODY.match(sender) or _VIA.search(name):
        sender = parseaddr(_header(message, "reply-to"))[1] or sender
    return sender or None


def _begun(raw: bytes) -> bytes:
    """The mail as far as it is read."""
    at = count = 0
    while (at := raw.find(b"\n--", at) + 1) and count < MOST_BOUNDARIES:
        count += 1
    raw = raw[:at] if at else raw
    if count <= MOST_OF_PARTS:
        return raw
    further = next(islice(_OF_PARTS.finditer(raw), MOST_OF_PARTS, None), None)
    return raw if further is None else raw[: further.start()]


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
