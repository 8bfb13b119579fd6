"""Commands as they work where they are printed: `.venv/bin/rung` in a checkout, say."""

import os
import re
import shutil
import sys
from functools import cache
from pathlib import Path

# At the start of a line, in backticks, behind a colon, in a list or in a column: "one rung up"
# stays.
_COMMAND = re.compile(
    r"(^ *|`|: |, or |, |, then |; |  | and (?=rung show ))rung (?=[a-z-])", re.MULTILINE
)


def as_typed_here(words: str) -> str:
    """The words with each `rung COMMAND` as this person has to type it."""
    program = typed()
    return words if program == "rung" else _COMMAND.sub(rf"\1{program} ", words)


@cache
def typed() -> str:
    """How this process was called, where `rung` alone would find nothing, or another one."""
    called = Path(sys.argv[0])
    if called.name != "rung" or not called.is_file():
        return "rung"
    found = shutil.which("rung")
    if found is not None and Path(found).samefile(called):
        return "rung"
    here = Path.cwd()
    near = called.is_relative_to(here) and here != Path("/")
    return os.path.relpath(called) if near else str(called)
