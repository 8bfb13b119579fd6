"""What a command has to say of what a worker would write into its log."""

import subprocess
import sys
from textwrap import dedent

BEGUN = """
import logging
from worker.telemetry import say_what_nobody_keeps
say_what_nobody_keeps(print)
log = logging.getLogger("worker.anything")
"""


def said(program: str) -> tuple[list[str], str]:
    """Lines that a process says which keeps no log, and what Python says beside them."""
    done = subprocess.run(
        [sys.executable, "-c", BEGUN + dedent(program)], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines(), done.stderr


def test_an_event_is_said_with_what_it_is_about() -> None:
    lines, beside = said("""
        log.warning("budget reconciled", extra={"budget": "run:1", "reserved": "0.5"})
        log.warning("budget", extra={"percent": "80", "words": "80 % of the budget is spent."})
        log.info("nobody has to know")
    """)
    assert lines == [
        "budget reconciled: budget run:1, reserved 0.5",
        "80 % of the budget is spent.",
    ]
    assert beside == ""


def test_of_an_exception_its_kind_and_place_and_none_of_its_words() -> None:
    (line,), beside = said("""
        try:
            raise ValueError("Where is my parcel")
        except ValueError:
            log.exception("a schedule failed")
    """)
    assert line.startswith("a schedule failed: error ValueError, where ")
    assert "parcel" not in line + beside
