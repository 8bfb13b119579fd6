"""Numbers and days that are written out, put in digits where the rest of the checker reads those:
`two dozen`, `order one two three four`, `one euro seventy`, `the fifth of December`."""

import re
from collections.abc import Mapping, Set

from worker.domain.validation.fact_words import MONTH_WORDS, MONTHS, NUMBERS, either
from worker.domain.validation.number_words import ALL, WORD, written_out

_DIGITS: Mapping[str, int] = {
    **{word: number for word, number in NUMBERS.items() if number < 10 and len(word) > 2},
    **dict.fromkeys(["zero", "oh", "null", "zéro", "cero", "nul", "nulla"], 0),
    "eins": 1,
    "un": 1,
    "tres": 3,
    "cinq": 5,
    "sei": 6,
}
_DIGIT = either(_DIGITS)
_DIGIT_WORDS = frozenset(_DIGITS)
_READ_OUT = re.compile(
    rf"(?<!\w)(?:{_DIGIT})(?:(?:, | |-|\u00a0)(?:{_DIGIT})){{3,24}}(?!\w)", re.IGNORECASE
)
_SCORES: Mapping[int, str] = {
    12: "dozen dutzend douzaine douzaines docena docenas dozzina dozzine dúzia dúzias dozijn",
    10: "dizaine dizaines decena decenas decina decine",
    20: "vingtaine veintena ventina",
    30: "trentaine treintena trentina",
    40: "quarantaine cuarentena quarantina",
    50: "cinquantaine cincuentena cinquantina",
    100: "centaine centena",
}
_SCORE = {word: count for count, words in _SCORES.items() for word in words.split()}
_SCORE_WORDS = frozenset(_SCORE)
_DOZENS = re.compile(
    rf"(?<!\w)(?:(?P<half>half(?: a)?|ein halbes|halbes|demi|(?:une )?demi|media|mezza)[ -]"
    rf"|(?P<count>\d{{1,3}}|[^\W\d_]{{1,12}})[ \u00a0])?(?P<score>{either(_SCORE)})"
    r"(?P<more> and a half)?(?!\w)",
    re.IGNORECASE,
)
_CURRENCIES = frozenset(
    [
        "euro",
        "euros",
        "dollar",
        "dollars",
        "dólares",
        "pound",
        "pounds",
        "quid",
        "pfund",
        "franc",
        "francs",
        "franken",
        "libra",
        "libras",
        "sterline",
    ]
)
_CURRENCY = re.compile(rf"(?<!\w)(?:{either(_CURRENCIES)})(?!\w)", re.IGNORECASE)
_CENTS_FOLLOW = re.compile(
    r"\s(?:cents?|centimes?|céntimos?|centavos?|centesimi|cêntimos?|rappen|pence|penn(?:y|ies))\b",
    re.IGNORECASE,
)
_AND = re.compile(r"(?:and|und|et|y|e|con|en) ")
_TWO_DIGITS = re.compile(r"\d{1,2}(?!\d|[.,]\d)")
_ORDINALS_EN = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]
_ORDINALS_DE = [
    "erst",
    "zweit",
    "dritt",
    "viert",
    "fünft",
    "sechst",
    "siebt",
    "acht",
    "neunt",
    "zehnt",
    "elft",
    "zwölft",
    "dreizehnt",
    "vierzehnt",
    "fünfzehnt",
    "sechzehnt",
    "siebzehnt",
    "achtzehnt",
    "neunzehnt",
    "zwanzigst",
]


def _ordinals() -> Mapping[str, int]:
    english = {word: at for at, word in enumerate(_ORDINALS_EN, start=1)}
    tens = {
        f"{ten}{gap}{word}": base + at
        for ten, base in (("twenty", 20), ("thirty", 30))
        for at, word in enumerate(_ORDINALS_EN[:9], start=1)
        for gap in ("-", " ")
        if base + at <= 31
    }
    german = {word: at for at, word in enumerate(_ORDINALS_DE, start=1)}
    ones = ["ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]
    german |= {f"{one}undzwanzigst": 20 + at for at, one in enumerate(ones, start=1)}
    german |= {"dreißigst": 30, "einunddreißigst": 31}
    ends = {f"{word}{end}": at for word, at in german.items() for end in ("e", "en", "er")}
    romance = {"premier": 1, "primero": 1, "primo": 1, "primeiro": 1, "uno": 1}
    return {**english, **tens, "thirtieth": 30, **ends, **romance}


ORDINALS = _ordinals()
CARDINALS = {
    word: number
    for word, number in ALL.items()
    if 2 <= number <= 31 and word not in ("once", "onze", "ten", "set")
} | {"once": 11}
_DAY = {**CARDINALS, **ORDINALS}
_DAY_WORDS = frozenset(word for said in _DAY for word in re.split("[ -]", said))
_MONTH = either(word for word in MONTHS if len(word) > 3)
_NAMED_DAY = re.compile(
    rf"(?<!\w)(?P<day>{either(_DAY)})(?P<of> (?:of |de |di |do )?)(?=(?:{_MONTH})(?!\w))",
    re.IGNORECASE,
)
_NAMED_LAST = re.compile(
    rf"(?<!\w)(?P<month>{_MONTH})(?: the)? (?P<day>{either(ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th))"
    r"(?!\w)",
    re.IGNORECASE,
)


def in_digits(text: str, words: Set[str]) -> str:
    """The text, whose words in lower case are given, with such numbers in digits; any other is left
    as it is."""
    if len(words & _DIGIT_WORDS) > 1:
        text = _READ_OUT.sub(_read_out, text)
    if not words.isdisjoint(_SCORE_WORDS):
        text = _DOZENS.sub(_dozens, text)
    if not words.isdisjoint(_CURRENCIES):
        text = _amounts(text)
    if not words.isdisjoint(MONTH_WORDS):
        if not words.isdisjoint(_DAY_WORDS):
            text = _NAMED_DAY.sub(lambda m: f"{_DAY[m['day'].lower()]}{m['of']}", text)
        text = _NAMED_LAST.sub(_day_last, text)
    return text


def _read_out(match: re.Match[str]) -> str:
    return "".join(str(_DIGITS[word.lower()]) for word in WORD.findall(match.group()))


def _dozens(match: re.Match[str]) -> str:
    """`dozens of` is no number, and three letters of something else before it are no count."""
    count, score = match["count"], _SCORE[match["score"].lower()]
    if match["half"]:
        return f"{score // 2}"
    before = ""
    many = 1
    if count is not None:
        if count.isdigit():
            many = int(count)
        elif (found := ALL.get(count.lower())) is not None:
            many = found
        else:
            before = f"{count} "
    more = score // 2 if match["more"] else 0
    return f"{before}{many * score + more}"


def _amounts(text: str) -> str:
    """Numbers in words on either side of a currency in words, where there are cents."""
    words = list(WORD.finditer(text))
    spans = [
        (value, words[at].start(), words[to - 1].end())
        for value, at, to in written_out(text, words, [word.group().lower() for word in words])
    ]
    begun = {begin: (value, end) for value, begin, end in spans}
    ended = {end: (value, begin) for value, begin, end in spans}
    changes: list[tuple[int, int, str]] = []
    for match in _CURRENCY.finditer(text):
        cents = _cents(text, match.end() + 1, begun)
        if cents is None:
            continue
        end, said = cents
        changes.append((match.end(), end, f" and {said}"))
        if before := ended.get(match.start() - 1):
            changes.append((before[1], match.start() - 1, str(before[0])))
    for begin, end, said in sorted(changes, reverse=True):
        text = text[:begin] + said + text[end:]
    return text


def _cents(text: str, at: int, begun: Mapping[int, tuple[int, int]]) -> tuple[int, str] | None:
    """Where the cents behind a currency end, and the cents: in words or digits with their name,
    and without where nothing parts them from it (`one euro seventy`)."""
    joined = _AND.match(text, at)
    at = joined.end() if joined else at
    if digits := _TWO_DIGITS.match(text, at):
        return (digits.end(), digits.group()) if _CENTS_FOLLOW.match(text, digits.end()) else None
    value, end = begun.get(at, (0, at))
    if value and _CENTS_FOLLOW.match(text, end):
        return end, str(value)
    return (end, f"{value} cents") if 10 <= value < 100 and not joined else None


def _day_last(match: re.Match[str]) -> str:
    day = match["day"].lower()
    number = ORDINALS.get(day) or int(re.sub(r"\D", "", day))
    return f"{match['month']} {number}"
