"""Days of a month that nobody names: `by the 6th`, `am 6. fällig`, `avant le 16`, `el día nueve`.

A number is such a day by what stands on both sides of it, for `the 6th floor`, `am 2. Schalter` and
`le 2e colis` are none.
"""

import re
from collections.abc import Iterator, Mapping, Set

from worker.domain.validation.counted import CARDINALS, ORDINALS
from worker.domain.validation.fact import Fact, Key
from worker.domain.validation.fact_words import MONTH_WORDS, MONTHS, PERCENT, UNITS, either

_LAST = 31
_FROM = 4
"""Lower ordinals and numbers in words tell things apart more often than days."""
_ENDS = r"[ \u00a0]*(?:[,;:!?)\n](?!\d)|\.(?![\dºª°])|\Z)"
_MONTHLY = (
    r"(?:of|de|du|del|des|do) (?:the|this|that|each|every|next|last|ce|chaque|este|cada|mese|mes"
    r"|mois|mês|monats|month)"
)
_AFTER_ENGLISH = (
    rf"(?={_ENDS}| (?:and|or|at|if|but|so|when|because|we|you|it|is|was|will|has|have|as|with|by|to"
    rf"|until|till|after|before|in|on|then|which|that|the|a|your|our|without|unless|{_MONTHLY})"
    r"(?!\w))"
)
_AFTER_GERMAN = (
    rf"(?={_ENDS}| (?:(?-i:[a-zäöü])|(?:Zeit|Bitte|Danach|Sie|Wir|Ihre?|Der|Die|Das|Es|Wenn|Falls"
    r"|Dann|Ich|In|Mit|Bis|Vorher)(?!\w)))"
)
"""Before a noun, which has a capital, an ordinal is that noun's."""
_AFTER_ROMANCE = (
    rf"(?={_ENDS}| (?:et|ou|à|au|si|pour|car|mais|inclus|prochain|y|o|e|a|al|alle|ed|per|ma|se|para"
    rf"|pero|con|avec|por|próximo|prossimo|incluso|compreso|{_MONTHLY})(?!\w))"
)
_SURELY = (
    r"(?:avant|après|dès|depuis|entre|au plus tard) le|jusqu['’]au|à (?:partir|compter) du"
    r"|(?:antes|después|a partir) del|(?:hasta|desde|para|entre|a más tardar) el"
    r"|(?:prima|a partire) del|fino al|(?:dopo|entro|tra|fra) il|dal|el día|(?:il )?giorno"
    r"|(?:no |o |ao )?dia|le jour"
)
_ORDINALS = {
    word: day for word, day in ORDINALS.items() if day >= _FROM and not word.endswith(("e", "er"))
}
_CARDINALS = {word: day for word, day in CARDINALS.items() if day >= _FROM}
_DAY: Mapping[str, int] = {**_CARDINALS, **_ORDINALS}
_MARKS = frozenset({"st", "nd", "rd", "th"})
_ORDINAL_WORDS = frozenset(word for said in _ORDINALS for word in re.split("[ -]", said))
_SPELT = either(_CARDINALS)
_ENGLISH = re.compile(
    r"(?<!\w)(?:by|on|before|until|till|from|after|between|since|around|through|and|to|is|due) the "
    rf"(?P<day>\d{{1,2}}(?=st|nd|rd|th)|{either(_ORDINALS)})(?:st|nd|rd|th)?(?!\w){_AFTER_ENGLISH}",
    re.IGNORECASE,
)
_GERMAN = re.compile(
    rf"(?<!\w)(?:am|zum|dem|vom|bis|ab|seit) (?P<day>\d{{1,2}}(?=\.)|{either(_ORDINALS)})"
    rf"(?:(?<=\d)\.(?!\d)|(?<!\d))(?!\w){_AFTER_GERMAN}",
    re.IGNORECASE,
)
_ROMANCE = re.compile(
    rf"(?<!\w)(?:(?:{_SURELY}) (?P<day>\d{{1,2}}|{_SPELT})(?![\w/]|[.,:]\d)"
    rf"|(?:le|el|il) (?P<said>\d{{1,2}}|{_SPELT})(?!\w){_AFTER_ROMANCE})",
    re.IGNORECASE,
)
_BEFORE_GERMAN = frozenset({"am", "zum", "dem", "vom", "bis", "ab", "seit"})
_BEFORE_ROMANCE = frozenset(
    {"le", "au", "du", "el", "del", "il", "al", "dal", "día", "dia", "giorno", "jour"}
)
_BEHIND = re.compile(r"[ \u00a0]?([^\W\d_]+|[%€$£])")
_ANY_ORDINAL = re.compile(r"(?<![\w.,])(\d{1,2})(?:st|nd|rd|th)(?!\w)")
_LABELS = frozenset(
    {"day", "tag", "jour", "día", "dia", "giorno", "dag", "date", "datum", "fecha", "data", "due"}
)
_LABELLED = re.compile(
    rf"(?<![^\W_])(?:{either(_LABELS)})\"?[:=]? ?\"?(\d{{1,2}})(?![\w.,])", re.IGNORECASE
)
_RANGE = re.compile(
    r"(?<![\w.,])(\d{1,2})(?:st|nd|rd|th|\.)? ?(?:-|–|to|and|bis|und|au|et|al|y|a|e) ?(?:the |le )?"
    rf"(?=\d{{1,2}}(?:st|nd|rd|th|\.)? (?:of |de )?(?:{either(MONTHS)})(?!\w))",
    re.IGNORECASE,
)
"""`7–9 December`, whose first day has no month beside it."""


def day_key(day: int) -> Key:
    """A day of any month."""
    return ("day of a month", day)


def month_days_for(words: Set[str]) -> Iterator[re.Pattern[str]]:
    """Patterns of such days that a text of these words, in lower case, may hold."""
    numbered = not words.isdisjoint(_ORDINAL_WORDS)
    if "the" in words and (numbered or not words.isdisjoint(_MARKS)):
        yield _ENGLISH
    if not words.isdisjoint(_BEFORE_GERMAN):
        yield _GERMAN
    if not words.isdisjoint(_BEFORE_ROMANCE):
        yield _ROMANCE


def month_day(match: re.Match[str]) -> Fact | None:
    """A day, where nothing is measured by the number."""
    said = (match["day"] or match["said"]).lower() if match.re is _ROMANCE else match["day"].lower()
    day = int(said) if said.isdigit() else _DAY[said]
    behind = _BEHIND.match(match.string, match.end())
    if not 1 <= day <= _LAST or PERCENT.match(match.string, match.end()):
        return None
    if behind is not None and behind[1].lower() in UNITS:
        return None
    key = day_key(day)
    return Fact(kind="the date", said=match.group(), asked=(key,), held=(key,))


def told_month_days(text: str, words: Set[str]) -> Iterator[Fact]:
    """What a source of these words holds of them besides: any ordinal, `due_day: 6`, the 7th of
    `7–9 December`."""
    for pattern, needed in ((_ANY_ORDINAL, _MARKS), (_LABELLED, _LABELS), (_RANGE, MONTH_WORDS)):
        for match in () if words.isdisjoint(needed) else pattern.finditer(text):
            yield Fact(kind="the date", said=match.group(), held=(day_key(int(match[1])),))
