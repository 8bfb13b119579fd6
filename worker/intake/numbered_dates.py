"""Times of numbers alone, `24.11.2026 08:15` and `11/24/2026 8:15 AM`, at one look: most exports of
spreadsheets have them, and finding out how a time is written takes fifty times as long."""

import datetime as dt
import re
from enum import StrEnum

_NUMBERS = re.compile(
    r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})"
    r"(?:,? (\d{1,2}):(\d\d)(?::(\d\d))?(?: ?([AaPp])[Mm])?)?"
)
NOON = 12


class DateOrder(StrEnum):
    """Which of day and month comes first where only numbers stand."""

    DAY = "day"
    MONTH = "month"


class Ambiguous(ValueError):
    """A time that has two meanings, in a file that does not say which."""


def is_day_first(first: int, second: int, order: DateOrder | None) -> bool:
    """Whether the first of two numbers is the day. Raises Ambiguous where both may be, and the
    file does not say which."""
    if first > 12 or second > 12:
        return first > 12
    if order is None and first != second:
        raise Ambiguous(f"{first}, {second}")
    return order is DateOrder.DAY


def in_numbers(value: str, order: DateOrder | None) -> dt.datetime | None:
    """The time in UTC, where it is written so; None where it is not, or is no time. Raises
    Ambiguous."""
    found = _NUMBERS.fullmatch(value)
    if found is None:
        return None
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    day_first = found[2] == "." or is_day_first(first, second, order)
    day, month = (first, second) if day_first else (second, first)
    hour, half = int(found[5] or 0), found[8]
    if half is not None:
        if not 1 <= hour <= NOON:
            return None
        hour = hour % NOON + (NOON if half in "pP" else 0)
    try:
        return dt.datetime(
            year, month, day, hour, int(found[6] or 0), int(found[7] or 0), tzinfo=dt.UTC
        )
    except ValueError:
        return None
