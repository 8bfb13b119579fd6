"""Lengths of time: what one command takes, every command, setting and filter takes."""

import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.config.nightly import NightlySettings
from worker.domain.filter_parsing import parse
from worker.domain.filters import Comparison
from worker.domain.spans import read_span, read_time, show_span, span_of
from worker.errors import UsageError
from worker.intake.terms import parse_deadline

HOUR = dt.timedelta(hours=1)
SPANS = {
    "2w": 14 * 24 * HOUR,
    "1.5h": 1.5 * HOUR,
    "90s": HOUR / 40,
    "36h": 36 * HOUR,
    "7d": 7 * 24 * HOUR,
}


def of_filter(words: str) -> object:
    node = parse(f"age > {words}")
    assert isinstance(node, Comparison)
    return node.values[0]


def of_deadline(words: str) -> object:
    moment = parse_deadline(words)
    assert moment is not None
    minutes = round((moment - dt.datetime.now(dt.UTC)).total_seconds() / 10)
    return dt.timedelta(seconds=10 * minutes)


def of_schedule(words: str) -> object:
    made = NightlySettings(cron="0 2 * * *", timezone="UTC", where="state = dead", deadline=words)
    return read_span(made.deadline or "", "deadline")


DOORS: dict[str, Callable[[str], object]] = {
    "purge --older-than": lambda words: read_span(words, "--older-than"),
    "reprocess --since": lambda words: read_time(words, "--since"),
    "enqueue --deadline": of_deadline,
    "[schedule] deadline": of_schedule,
    "a filter": of_filter,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("words", SPANS)
def test_every_door_takes_the_same_spans(door: str, words: str) -> None:
    assert DOORS[door](words) == SPANS[words]


@pytest.mark.parametrize("words", ["", "7", "h", "1e3h", "-1h", "1 hour", "٣h", "1.h", "99999999s"])
def test_what_is_no_span_is_refused_in_a_sentence(words: str) -> None:
    with pytest.raises(UsageError, match=r"^--older-than .*(is none|hundred years)\.$"):
        read_span(words, "--older-than")


def test_a_span_of_centuries_is_refused() -> None:
    with pytest.raises(UsageError, match="more than a hundred years"):
        read_span("6000w", "--since")


@given(st.integers(0, 3_000_000_000).map(lambda ms: dt.timedelta(milliseconds=ms)))
def test_what_is_shown_reads_as_the_same(span: dt.timedelta) -> None:
    assert span_of(show_span(span)) == span
