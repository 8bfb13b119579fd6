"""What is no backlog, called what it is: by its first bytes, in the file or in what it packs."""

import re
from shlex import quote

from worker.domain.backlog import BacklogError

_RESAVE = "open it in a spreadsheet, save it as .xlsx or CSV UTF-8, and enqueue that"
_EXPORT = "export the messages as CSV or JSON"
_UNPACK = "unpack it, and enqueue what was in it"
FOREIGN: dict[bytes, tuple[str, str]] = {
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook (.xls), or one with a password", _RESAVE),
    b"%PDF": ("a PDF", _EXPORT),
    b"BZh": ("packed by bzip2", "bunzip2 -c FILE | rung enqueue -"),
    b"\xfd7zX": ("packed by xz", "xz -dc FILE | rung enqueue -"),
    b"\x28\xb5\x2f\xfd": ("packed by zstd", "zstd -dc FILE | rung enqueue -"),
    b"\x04\x22\x4d\x18": ("packed by lz4", "lz4 -dc FILE | rung enqueue -"),
    b"\x1f\x9d": ("packed by compress", "uncompress -c FILE | rung enqueue -"),
    b"7z\xbc\xaf": ("a 7z archive", "7z e FILE, then enqueue what was in it"),
    b"Rar!": ("a RAR archive", "unrar x FILE, then enqueue what was in it"),
    b"PK\x05\x06": ("an empty zip archive", "export once more"),
    b"PAR1": ("a Parquet file", "save it as CSV or JSONL, and enqueue that"),
    b"ORC": ("an ORC file", "save it as CSV or JSONL, and enqueue that"),
    b"Obj\x01": ("an Avro file", "save it as CSV or JSONL, and enqueue that"),
    b"SQLite format 3": ("an SQLite database", "sqlite3 -csv -header FILE 'SELECT …' > day.csv"),
    b"!BDN": ("an Outlook mailbox (.pst)", "readpst FILE, then enqueue the .mbox that comes of it"),
    b"{\\rtf": ("a text document (RTF)", _EXPORT),
    b"\x89PNG": ("a picture", _EXPORT),
    b"\xff\xd8\xff": ("a picture", _EXPORT),
    b"GIF8": ("a picture", _EXPORT),
    b"\x80\x04\x95": (
        "Python's pickle",
        "in pandas: df.to_json(FILE, orient='records', lines=True)",
    ),
    b"\x7fELF": ("a program", _EXPORT),
    b"version https://git-lfs": ("a pointer of Git LFS, and not the file", "git lfs pull"),
}
"""First bytes: what it is, and what mends it."""
_WITHIN = {
    b"\x1f\x8b": ("packed twice", "gunzip it once, and enqueue that"),
    b"PK\x03\x04": ("an archive, or a workbook, within an archive", _UNPACK),
}
_TEXTS = (
    (re.compile(rb"//|/\*(?!!)"), "JSON with comments", "take the comments out"),
    (
        re.compile(
            rb"(?:var|let|const|window\.)\b[^,;\n]{0,100}=\s*[\[{]|[a-z_$][\w$.]*\(\s*[\[{]", re.I
        ),
        "JavaScript, and not JSON",
        "leave out what stands before the first [ and behind the last ]",
    ),
    (
        re.compile(
            rb"(?:-- |/\*!|(?:INSERT INTO|CREATE TABLE|CREATE DATABASE|DROP TABLE|PRAGMA) ).*;",
            re.S | re.I,
        ),
        "a dump of a database",
        "ask the database for the rows as CSV, and enqueue those",
    ),
    (
        re.compile(
            rb"\+-[-+]*\+\s*\n|\*{9,} 1\. row \*|-\[ RECORD 1 \]"
            rb"|[^\n]+\n-[-+]*-\+-[-+]*\s*\n|[^\n]+\n-+(?: +-+)+ *\r?\n"
        ),
        "a table as a terminal shows it, where long texts are cut or wrapped",
        "export it as CSV or TSV: mysql --batch, psql --csv, sqlcmd -W -s '|'",
    ),
    (re.compile(rb"---\s*\n|- \w+:\s"), "YAML", "save it as JSON, and enqueue that"),
)
"""How texts begin that are no backlog: what it is, and what helps."""
_WEB_ARCHIVE, _OF_EXCEL = re.compile(rb"MIME-Version:", re.I), (".xls", ".xlsx", ".mht", ".mhtml")
_OUTLOOK = ("a mail or a document of Microsoft Office", "save it as .eml, or as CSV")
TAR_AT = 257
TEXT_HEAD = 4_000
"""Bytes by which a text is known."""
CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\x0c\r\x1b\x1e")
"""Bytes that a text has by accident: one or two of them, where a program wrote badly."""
MOST_CONTROLS = 12
"""Different ones in the head of a text."""
BLANK = b"\xef\xbb\xbf \t\r\n"


def refuse_foreign(path: str, head: bytes) -> None:
    """Raises BacklogError where a file begins as what is no backlog does."""
    for mark, (what, mend) in FOREIGN.items():
        if head.startswith(mark):
            if mark == b"\xd0\xcf\x11\xe0" and path.lower().endswith((".msg", ".doc", ".ppt")):
                what, mend = _OUTLOOK
            raise BacklogError(f"{path} is {what}.", mend=mend)


def refuse_binary(path: str, first: bytes) -> None:
    """Raises BacklogError where a file's head, in whatever encoding, is not for people to read."""
    if len(CONTROLS.intersection(first[:TEXT_HEAD])) > MOST_CONTROLS:
        raise BacklogError(f"{path} is no text that could be read.", mend=_EXPORT)


def refuse_within(path: str, first: bytes, *, unpacked: bool) -> None:
    """The same for what begins a file, or was packed in it."""
    refuse_foreign(path, first[:32])
    if _WEB_ARCHIVE.match(first[:TEXT_HEAD].lstrip(BLANK)) and path.lower().endswith(_OF_EXCEL):
        raise BacklogError(f"{path} is a web archive (MHTML), and no workbook.", mend=_RESAVE)
    for begins, what, mend in _TEXTS:
        if begins.match(first[:TEXT_HEAD].lstrip(BLANK)):
            raise BacklogError(f"{path} is {what}.", mend=mend)
    if first[TAR_AT : TAR_AT + 5] == b"ustar":
        raise BacklogError(
            f"{path} is a tar archive.", mend=f"tar -xf {quote(path)}, then enqueue what was in it"
        )
    for mark, (what, mend) in _WITHIN.items():
        if unpacked and first.startswith(mark):
            raise BacklogError(f"{path} is {what}.", mend=mend)


def refuse_markup(path: str, first: bytes) -> None:
    """Raises BacklogError for XML, which has as many shapes as there are programs."""
    head = first[:2_000].lstrip().lower()
    if not head.startswith((b"<?xml", b"<error", b"<rss", b"<feed")):
        return
    if b"office:spreadsheet" in head or b"excel.sheet" in head:
        raise BacklogError(f"{path} is an Excel workbook of 2003 (XML).", mend=_RESAVE)
    raise BacklogError(
        f"{path} is XML (what a server says when a link has run out is XML too).", mend=_EXPORT
    )
