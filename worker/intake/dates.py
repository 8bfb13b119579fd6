"""When a message was written, in the forms that helpdesks and spreadsheets write it.

`24.11.2026` is the 24th everywhere; `04/11/2026` is the 4th in one half of the world and November's
opposite in the other. Which of them a file means is decided by the file as a whole: a `24/11` or an
`11/24` anywhere in it settles all. Nothing is guessed beyond that.
"""

import datetime as dt
import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil import parser

from worker.intake.date_words import in_english
from worker.intake.numbered_dates import DateOrder, in_numbers, is_day_first

SECONDS = re.compile(r"\d{9,10}(\.\d+)?")
MICROSECONDS = re.compile(r"\d{15,16}")
MILLISECONDS = re.compile(r"\d{12,13}")
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})([/-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_DOTTED = re.compile(r"^\s*\d{1,2}\.\s?\d{1,2}\.\s?\d{2,4}")
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?"
)
"""Nothing has to be taken off such a time, as most are written."""
_SHAPE = re.compile(r"^(?=.*\d{1,4}\D+\d)[\w\s.,:;/+\-()]{6,60}$")
_MERIDIEM = re.compile(r"\b([ap])\.\s?m\.", re.IGNORECASE)
_LOST_PLUS = re.compile(r"(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?) (\d\d:?\d\d)$")
"""A plus that an address took for a blank. Without it the zone would be read as the time."""
_IN_UTC = re.compile(r"(?<=Z)\[(?:UTC|GMT|Z)\]$")
_AFTERNOON = frozenset({"下午", "午後", "오후"})
_HALF_DAY = re.compile(r"\s?(上午|午前|오전|下午|午後|오후)\s?(\d{1,2})(?=[:時时시])")
_KOREAN = re.compile(r"^(\d{4})\. ?(\d{1,2})\. ?(\d{1,2})\.(?=$|\s)")
_POINTED = re.compile(r"^(\d{1,2}\.\d{1,2}\.\d{4}),? (\d{1,2})\.(\d\d)(?=$|\.\d\d$)")
"""Days and hours of which both have points, in Denmark and Finland."""
_ODD_SPACES = re.compile(r"[\u00a0\u2007-\u200f\u202a-\u202f\u3000]+")
_NET = re.compile(r"/Date\((\d{12,13})(?:[+-]\d{4})?\)/")
_MIDNIGHT = re.compile(r"(?<![\d:])24:00(?::00)?(?![:\d])")
_PLACE = re.compile(r"\[([A-Z]\w+(?:/[\w+-]+)+)\]$|\s([A-Z]\w+(?:/[A-Z][\w+-]+)+)$")
_OFFSET = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_DATABASES = re.compile(
    r"(\d{2,4}-\w{2,3}-\d{2,4}|\d{2}[A-Z]{3}\d{4})[- :](\d\d)[.:](\d\d)[.:](\d\d)"
)
"""Oracle, DB2 and SAS."""
_TWO_ZONES = re.compile(r"([+-]\d\d:?\d\d) [A-Z]{2,5}$")
EARLIEST, LATEST = 1990, 2100
_BROWSERS_ZONE = re.compile(r"\b(?:GMT|UTC)([+-]\d{2}:?\d{2})\b.*$")
_EAST_ASIAN = re.compile(
    r"^(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일](?:\s?[(（].[)）])?(?:\s*(\d{1,2})\s?[時时시:]"
    r"\s?(\d{1,2})\s?[分분]?(?::?\s?(\d{1,2})\s?[秒초]?)?)?$"
)
_TWO_DEFAULTS = (dt.datetime(2000, 1, 1), dt.datetime(2004, 2, 2))  # noqa: DTZ001
ZONES = {
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "CET": 1,
    "CEST": 2,
    "MEZ": 1,
    "MESZ": 2,
    "BST": 1,
    "WET": 0,
    "WEST": 1,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "JST": 9,
    "KST": 9,
    "AEST": 10,
    "AEDT": 11,
    "HKT": 8,
    "SGT": 8,
}
"""Hours beside UTC; a name that is not here is not understood, rather than taken for UTC."""


def order_of(values: Iterable[Any]) -> tuple[DateOrder | None, bool]:
    """The order that these values show, and whether any of them needs to know it. None where
    nothing shows it, or where they contradict each other."""
    day = month = False
    needed = False
    for value in values:
        found = _SLASHED.search(value) if isinstance(value, str) else None
        if found is None:
            continue
        first, second = int(found[1]), int(found[3])
        day = day or first > 12 >= second
        month = month or second > 12 >= first
        needed = needed or (first <= 12 and second <= 12 and first != second)
    if day == month:
        return None, needed
    return (DateOrder.DAY if day else DateOrder.MONTH), needed


def moment_of(value: Any, order: DateOrder | None) -> dt.datetime | None:
    """The time in UTC; as UTC where it names no zone. None when it is not understood.
    Raises Ambiguous."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch(float(value))
    if not isinstance(value, str):
        return None
    if _ISO.fullmatch(value):
        return _within_reach(_read(value, order))
    if (moment := in_numbers(value, order)) is not None:
        return _within_reach(moment)
    value = _as_written(_ODD_SPACES.sub(" ", value).strip())
    if found := _NET.fullmatch(value):
        return _epoch(float(found[1]))
    if found := _MIDNIGHT.search(value):
        day = moment_of(f"{value[: found.start()]}00:00{value[found.end() :]}", order)
        return day + dt.timedelta(days=1) if day is not None else None
    if found := _PLACE.search(value):
        return _at_a_place(value[: found.start()].strip(), found[1] or found[2], order)
    return _within_reach(_read(value, order))


def _as_written(value: str) -> str:
    """The time without what programs and customs put around or into it."""
    value = _IN_UTC.sub("", _LOST_PLUS.sub(r"\1+\2", value))
    if found := _HALF_DAY.search(value):
        hour = int(found[2]) % 12 + (12 if found[1] in _AFTERNOON else 0)
        value = f"{value[: found.start()]} {hour}{value[found.end() :]}"
    return _POINTED.sub(r"\1 \2:\3", _KOREAN.sub(r"\1-\2-\3", value))


def _within_reach(moment: dt.datetime | None) -> dt.datetime | None:
    """Nothing before helpdesks and nothing that is still to come in decades: spreadsheets and
    databases have days that stand for none, and calendars have other years."""
    return moment if moment is not None and EARLIEST <= moment.year <= LATEST else None


def _at_a_place(value: str, place: str, order: DateOrder | None) -> dt.datetime | None:
    """The time by the clocks of a place, `Europe/Berlin`, where the rest names no zone itself."""
    moment = moment_of(value, order)
    if moment is None or _OFFSET.search(value):
        return moment
    try:
        return _in_utc(moment.replace(tzinfo=ZoneInfo(place)))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _read(value: str, order: DateOrder | None) -> dt.datetime | None:
    try:
        return _in_utc(dt.datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        pass
    if SECONDS.fullmatch(value) or MILLISECONDS.fullmatch(value):
        return _epoch(float(value))
    if MICROSECONDS.fullmatch(value):
        return _epoch(float(value) / 1_000)
    if found := _EAST_ASIAN.match(value):
        return _numbered(*(int(part or 0) for part in found.groups()))
    value = _BROWSERS_ZONE.sub(r" \1", value)
    if not _SHAPE.match(value):
        return None
    value = _DATABASES.sub(r"\1 \2:\3:\4", value).replace(" @ ", " ")
    value = _TWO_ZONES.sub(r"\1", _MERIDIEM.sub(r"\1m", value))
    return _written_out(value, order) or _written_out(in_english(value), order)


def _numbered(*parts: int) -> dt.datetime | None:
    """Year, month, day, hour, minute and second."""
    try:
        return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None


def _written_out(value: str, order: DateOrder | None) -> dt.datetime | None:
    slashed = _SLASHED.search(value)
    if slashed is not None:
        day_first = is_day_first(int(slashed[1]), int(slashed[3]), order)
    else:
        day_first = _DOTTED.match(value) is not None
        try:
            return _in_utc(parsedate_to_datetime(value))
        except (ValueError, OverflowError, IndexError, TypeError):
            pass
    return _by_words(value, day_first)


def _by_words(value: str, day_first: bool) -> dt.datetime | None:
    """By dateutil, which fills in what is missing: read twice, with different fillings, only what
    is the same both times stood there."""
    try:
        first, second = (
            parser.parse(value, default=default, dayfirst=day_first, tzinfos=_zone)
            for default in _TWO_DEFAULTS
        )
        return _in_utc(first) if first == second else None
    except (ValueError, OverflowError, TypeError, AttributeError):
        return None


def _zone(name: str | None, offset: int | None) -> dt.tzinfo:
    if offset is not None:
        return dt.timezone(dt.timedelta(seconds=offset))
    if name in ("UTC", "GMT", "Z", None):
        return dt.UTC
    if name not in ZONES:
        raise ValueError(f"no zone {name}")
    return dt.timezone(dt.timedelta(hours=ZONES[name]))


def _epoch(number: float) -> dt.datetime | None:
    """Seconds or milliseconds since 1970, where that comes out between 1990 and 2100."""
    seconds = number / 1_000 if number > 1e11 else number
    if not 631_152_000 <= seconds <= 4_102_444_800:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _in_utc(moment: dt.datetime) -> dt.datetime | None:
    """Postgres takes no offsets beyond 16 hours, nor any with parts of a second."""
    try:
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
