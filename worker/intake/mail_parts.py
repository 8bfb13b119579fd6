"""What a mail says, out of its parts; and what is a mail, but nobody's question."""

import re
from collections.abc import Mapping
from email.message import Message

from worker.domain.backlog import BacklogError
from worker.intake.cell_text import JOINT
from worker.intake.encodings import SINGLE, encoding_of, known_encoding
from worker.intake.markup import is_markup, text_of

DEEPEST = 40
STUB = 200
"""Characters of a plain part that may only say that the mail is in HTML."""
WIDER: Mapping[str, str] = {
    "us-ascii": "utf-8", "ascii": "utf-8", "iso-8859-1": "cp1252", "iso8859-1": "cp1252",
    "latin-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "iso-8859-9": "cp1254", "big5": "big5hkscs",
}  # fmt: skip
"""What is written under a charset's name is often of one that has more characters."""
_THROWN_AWAY = """
spam,junk,trash,papierkorb,corbeille,papelera,lixeira,cestino,prullenbak,kosz,корзина,спам,
ゴミ箱,迷惑メール,已删除邮件,垃圾邮件,휴지통,스팸함
"""
THROWN_AWAY = frozenset(label.strip() for label in _THROWN_AWAY.split(","))
"""Gmail's labels, in its languages, of what nobody is going to answer."""
_DELETED = 0x0008
"""Thunderbird's mark of a mail that it has not yet taken out of its file."""
_ENCRYPTED = "-----BEGIN PGP MESSAGE-----"
_SIGNED = re.compile(
    r"-----BEGIN PGP SIGNED MESSAGE-----\n(?:[^\n]+\n)*\n(.*?)\n?-----BEGIN PGP SIGNATURE-----.*",
    re.S,
)
_BASE64 = re.compile(r"[A-Za-z0-9+/=]*\s*")
ENCRYPTED = "an encrypted mail"
WITHOUT_TEXT = "missing body"


def why_no_question(message: Message) -> str | None:
    """Why nobody waits for an answer to this mail."""
    flags = str(message.get("x-mozilla-status", "")).strip()
    if re.fullmatch(r"[0-9A-Fa-f]{4}", flags) and int(flags, 16) & _DELETED:
        return "a mail that was deleted in Thunderbird"
    kind = message.get_content_type()
    if kind in ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"):
        return ENCRYPTED
    return None


def read_parts(message: Message) -> tuple[str | None, list[str]]:
    """What it says, as text or as HTML, and the names of what is attached to it."""
    attachments: list[str] = []
    said = (_said(message, attachments, 0) or "").strip()
    if found := _SIGNED.fullmatch(said):
        said = re.sub(r"^- ", "", found[1], flags=re.M).strip()
    return said or None, attachments


def is_encrypted(said: str) -> bool:
    """Whether a mail's text is one that only its reader can open."""
    return said.startswith(_ENCRYPTED)


def _said(part: Message, attachments: list[str], depth: int) -> str | None:
    if depth > DEEPEST:
        return None
    kind, inner = part.get_content_type(), part.get_payload() if part.is_multipart() else None
    if isinstance(inner, list):
        parts = [one for one in inner if isinstance(one, Message)]
        said = [(one, _said(one, attachments, depth + 1)) for one in parts]
        if kind == "multipart/alternative":
            return _chosen(said)
        return _joined([text for _, text in said if text])
    name = part.get_filename()
    if name or part.get_content_disposition() == "attachment":
        attachments.append((name or kind)[:200])
    elif kind in ("text/plain", "text/html") or kind.startswith("multipart/"):
        return _text(part) or None
    return None


def _chosen(said: list[tuple[Message, str | None]]) -> str | None:
    """The plain one of several that say the same, or else the last; unless the plain one says only
    that there is another."""
    plain = next((text for one, text in said if text and _is_plain(one)), None)
    other = next((text for one, text in reversed(said) if text and not _is_plain(one)), None)
    if plain and other and len(plain) < STUB and is_markup(other):
        words = " ".join((text_of(other) or "").split())
        if len(words) > len(plain) and " ".join(plain.split())[:40] not in words:
            return other
    return plain or other


def _is_plain(part: Message) -> bool:
    return part.get_content_type() == "text/plain"


def _joined(said: list[str]) -> str | None:
    """What stands in several parts, around pictures or above a mail that was forwarded."""
    if len(said) > 1 and any(map(is_markup, said)) and not all(map(is_markup, said)):
        said = [(text_of(text) if is_markup(text) else None) or text for text in said]
    return JOINT.join(said) or None


def _text(part: Message) -> str:
    footer = _footer(part)
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    text = _decoded(payload, (part.get_content_charset() or "utf-8").lower())
    text = text.replace("\r\n", "\n").replace("\x00", "")
    if str(part.get_param("format", "")).lower() == "flowed":
        text = _unflowed(text, joined=str(part.get_param("delsp", "")).lower() == "yes")
    return f"{text.strip()}{footer}".strip()


def _footer(part: Message) -> str:
    """Takes out of a part in Base64 what a list of mails put behind it, which is none: decoded
    with it, it becomes letters that nobody wrote."""
    said = part.get_payload()
    if str(part.get("content-transfer-encoding", "")).strip().lower() != "base64":
        return ""
    lines = said.splitlines(keepends=True) if isinstance(said, str) else []
    at = next((n for n, line in enumerate(lines) if not _BASE64.fullmatch(line)), 0)
    if at == 0:
        return ""
    part.set_payload("".join(lines[:at]))
    return f"\n\n{''.join(lines[at:]).strip()}"


def _unflowed(text: str, *, joined: bool) -> str:
    """Lines that a program broke, which end with a blank, as the one that they were; `joined`: the
    blank was put there too."""
    lines = list[str]()
    open_at = ""
    for line in text.split("\n"):
        quoted = line[: len(line) - len(line.lstrip(">"))]
        bare = line[len(quoted) :].removeprefix(" ")
        if lines and open_at == quoted and lines[-1].endswith(" ") and bare != "-- ":
            lines[-1] = (lines[-1][:-1] if joined else lines[-1]) + bare
        else:
            lines.append(f"{quoted} {bare}" if quoted else bare)
        open_at = "no" if bare == "-- " else quoted
    return "\n".join(lines)


def _decoded(payload: bytes, charset: str) -> str:
    """As its charset has it, if it is of that charset; of what is not ASCII and sound UTF-8 all the
    same, no other is believed that has a byte for each character."""
    try:
        encoding = known_encoding(WIDER.get(charset, charset))
    except BacklogError:
        encoding = "utf-8"
    first = ("utf-8", encoding) if encoding.replace("-", "_") in SINGLE else (encoding, "utf-8")
    for name in (*first, encoding_of(payload) or "cp1252"):
        try:
            return payload.decode(name)
        except UnicodeDecodeError:
            continue
    return payload.decode("cp1252", "replace")
