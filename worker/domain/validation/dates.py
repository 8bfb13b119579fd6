"""Dates as people and machines write them, each read as year, month and day."""

import re
from collections.abc import Callable, Set
from functools import lru_cache

from worker.domain.validation.fact_words import MONTH_WORDS, MONTHS

Reading = tuple[int | None, int, int | None]
"""Year, month, day; a year or a day may be missing."""
_OTHER_WORDS = frozenset(
    ["may", "march", "mar", "mag", "set", "ago", "out", "mai", "abr", "dez", "dic", "déc"]
)
"""Where no day stands beside them, written like this they are no months."""
Reader = Callable[[re.Match[str]], list[Reading]]


def dates_for(words: Set[str]) -> list[tuple[re.Pattern[str], Reader]]:
    """Patterns of the dates that a text of these words may hold, with what reads them; to be tried
    in order."""
    numeric, named = _patterns()
    spelt = not words.isdisjoint(MONTH_WORDS)
    return [*numeric, *named] if spelt else numeric


@lru_cache(maxsize=1)
def _patterns() -> tuple[list[tuple[re.Pattern[str], Reader]], ...]:
    """Dates in numbers alone, and those that name their month."""
    # Any word: its reader knows which are months, and a pattern of all of them takes longer.
    month, gap = r"(?P<m>[^\W\d_]{3,12})\b\.?", r"[ \u00a0]{1,2}"
    of = r"(?:(?:of|de|del|di|do) |d['’])?"
    ordinal = r"(?:st|nd|rd|th|er|º|°|\.)?"
    # `am 6. Juli 2004 Euro` is a day and an amount.
    year = (
        r"(?P<y>\d{4}|['’]\d{2})(?!\d|[.,]\d"
        r"|[ \u00a0]?(?:[€$£¥]|eur(?:os?)?\b|chf\b|usd\b|gbp\b))"
    )
    day_first = rf"(?<![\w.,])(?P<d>\d{{1,2}}){ordinal}{gap}{of}{month}(?:,?{gap}{of}{year})?"
    month_first = (
        rf"(?<!\w){month}{gap}(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|[.,:]\d)"
        rf"(?:,?{gap}{year})?"
    )
    month_alone = rf"(?<!\w){month}{gap}{of}{year}"
    within = (
        r"(?<!\w)(?:in|im|en|em|until|till|by|since|bis|seit|ab|depuis|dès|hasta|desde|entro"
        r"|à partir de|through) (?:early |late |mid[- ]?|the end of |end of |ende |anfang |mitte "
        r"|fin |début |mi-)?(?P<m>[^\W\d_]{3,12})(?!\w|\.?,?[ \u00a0]\d)"
    )
    machine = r"(?<![\w-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)"
    numeric = r"(?<![\w./-])(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/-])"
    # `1/2` is a half and a step as well: where a day follows alone.
    short = (
        r"(?<!\w)(?:(?:before|by|until|till|due|avant|entro|antes del?|am|bis(?: zum)?|zum)"
        r"(?: le| il| el| the| den)?|le|el|il|on|del|al) (\d{1,2})/(\d{1,2})(?![\d/]|\s?%)"
    )
    return [
        (re.compile(machine), _machine),
        (re.compile(numeric), _numeric),
        (re.compile(short, re.IGNORECASE), _without_year),
    ], [
        (re.compile(day_first, re.IGNORECASE), _named),
        (re.compile(month_first, re.IGNORECASE), _named),
        (re.compile(month_alone, re.IGNORECASE), _month),
        (re.compile(within, re.IGNORECASE), _month_alone),
    ]


def _machine(match: re.Match[str]) -> list[Reading]:
    return _possible((int(match[1]), int(match[3]), int(match[4])))


def _numeric(match: re.Match[str]) -> list[Reading]:
    """Day and month in either order where both can be: who wrote it knows which."""
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    year += 2000 if year < 100 else 0
    either_way = _possible((year, second, first))
    return either_way if match[2] == "." else either_way + _possible((year, first, second))


def _named(match: re.Match[str]) -> list[Reading]:
    year = _year(match["y"]) if match["y"] else None
    return _possible((year, MONTHS.get(match["m"].lower(), 0), int(match["d"])))


def _month(match: re.Match[str]) -> list[Reading]:
    number = MONTHS.get(match["m"].lower())
    return [(_year(match["y"]), number, None)] if number is not None else []


def _year(said: str) -> int:
    """`2028`, or `'28`."""
    return int(said) if said.isdigit() else 2000 + int(said[1:])


def _without_year(match: re.Match[str]) -> list[Reading]:
    """`3/12` behind a word that a day follows; either way round."""
    first, second = int(match[1]), int(match[2])
    either_way = _possible((None, second, first)) + _possible((None, first, second))
    return list(dict.fromkeys(either_way))


def _month_alone(match: re.Match[str]) -> list[Reading]:
    number = MONTHS.get(match["m"].lower())
    return [] if number is None or match["m"] in _OTHER_WORDS else [(None, number, None)]


def _possible(day: tuple[int | None, int, int]) -> list[Reading]:
    return [day] if 1 <= day[1] <= 12 and 1 <= day[2] <= 31 else []
