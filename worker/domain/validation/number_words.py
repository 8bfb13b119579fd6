"""Numbers that are written out, of one word or of several: `thirty-five`, `two hundred`,
`fünfunddreißig`, `trente-cinq`, `treinta y cinco`, `trentacinque`, `vijfendertig`."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from worker.domain.validation.fact_words import NUMBERS, UNITS, either

WORD = re.compile(r"[^\W\d_]+")
_BETWEEN = re.compile(r"[ \u00a0-]|\u2011")
"""What may part the words of one number."""
_JOINS = frozenset({"and", "et", "y", "e"})
_HUNDREDS = frozenset({"hundred", "hundert", "cent", "cents", "cento", "cem", "honderd"})
_THOUSANDS = frozenset({"thousand", "tausend", "mille", "mil", "mila", "duizend"})
MILLIONS = frozenset(
    {"million", "millions", "millionen", "millón", "millones", "milione", "milioni", "milhão"}
    | {"milhões", "miljoen"}
)
_ONES = {
    "de": "ein zwei drei vier fünf sechs sieben acht neun",
    "nl": "een twee drie vier vijf zes zeven acht negen",
    "it": "uno due tre quattro cinque sei sette otto nove",
}
_TENS = {
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "nl": "twintig dertig veertig vijftig zestig zeventig tachtig negentig",
    "it": "venti trenta quaranta cinquanta sessanta settanta ottanta novanta",
}
_TEENS = {
    "de": "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
    "nl": "tien elf twaalf dertien veertien vijftien zestien zeventien achttien negentien",
    "it": "dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove",
}
_FROM_TEN = (
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
    "dix onze douze treize quatorze quinze seize",
    "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve",
    "dez onze doze treze catorze quinze dezesseis dezessete dezoito dezenove",
    "dez onze doze treze quatorze quinze dezasseis dezassete dezoito dezanove",
)
_SPANISH = "veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete"
_SPANISH += " veintiocho veintinueve"
_HUNDREDS_OF = (
    "doscient trescient cuatrocient quinient seiscient setecient ochocient novecient",
    "duzent trezent quatrocent quinhent seiscent setecent oitocent novecent",
)
"""Hundreds of Spanish and Portuguese, from 200 on, without their end."""
_SCORE = ("vingt", "vingts")
"""Four of them are eighty."""
_OTHERS: Mapping[str, int] = {
    "ciento": 100, "cientos": 100, "veintiún": 21, "dieciseis": 16, "seventy": 70, "eighty": 80,
    "setenta": 70, "ochenta": 80, "oitenta": 80, "septante": 70, "huitante": 80, "nonante": 90,
}  # fmt: skip


def _tens() -> Iterator[tuple[str, int]]:
    """Numbers below a hundred that German, Dutch and Italian write as one word."""
    for language, ones in _ONES.items():
        yield from ((word, 10 + at) for at, word in enumerate(_TEENS[language].split()))
        for ten, tens in enumerate(_TENS[language].split(), start=2):
            yield tens, 10 * ten
            for one, word in enumerate(ones.split(), start=1):
                yield _one_word(language, word, tens), 10 * ten + one


def _one_word(language: str, one: str, tens: str) -> str:
    if language == "it":
        return (tens[:-1] if one in ("uno", "otto") else tens) + one
    if language == "de":
        return f"{one}und{tens}"
    return f"{one}{'ën' if one.endswith('e') else 'en'}{tens}"


def _hundreds() -> Iterator[tuple[str, int]]:
    for stems in _HUNDREDS_OF:
        for hundred, stem in enumerate(stems.split(), start=2):
            yield from ((f"{stem}{end}", 100 * hundred) for end in ("os", "as"))


_GLUED: Mapping[str, int] = dict(_tens())
ALL: Mapping[str, int] = {
    **{word.replace("ß", "ss"): value for word, value in _GLUED.items()},
    **_GLUED,
    **{word: 10 + at for words in _FROM_TEN for at, word in enumerate(words.split())},
    **{word: 21 + at for at, word in enumerate(_SPANISH.split())},
    **dict(_hundreds()),
    **_OTHERS,
    **NUMBERS,
}
_BEGIN = frozenset(ALL) | _THOUSANDS | MILLIONS
_LOW: Mapping[str, int] = {
    **{word: value for word, value in ALL.items() if word in _GLUED},
    **{word: at for ones in _ONES.values() for at, word in enumerate(ones.split(), start=1)},
    "eins": 1,
    "dreissig": 30,
}
_STEMS = ("hundert", "tausend", "honderd", "duizend", "cento", "centott", "mila", "mille")
_LARGE = re.compile(
    rf"(?:(?P<thousands>{either(_LOW)})?(?P<thousand>tausend|duizend|mila)|(?P<mille>mille))?"
    rf"(?:und|en)?(?:(?P<hundreds>{either(_LOW)})?(?P<hundred>hundert|honderd|cento|cent(?=ott)))?"
    rf"(?:und|en)?(?P<low>{either(_LOW)})?"
)


def value_of(word: str) -> int | None:
    """Of one word in lower case; of several numbers that are written as one, too:
    `zweihundertvierzehn`, `duemilacinquecento`."""
    known = ALL.get(word)
    if known is not None or word in _THOUSANDS or not any(stem in word for stem in _STEMS):
        return known
    match = _LARGE.fullmatch(word)
    if match is None:
        return None
    thousands = _LOW.get(match["thousands"], 1) if match["thousand"] or match["mille"] else 0
    hundreds = _LOW.get(match["hundreds"], 1) if match["hundred"] else 0
    return 1_000 * thousands + 100 * hundreds + _LOW.get(match["low"], 0)


_OTHER_WORDS = frozenset({"once", "onze", "ten", "cent", "cem", "quinze", "seize"})
"""Words of some language that are no number in another: English, Dutch, Dutch, …"""
_DIGIT_BESIDE = re.compile(r"[ \u00a0-]?\d")
_ROUND = re.compile("100+|1001")
_ARTICLES = frozenset({"a", "an"})


def written_out(
    text: str, words: Sequence[re.Match[str]], lowered: Sequence[str]
) -> Iterator[tuple[int, int, int]]:
    """Each number of the text: its value, where its words begin, and the one behind them."""
    spoken = _Spoken(text, words, lowered)
    at = 0
    while at < len(words):
        if lowered[at] not in _BEGIN and (not spoken.glued or value_of(lowered[at]) is None):
            at += 1
            continue
        value, end = spoken.read(at)
        yield value, at, end
        at = end


def counts(value: int, text: str, begin: int, end: int, word: str) -> bool:
    """Whether a number in words counts something without measuring it: `twenty people`. Round ones
    are said of anything (`a hundred times`, `a thousand and one`), and `once` is a Spanish eleven
    in Spanish alone."""
    if value < 10 or _ROUND.fullmatch(str(value)) or word in _OTHER_WORDS:
        return False
    digit = _DIGIT_BESIDE.match(text[max(0, begin - 2) : begin][::-1])
    return digit is None and _DIGIT_BESIDE.match(text, end) is None


class _Spoken:
    """The words of a text, read as numbers."""

    def __init__(self, text: str, words: Sequence[re.Match[str]], lowered: Sequence[str]) -> None:
        self._text, self._words, self._lowered = text, words, lowered
        self.glued = any(map(text.lower().__contains__, _STEMS))
        """Whether several numbers may stand in one word."""
        self._value: Callable[[str], int | None] = value_of if self.glued else ALL.get

    def value(self, at: int) -> int | None:
        """Of the word there; None where it is no number or there is none."""
        return self._value(self._lowered[at]) if at < len(self._lowered) else None

    def read(self, at: int) -> tuple[int, int]:
        """The number that begins there, and where it ends."""
        done, value, start = 0, 0, at
        while at < len(self._words) and (at == start or self._follows(at)):
            word, own = self._lowered[at], self.value(at)
            if word in MILLIONS and done + value < 1_000_000:
                done, value = 1_000_000 * max(done + value, 1), 0
            elif word in _THOUSANDS and value < 1_000:
                done, value = done + 1_000 * max(value, 1), 0
            elif word in _HUNDREDS and self._is_hundred(at, start, value):
                value = 100 * max(value, 1)
            elif value % 100 == 4 and word in _SCORE:
                value += 76
            elif own is not None and _adds(value, own) and (at == start or word not in _ARTICLES):
                value += own
            elif not (word in _JOINS and value + done >= 20 and self._next_adds(at, value)):
                break
            at += 1
        return done + value, max(at, start + 1)

    def _follows(self, at: int) -> bool:
        between = self._text[self._words[at - 1].end() : self._words[at].start()]
        return _BETWEEN.fullmatch(between) is not None

    def _is_hundred(self, at: int, start: int, value: int) -> bool:
        """A cent is a hundred where something is counted by it; hundreds go up to `ninety-nine
        hundred`."""
        if value not in range(1, 100) and at != start:
            return False
        if self._lowered[at] not in ("cent", "cents"):
            return True
        after = self._lowered[at + 1] if at + 1 < len(self._lowered) else ""
        return after in UNITS or after in _THOUSANDS or after in ALL

    def _next_adds(self, at: int, value: int) -> bool:
        following = self.value(at + 1)
        is_article = following == 1 and self._lowered[at + 1] in _ARTICLES
        return following is not None and not is_article and _adds(value, following)


def _adds(value: int, more: int) -> bool:
    """Whether a number of this value goes on with another: twenty-one, a hundred and five,
    soixante-quinze."""
    if value == 0:
        return True
    if value % 100 == 0:
        return more < 100
    return (value % 100 in range(20, 100, 10) and more < 10) or (
        value % 100 in (60, 80) and 10 <= more < 20
    )
