"""Days that are told from today: `tomorrow`, `next week`, `on Friday`, `a fortnight`.

Nobody who checks an answer knows its day, so what counts is whether a source says the same word, or
for a day of the week a date that falls on it.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence, Set

from worker.domain.validation.fact import Fact, Key

_TOLD = {
    "day after tomorrow": r"day after tomorrow|[üÜ]bermorgen|apr[èe]s-demain|pasado mañana"
    r"|dopodomani|depois de amanhã|overmorgen",
    "tomorrow": r"tomorrow|demain|(?<!\bla )(?<!\besta )mañana|domani|amanhã",
    "yesterday": r"yesterday|gestern|ayer|ieri|ontem|gisteren",
    "tonight": r"tonight|heute abend|ce soir|esta noche|stasera|hoje à noite|vanavond",
    "next week": r"next week|nächste[nr]? woche|semaine prochaine|próxima semana"
    r"|semana que viene|prossima settimana|semana que vem|volgende week",
    "next month": r"next month|nächste[nr]? monats?|mois prochain|próximo mes|mes que viene"
    r"|prossimo mese|próximo mês|mês que vem|volgende maand",
}
_FORTNIGHT = r"fortnight|quinzaine|quincena"
_FOURTEEN_DAYS: tuple[Key, ...] = (("hours", 14 * 24), ("hours", 15 * 24))
"""A French or Spanish one has fifteen."""
_MORGEN = re.compile(r"(?<![Gg]uten )(?<![Hh]eute )(?<![Gg]estern )(?<!\w)morgen(?!\w)")
"""Written small, German and Dutch mean tomorrow by it."""
_WEEKDAYS = (
    "monday montag lundi lunes lunedì segunda-feira maandag",
    "tuesday dienstag mardi martes martedì terça-feira dinsdag",
    "wednesday mittwoch mercredi miércoles mercoledì quarta-feira woensdag",
    "thursday donnerstag jeudi jueves giovedì quinta-feira donderdag",
    "friday freitag vendredi viernes venerdì sexta-feira vrijdag",
    "saturday samstag sonnabend samedi sábado sabato zaterdag",
    "sunday sonntag dimanche domingo domenica zondag",
)
_SHORT = (
    *("mon mo lun ma", "tue tues di mar dim", "wed mi mer mié", "thu thur thurs do jeu jue"),
    *("fri fr ven vie", "sat sa sam sáb sab", "sun so dim dom"),
)
_DAY = {word: day for day, words in enumerate(_WEEKDAYS) for word in words.split()}
_SHORT_DAY = {word: day for day, words in enumerate(_SHORT) for word in words.split()}
_ANY = "|".join(_DAY)
_BETWEEN = r"\.?\s?(?:-|–|—|to|till|through|bis|au?|à|al?|até|tot|t/m)\s?"
_GREETING = "".join(
    rf"(?<!\b{word} )"
    for word in (
        *("lovely", "nice", "great", "good", "happy", "wonderful", "pleasant", "schönen", "guten"),
        *("schöner", "bon", "buona", "buon", "feliz", "buen", "fijne", "prettige", "bom", "boa"),
    )
)
_NAMED = re.compile(
    rf"(?<!\w){_GREETING}({_ANY})s?(?![\w])(?!,?\s(?:de[nr] |the |le |el |il )?\d)", re.IGNORECASE
)
"""With a date behind it the date says which day it is."""
_RANGE = re.compile(
    rf"(?<!\w)({_ANY}|{'|'.join(_SHORT_DAY)})s?{_BETWEEN}({_ANY}|{'|'.join(_SHORT_DAY)})(?!\w)",
    re.IGNORECASE,
)
_WORDS = re.compile(
    "|".join(rf"(?P<t{at}>(?<!\w)(?:{words})(?!\w))" for at, words in enumerate(_TOLD.values()))
    + rf"|(?P<fortnight>(?<!\w)(?:{_FORTNIGHT})s?(?!\w))",
    re.IGNORECASE,
)
_TOLD_WORDS = frozenset(
    [
        "tomorrow",
        "übermorgen",
        "demain",
        "mañana",
        "dopodomani",
        "domani",
        "amanhã",
        "overmorgen",
        "yesterday",
        "gestern",
        "ayer",
        "ieri",
        "ontem",
        "gisteren",
        "tonight",
        "heute",
        "soir",
        "noche",
        "stasera",
        "noite",
        "vanavond",
        "week",
        "woche",
        "semaine",
        "semana",
        "settimana",
        "month",
        "monat",
        "monats",
        "mois",
        "mes",
        "mese",
        "mês",
        "maand",
        "fortnight",
        "fortnights",
        "quinzaine",
        "quinzaines",
        "quincena",
        "quincenas",
    ]
)
"""One of them is in whatever `_WORDS` finds."""
_DAY_WORDS = frozenset(word for day in _DAY for word in (day, f"{day}s")) | {"feira", "feiras"}
_RANGE_WORDS = frozenset(word for day in _SHORT_DAY for word in (day, f"{day}s")) | _DAY_WORDS
_NAMES: Sequence[str] = tuple(_TOLD)


def told_days_in(text: str, words: Set[str]) -> Iterator[Fact]:
    """Each as it stands in a text of these words, in lower case; of `Monday to Friday` the days
    between as well."""
    for match in () if words.isdisjoint(_TOLD_WORDS) else _WORDS.finditer(text):
        if match.lastgroup == "fortnight":
            yield Fact(
                kind="the number", said=match.group(), asked=_FOURTEEN_DAYS, held=_FOURTEEN_DAYS
            )
        else:
            told = _NAMES[int((match.lastgroup or "t0")[1:])]
            yield _day(match.group(), ("told", told))
    for match in _MORGEN.finditer(text) if "morgen" in words else ():
        yield _day(match.group(), ("told", "tomorrow"))
    for match in () if words.isdisjoint(_DAY_WORDS) else _NAMED.finditer(text):
        yield _day(match.group(), ("weekday", _DAY[match[1].lower()]))
    for match in _RANGE.finditer(text) if len(words & _RANGE_WORDS) > 1 else ():
        first, last = (_number(match[at].lower()) for at in (1, 2))
        days = range(first, last + 1) if first <= last else (*range(first, 7), *range(last + 1))
        held = tuple(("weekday", day) for day in days)
        yield Fact(kind="the day", said=match.group(), held=held)


def weekday_of(year: int, month: int, day: int) -> tuple[Key, ...]:
    """The day of the week of a date, as a key; none for a date that is none."""
    try:
        return (("weekday", dt.date(year, month, day).weekday()),)
    except ValueError:
        return ()


def _number(word: str) -> int:
    return _DAY[word] if word in _DAY else _SHORT_DAY[word]


def _day(said: str, key: Key) -> Fact:
    return Fact(kind="the day", said=said, asked=(key,), held=(key,))
