"""CSV files that people filled in, as their spreadsheet saved them."""

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from worker.errors import UsageError
from worker.intake.dialects import delimiter_of
from worker.intake.encodings import encoding_of
from worker.intake.named_files import no_such_file, unreadable


def filled_in(path: Path, wanted: Sequence[str]) -> "csv.DictReader[str]":
    """Its rows, by the names of the columns in lower case: UTF-8, UTF-16 or what Excel takes for
    text, with commas, semicolons or tabs. Raises UsageError where one of the `wanted` columns is
    missing, for a file without them would be taken for one without verdicts."""
    text = _text(path)
    first, _, _ = text.partition("\n")
    delimiter = delimiter_of(first.encode()) if first.strip() else ","
    csv.field_size_limit(sys.maxsize)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or []]
    missing = [name for name in wanted if name not in rows.fieldnames]
    if missing:
        raise UsageError(
            f"{path} has no column {missing[0]}; it has"
            f" {', '.join(map(repr, rows.fieldnames)) or 'none'}.",
            mend="leave the first line as it was written",
        )
    return rows


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise no_such_file(path) from None
    except OSError as error:
        raise unreadable(path, error) from None
    return text_of(data, str(path))


def text_of(data: bytes, name: str) -> str:
    """What people wrote: UTF-8, UTF-16 or what their editor takes for text. Raises UsageError."""
    utf_16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    encoding = "utf-16" if utf_16 else encoding_of(data) or "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise UsageError(f"{name} is neither UTF-8 nor UTF-16.", mend="save it as UTF-8") from None
