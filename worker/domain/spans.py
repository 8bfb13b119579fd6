"""Lengths of time as people write them: `2w`, `36h`, `1.5h`, `90s`. One reading for every option,
setting and filter."""

import datetime as dt
import re

from worker.errors import UsageError

UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
"""In seconds."""
MOST = dt.timedelta(days=36_500)
_SPAN = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?) ?([wdhms])")


def span_of(words: str) -> dt.timedelta | None:
    """None for what is no span."""
    found = _SPAN.fullmatch(words.strip())
    return dt.timedelta(seconds=float(found[1]) * UNITS[found[2]]) if found is not None else None


def read_span(words: str, name: str, mend: str | None = None) -> dt.timedelta:
    """Raises UsageError, which says what was to be read, for what is no span or a silly one."""
    span = span_of(words)
    if span is None:
        raise UsageError(f"{name} is a span like 2w, 36h or 90s; {words!r} is none.", mend=mend)
    if span > MOST:
        raise UsageError(f"{name}: {words} is more than a hundred years.", mend=mend)
    return span


def read_time(words: str, name: str, mend: str | None = None) -> dt.datetime | dt.timedelta:
    """A span, or an ISO time (UTC where it names no zone). Raises UsageError."""
    try:
        moment = dt.datetime.fromisoformat(words)
    except ValueError:
        return read_span(words, name, mend)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def show_span(span: dt.timedelta) -> str:
    """Reading it gives the same span again."""
    seconds = span.total_seconds()
    unit = next((unit for unit, size in UNITS.items() if seconds % size == 0), "s")
    number = f"{seconds / UNITS[unit]:.3f}".rstrip("0").rstrip(".")
    return f"{number}{unit}"
