"""What a run may be called: on the command line, by HTTP, and when a file lends its name."""

import re

from worker.domain.text import terminal_safe

MAX_NAME = 120
PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]+$"
"""No control or bidirectional character. Without what differs between Python and JSON Schema
(ECMA 262)."""
ANSWERS = "results"
"""What stands below a run in an address."""
_NAME = re.compile(PATTERN)


def complaint(name: str) -> str | None:
    """What is wrong with a name that somebody gives; None if nothing is."""
    if not 0 < len(name) <= MAX_NAME:
        return f"The name of a run has 1 to {MAX_NAME} characters."
    if not name.strip():
        return "The name of a run is more than blanks."
    if not _NAME.fullmatch(name):
        shown = terminal_safe(name.replace("\n", "\\n").replace("\t", "\\t"))
        return f"The name of a run holds no control character: {shown!r}."
    if not _fits_an_address(name):
        return (
            "The name of a run leads to its page: it holds no backslash, between slashes nothing"
            f" empty and no dots alone, and does not end with /{ANSWERS}: {name!r}."
        )
    return None


def _fits_an_address(name: str) -> bool:
    """Whether `/runs/NAME` leads to the run, and to nothing else that stands below one."""
    parts = name.split("/")
    whole = all(part and part not in (".", "..") for part in parts) and "\\" not in name
    return whole and (len(parts) == 1 or parts[-1] != ANSWERS)


def tidied(name: str) -> str:
    """A name that nobody chose, such as a file's, made one that may be."""
    kept = "".join(c if _NAME.fullmatch(c) and c not in "/\\" else "_" for c in name)
    kept = kept[:MAX_NAME].strip()
    return kept if kept.strip(".") else "run"
