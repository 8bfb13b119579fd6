"""Tables in HTML: what several helpdesks hand out as `.xls`, and a spreadsheet opens as one."""

import re
from collections.abc import Iterator
from typing import Any

from lxml.etree import LxmlError

from worker.domain.backlog import BacklogError, Caps
from worker.intake.elements import Oversized, elements
from worker.intake.records import Fields, as_stream, fields_of

_BEGINS = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta)\b", re.I | re.S
)
_BLOCKS = frozenset({"br", "p", "div", "li", "tr"})


def is_html(first: bytes) -> bool:
    """Whether a file begins as HTML does."""
    return _BEGINS.match(first[:4_000]) is not None


def read_html_table(path: str, chunks: Iterator[bytes], caps: Caps) -> Iterator[Fields]:
    """The rows of the tables in a page of UTF-8, counted. Raises BacklogError where there are
    none: then it is a page that people look at, such as one to sign in."""
    number = 0
    try:
        for row in elements(as_stream(chunks), "tr", html=True):
            number += 1
            cells = [_text(cell) for cell in row if cell.tag in ("td", "th")]
            if any(cells):
                yield fields_of(number, cells, caps)
    except (LxmlError, Oversized, ValueError):
        raise BacklogError(
            f"{path} is HTML that cannot be read as a table.",
            mend=f"open {path} in a spreadsheet, save it as CSV UTF-8, and enqueue that",
        ) from None
    if number == 0:
        raise BacklogError(
            f"{path} is a web page without a table (perhaps one to sign in).",
            mend="download the export once more, and look at it in an editor",
        )


def _text(cell: Any) -> str:
    """The cell's words; a line for each of its own."""
    pieces: list[str] = []
    for element in cell.iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag in _BLOCKS and element is not cell:
            pieces.append("\n")
        pieces.append(" ".join((element.text or "").split(" ")))
        if element is not cell:
            pieces.append(element.tail or "")
    lines = (" ".join(line.split()) for line in "".join(pieces).split("\n"))
    return "\n".join(lines).strip()
