"""What a run may be called: on the command line, by HTTP, and when a file lends its name."""

import re

from worker.domain.text import terminal_safe

MAX_NAME = 120
PATTERN = r"^[^\x00-\x1f\x7f-\x9f/\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]+$"
"""No control or bidirectional character, and no slash, which `RUN/MESSAGE` is written with. Without
what differs between Python and JSON Schema (ECMA 262)."""
_NAME = re.compile(PATTERN)


def complaint(name: str) -> str | None:
    """What is wrong with a name that somebody gives; None if nothing is."""
    if not 0 < len(name) <= MAX_NAME:
        return f"The name of a run has 1 to {MAX_NAME} characters."
    if not name.strip():
        return "The name of a run is more than blanks."
    if not _NAME.fullmatch(name):
        shown = terminal_safe(name.replace("\n", "\\n").replace("\t", "\\t"))
        return f"The name of a run holds no slash and no control character: {shown!r}."
    return None


def tidied(name: str) -> str:
    """A name that nobody chose, such as a file's, made one that may be."""
    kept = "".join(c if _NAME.fullmatch(c) else "_" for c in name)[:MAX_NAME].strip()
    return kept or "run"
