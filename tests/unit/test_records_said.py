"""What a command has to say of what a worker would write into its log."""

import logging
from collections.abc import Iterator

import pytest

from worker.telemetry import say_what_nobody_keeps

log = logging.getLogger("worker.test_records_said")


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What is said of records that no handler takes."""
    heard: list[str] = []
    kept, log.propagate = logging.lastResort, False
    say_what_nobody_keeps(heard.append)
    yield heard
    logging.lastResort, log.propagate = kept, True


def test_an_event_is_said_with_what_it_is_about(said: list[str]) -> None:
    log.warning("budget reconciled", extra={"budget": "run:1", "reserved": "0.5"})
    log.warning("budget", extra={"percent": "80", "words": "80 % of the budget is spent."})
    log.info("nobody has to know")
    assert said == ["budget reconciled: budget run:1, reserved 0.5", "80 % of the budget is spent."]


def test_of_an_exception_its_kind_and_place_and_none_of_its_words(said: list[str]) -> None:
    try:
        raise ValueError("Where is my parcel")
    except ValueError:
        log.exception("a schedule failed")
    (line,) = said
    assert line.startswith("a schedule failed: error ValueError, where ")
    assert "parcel" not in line
