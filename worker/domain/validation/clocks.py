"""Times of a day, as keys, and as people say them: `half past eight`, `Viertel vor fünf`, `noon`.

An hour that does not say which half of the day it is in counts for both; one that says it (`8 pm`,
`20:00`, `8 in the evening`) is that one alone.
"""

import re
from collections.abc import Callable, Mapping, Set

from worker.domain.validation.fact import Key
from worker.domain.validation.fact_words import NUMBERS, either

_NO_HOUR = frozenset({"a", "an", "un", "um", "uma", "ein", "eine", "einem", "einen", "einer"})
_HOURS: Mapping[str, int] = {
    **{word: number for word, number in NUMBERS.items() if number <= 24 and word not in _NO_HOUR},
    "eins": 1,
    **{word: 20 + at for at, word in enumerate(["zwanzig", "einundzwanzig", "zweiundzwanzig"])},
}
_WORD = either(_HOURS)
_HOUR = rf"(?P<hour>{_WORD}|\d{{1,2}})"
_QUARTER = r"(?:un |le )?(?:quarter|viertel|quart|cuarto|quarto|kwart)"
_LATER: tuple[tuple[str, int], ...] = (
    (rf"half past {_HOUR}(?!\w|[.,:]\d)", 30),
    (rf"(?:(?:a )?quarter past|viertel nach|kwart over) {_HOUR}(?!\w|[.,:]\d)", 15),
    (rf"(?:(?:a )?quarter to|viertel vor|drei ?viertel|kwart voor) {_HOUR}(?!\w|[.,:]\d)", -15),
    (rf"(?:(?<=um )|(?<=bis )|(?<=ab )|(?<=gegen )|(?<=om ))hal[bf] {_HOUR}(?!\w|[.,:]\d)", -30),
    (rf"{_HOUR}(?: ?heures?| ?h)? (?:moins|menos|meno) {_QUARTER}(?!\w)", -15),
    (rf"{_HOUR}(?: ?heures?| ?h)? (?:et|y|e) {_QUARTER}(?!\w)", 15),
    (rf"(?:(?<=las )|(?<=le )|(?<=alle )){_HOUR} (?:y media|e mezz[ao])(?!\w)", 30),
)
_SAID = tuple(
    (re.compile(rf"(?<!\w)(?:{pattern})", re.IGNORECASE), minutes) for pattern, minutes in _LATER
)
_FULL = re.compile(
    rf"(?<!\w)(?P<hour>{_WORD})(?P<rest>[ \u00a0](?:o['’]clock|uhr|uur)(?!\w)"
    rf"|[ \u00a0](?:to|bis|–|-|und|and|tot)[ \u00a0](?:{_WORD}|\d{{1,2}})"
    r"[ \u00a0](?:o['’]clock|uhr|uur)(?!\w)|[ \u00a0][ap]\.?m\b)",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"(?<![\w:.,€£$-])(\d{1,2})(?= ?(?:to|bis|und|and|tot|-|–) ?\d{1,2}(?:[:.]\d\d)?"
    r"[ \u00a0]?(?:uhr|uur|[ap]\.?m|o['’]clock)(?!\w))",
    re.IGNORECASE,
)
"""The first of two hours: `9 bis 17 Uhr`."""
_MIDDLE = (
    (re.compile(r"(?<!\w)(?:noon|midday|mezzogiorno|mediodía|midi)(?!\w)", re.IGNORECASE), "pm"),
    (re.compile(r"(?<!\w)(?:at|à|a|um) (?:twelve noon|mittags?)(?!\w)", re.IGNORECASE), "pm"),
    (re.compile(r"(?<!\w)(?:midnight|mitternacht|minuit|medianoche|mezzanotte)(?!\w)", re.I), "am"),
)
_HALF = re.compile(
    rf"(?<![\w:.,])(?P<hour>{_WORD}|\d{{1,2}})(?P<minutes>[:.]\d\d)?(?: o['’]clock)?"
    r" (?:in the (?P<am>morning)|in the (?:afternoon|evening)|at night)(?!\w)",
    re.IGNORECASE,
)
_MILITARY = re.compile(r"(?<![\w.,:])([01]\d|2[0-3])([0-5]\d) ?(?:hrs|hours)(?!\w)", re.IGNORECASE)
_QUARTERS = frozenset(
    [
        "past",
        "quarter",
        "viertel",
        "quart",
        "cuarto",
        "quarto",
        "kwart",
        "halb",
        "half",
        "media",
        "mezza",
        "mezzo",
    ]
)
_MIDDLES = frozenset(
    ["noon", "midday", "mezzogiorno", "mediodía", "midi", "mittag", "mittags"]
) | frozenset(["midnight", "mitternacht", "minuit", "medianoche", "mezzanotte"])
_HALVES = frozenset(["morning", "afternoon", "evening", "night"])
_CLOCKS = frozenset(["clock", "uhr", "uur", "am", "pm", "p", "hrs", "hours"])


def clock_keys(hour: int, minute: int, half: str = "") -> tuple[Key, ...]:
    """A time as it is asked for and held; `half` is `a` or `p` where it says so."""
    if half:
        hours = [hour % 12 + 12 * (half == "p")]
    elif hour >= 12 or hour == 0:
        # Midnight is written 0:00 or 24:00 where no half is.
        hours = [hour % 24]
    else:
        hours = [hour, (hour + 12) % 24]
    return tuple(("time", each, minute) for each in hours)


def in_clocks(text: str, words: Set[str]) -> str:
    """The text, whose words in lower case are given, with such times in digits; any other is left
    as it is."""
    if not words.isdisjoint(_QUARTERS):
        for pattern, minutes in _SAID:
            text = pattern.sub(_moved(minutes), text)
    if not words.isdisjoint(_HALVES):
        text = _HALF.sub(_told_half, text)
    if not words.isdisjoint(_MIDDLES):
        for pattern, half in _MIDDLE:
            text = pattern.sub(f"12:00 {half}", text)
    if words.isdisjoint(_CLOCKS):
        return text
    text = _MILITARY.sub(r"\1:\2", text)
    # Twice: `von sieben bis zwanzig Uhr` has two of them.
    for _ in range(2):
        text = _FULL.sub(lambda match: f"{_HOURS[match['hour'].lower()]}{match['rest']}", text)
    return _FROM.sub(r"\1 o'clock", text)


def _hour(said: str) -> int:
    return int(said) if said.isdigit() else _HOURS[said.lower()]


def _moved(minutes: int) -> Callable[[re.Match[str]], str]:
    def moved(match: re.Match[str]) -> str:
        hour = _hour(match["hour"])
        if not 1 <= hour <= 24:
            return match.group()
        hour -= minutes < 0
        return f"{hour if hour else 12}:{minutes % 60:02}"

    return moved


def _told_half(match: re.Match[str]) -> str:
    half = "am" if match["am"] else "pm"
    return f"{_hour(match['hour'])}{(match['minutes'] or ':00').replace('.', ':')} {half}"
