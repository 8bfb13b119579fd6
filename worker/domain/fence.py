"""The fence around a customer's words: what they say cannot end it, however it is spelled.

Each request has a nonce, so the real delimiter cannot be known; and what merely looks like one, to
a model as to a person, is defused: other cases, white space, entities, full-width and mathematical
letters, letters of other alphabets that look the same, invisible characters in between.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

DELIMITER = "customer_message"
REPLY_DELIMITER = "proposed_reply"
CONTEXT_DELIMITER = "shown_context"
PASSAGE_DELIMITER = "passage"
NONCE_BYTES = 4
INVISIBLE = "\u200b"
"""Stands for every format character while a text is searched."""
DEFUSED = "‹"

_BRACKETS = "\u2039\u27e8\u2329\u3008\u1438\u02c2\u276e"
_BREAKS = r"\n\r\v\f\x85\u2028\u2029"
_MARKS = re.compile(
    r"[\uff1c\ufe64\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f"
    rf"{_BRACKETS}]"
)
_SPEAKER = re.compile(rf"(?i:(?:\A|[{_BREAKS}])\W{{0,8}}(?:human|assistant|system)\W{{0,4}}:)")
_LOOKALIKES = str.maketrans(
    "асеоруѕіјԁӏмтгкοερυιασſ",
    "aceopysijdlmtrkoepuiass",
)
_CASELESS = "ıİſ"
"""A regular expression that ignores case takes them for `i` and `s`, and `lower` does not."""
_RANGES = (
    *((0x00, 0x20), (0x7F, 0x3200), (0xFE00, 0x10000)),
    *((0x1D400, 0x1D800), (0xE0000, 0xE0080), (0xE0100, 0xE01F0)),
)
_FILLERS = "\u115f\u1160\u3164\uffa0"
"""Letters of Hangul that nobody sees."""


def nonce() -> str:
    """New for each request."""
    return secrets.token_hex(NONCE_BYTES)


def fence(text: str, key: str, name: str = DELIMITER, *, attributes: str = "") -> str:
    """Text between its delimiters; `key` is the request's nonce. The text is defused already."""
    return f"<{name}_{key}{between_keys(text, name, attributes)}{key}>"


def between_keys(text: str, name: str = DELIMITER, attributes: str = "") -> str:
    """What stands between the two nonces of a fence: the same in every request that shows it."""
    return f"{attributes}>\n{text}\n</{name}_"


def defused(text: str) -> str:
    """The text, in which what looks like a delimiter or a speaker's label does so no more."""
    if not _is_suspect(text):
        return text
    found = [match.span("mark") for match in _pattern().finditer(text.translate(_folding()))]
    return _replaced(text, found)


def defused_all(texts: Sequence[str]) -> Sequence[str]:
    """The same of several, which are looked at together: nearly none could hold anything."""
    return [defused(text) for text in texts] if _is_suspect("\n".join(texts)) else texts


def _is_suspect(text: str) -> bool:
    """Whether it could hold a delimiter or a label; nearly no text could. Letters and words are
    looked for before their places are, which is ten times quicker."""
    plain = text.isascii()
    # Written out: this is asked several times of each message.
    if "<" in text or "&" in text or "%" in text or "\\" in text:
        return True
    if not plain and _MARKS.search(text):
        return True
    said = text.lower()
    odd = not plain and any(letter in text for letter in _CASELESS)
    named = odd or "human" in said or "assistant" in said or "system" in said
    return named and _SPEAKER.search(text) is not None


def _replaced(text: str, spans: Iterable[tuple[int, int]]) -> str:
    parts, end = [], 0
    for start, stop in spans:
        parts += [text[end:start], DEFUSED]
        end = stop
    return "".join([*parts, text[end:]])


@lru_cache(maxsize=1)
def _folding() -> dict[int, str]:
    """As NFKC where that is one ASCII character, so that no place in the text moves."""
    table = {code: chr(letter) for code, letter in _LOOKALIKES.items()}
    table |= dict.fromkeys(map(ord, _BRACKETS), "<") | dict.fromkeys(map(ord, _FILLERS), INVISIBLE)
    for code in (code for first, last in _RANGES for code in range(first, last)):
        if code in table or chr(code).isspace():
            continue
        # An accent is taken for nothing, by itself and on its letter.
        seen = [one for one in unicodedata.normalize("NFKD", chr(code)) if not _is_unseen(one)]
        if not seen:
            table[code] = INVISIBLE
        elif len(seen) == 1 and seen[0].isascii() and seen[0] != chr(code):
            table[code] = seen[0]
    return table


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cf", "Cc", "Mn", "Me")


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    gap = rf"[\s{INVISIBLE}]{{0,8}}"

    def spelled(word: str) -> str:
        letters = [
            rf"[\s_./\u2010-\u2015{INVISIBLE}-]{{0,4}}" if one == "_" else one for one in word
        ]
        return rf"{INVISIBLE}{{0,4}}".join(letters)

    # Written out, once or more than once over.
    entity = rf"&{gap}(?:amp;{gap}){{0,3}}(?:lt|\#0{{0,6}}60|\#x0{{0,6}}3c);?"
    opening = rf"<|{entity}|%(?:25){{0,3}}3c|\\x3c|\\u\{{?0{{0,6}}3c\}}?"
    ours = (DELIMITER, REPLY_DELIMITER, CONTEXT_DELIMITER, f"{PASSAGE_DELIMITER}_")
    names = "|".join(map(spelled, (*ours, "system", "human", "assistant")))
    tag = rf"(?:{opening})(?={gap}\\?{gap}(?:/|&\#47;|%2f){{0,3}}{gap}(?:{names})s?(?![a-z]))"
    speaker = rf"(?<![^{_BREAKS}])(?=\W{{0,8}}(?:{spelled('human')}|{spelled('assistant')}|"
    speaker += rf"{spelled('system')})\W{{0,4}}:)"
    return re.compile(rf"(?P<mark>{tag}|{speaker})", re.IGNORECASE)
