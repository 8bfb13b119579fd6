"""Numbers that are written out, of one word or of several: `thirty-five`, `two hundred`,
`fünfunddreißig`, `trente-cinq`, `treinta y cinco`, `trentacinque`, `vijfendertig`."""

import re
from collections.abc import Iterator, Mapping, Sequence

from worker.domain.validation.fact_words import NUMBERS, UNITS

WORD = re.compile(r"[^\W\d_]+")
_BETWEEN = re.compile(r"[ \u00a0-]|\u2011")
"""What may part the words of one number."""
_JOINS = frozenset({"and", "et", "y", "e"})
_HUNDREDS = frozenset({"hundred", "hundert", "cent", "cents", "cento", "cem", "honderd"})
_THOUSANDS = frozenset({"thousand", "tausend", "mille", "mil", "mila", "duizend"})
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
_SPANISH = "veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete"
_SPANISH += " veintiocho veintinueve"
_OTHERS: Mapping[str, int] = {
    "doscientos": 200, "trescientos": 300, "cuatrocientos": 400, "quinientos": 500,
    "duzentos": 200, "trezentos": 300, "quatrocentos": 400, "quinhentos": 500,
    "ciento": 100, "veintiún": 21, "seventy": 70, "eighty": 80, "siebzig": 70, "achtzig": 80,
    "setenta": 70, "ochenta": 80, "oitenta": 80, "settanta": 70, "ottanta": 80, "zeventig": 70,
    "tachtig": 80, "thirteen": 13, "sixteen": 16, "seventeen": 17, "nineteen": 19,
}  # fmt: skip


def _glued() -> Iterator[tuple[str, int]]:
    """Numbers that German, Dutch and Italian write as one word."""
    for language, ones in _ONES.items():
        for ten, tens in enumerate(_TENS[language].split(), start=2):
            for one, word in enumerate(ones.split(), start=1):
                yield _one_word(language, word, tens), 10 * ten + one
        for one, word in enumerate(ones.split()[1:], start=2):
            hundred = {"de": "hundert", "nl": "honderd", "it": "cento"}[language]
            yield word + hundred, 100 * one
            thousand = {"de": "tausend", "nl": "duizend", "it": "mila"}[language]
            yield word + thousand, 1_000 * one


def _one_word(language: str, one: str, tens: str) -> str:
    if language == "it":
        return (tens[:-1] if one in ("uno", "otto") else tens) + one
    if language == "de":
        return f"{one}und{tens}"
    return f"{one}{'ën' if one.endswith('e') else 'en'}{tens}"


ALL: Mapping[str, int] = {
    **{word.replace("ß", "ss"): value for word, value in _glued()},
    **dict(_glued()),
    **{word: 21 + at for at, word in enumerate(_SPANISH.split())},
    **_OTHERS,
    **NUMBERS,
}
_BEGIN = frozenset(ALL) | _THOUSANDS


_OTHER_WORDS = frozenset({"once", "onze", "ten", "cent", "cem", "quinze"})
"""Words of some language that are no number in another: English, Dutch, Dutch, …"""
_DIGIT_BESIDE = re.compile(r"[ \u00a0-]?\d")


def written_out(
    text: str, words: Sequence[re.Match[str]], lowered: Sequence[str]
) -> Iterator[tuple[int, int, int]]:
    """Each number of the text: its value, where its words begin, and the one behind them."""
    at = 0
    while at < len(words):
        if lowered[at] not in _BEGIN:
            at += 1
            continue
        value, end = _read(text, words, lowered, at)
        yield value, at, end
        at = end


def counts(value: int, text: str, begin: int, end: int, word: str) -> bool:
    """Whether a number in words counts something without measuring it: `twenty people`. Round ones
    are said of anything (`a hundred times`), and `once` is a Spanish eleven in Spanish alone."""
    if value < 10 or value in (100, 1_000, 1_000_000) or word in _OTHER_WORDS:
        return False
    digit = _DIGIT_BESIDE.match(text[max(0, begin - 2) : begin][::-1])
    return digit is None and _DIGIT_BESIDE.match(text, end) is None


def _read(
    text: str, words: Sequence[re.Match[str]], lowered: Sequence[str], at: int
) -> tuple[int, int]:
    done, value, start = 0, 0, at
    while at < len(words) and (at == start or _follows(text, words, at)):
        word = lowered[at]
        if word in _THOUSANDS and value < 1_000:
            done, value = done + 1_000 * max(value, 1), 0
        elif word in _HUNDREDS and (value in range(1, 10) or at == start) and _goes_on(lowered, at):
            value = 100 * max(value, 1)
        elif word in ALL and _adds(value, ALL[word]):
            value += ALL[word]
        elif not (word in _JOINS and value + done >= 20 and _next_adds(lowered, at, value)):
            break
        at += 1
    return done + value, max(at, start + 1)


def _follows(text: str, words: Sequence[re.Match[str]], at: int) -> bool:
    return _BETWEEN.fullmatch(text[words[at - 1].end() : words[at].start()]) is not None


def _goes_on(lowered: Sequence[str], at: int) -> bool:
    """A cent is a hundred where something is counted by it."""
    if lowered[at] not in ("cent", "cents"):
        return True
    return at + 1 < len(lowered) and (lowered[at + 1] in UNITS or lowered[at + 1] in ALL)


def _next_adds(lowered: Sequence[str], at: int, value: int) -> bool:
    return at + 1 < len(lowered) and _adds(value, ALL.get(lowered[at + 1], value))


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
