"""The words of a filter, each with its place, and errors that point at one of them."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from worker.errors import UsageError

MAX_LENGTH = 2_000
"""Characters of a filter."""
WINDOW = 72
"""Characters of the filter that an error shows: it must fit on a terminal 80 columns wide."""

Kind = Literal["word", "quoted", "sign", "end"]
_SIGNS = re.compile(r"!=|<=|>=|[=<>(),]")
_WORD = re.compile(r"[^\s!=<>(),'\"]+")
_QUOTES = "'\""


class FilterError(UsageError):
    """A filter that cannot be understood: a sentence, and the filter with a caret under the
    word that it is about."""

    def __init__(self, sentence: str, text: str, start: int, end: int) -> None:
        super().__init__(f"{sentence}\n{pointed(text, start, end)}")
        self.sentence = sentence
        self.pointed_at = text[start:end]
        self.start, self.end = start, end
        """Characters of the filter that the sentence is about, end excluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word, a quoted text without its quotes, a sign, or the end, and where it stands."""

    kind: Kind
    text: str
    start: int
    end: int

    def is_word(self, word: str) -> bool:
        """Whether it is this keyword, in any case and without quotes."""
        return self.kind == "word" and self.text.lower() == word

    def is_sign(self, sign: str) -> bool:
        """Whether it is this sign."""
        return self.kind == "sign" and self.text == sign


def tokens_of(text: str) -> list[Token]:
    """The tokens of a filter, the last one of kind `end`. Raises FilterError."""
    if len(text) > MAX_LENGTH:
        sentence = f"The filter has {len(text):,} characters; {MAX_LENGTH:,} are the most."
        raise FilterError(sentence, text, MAX_LENGTH, MAX_LENGTH + 1)
    _refuse_invisible(text)
    found, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found.append(_token_at(text, at))
        at = found[-1].end
    return [*found, Token(kind="end", text="", start=len(text), end=len(text))]


def pointed(text: str, start: int, end: int) -> str:
    """The filter on one line, cut to a window where it is long, with carets under a part."""
    left = max(0, min(start - WINDOW // 2, len(text) - WINDOW))
    right = min(len(text), left + WINDOW)
    shown = "".join(" " if character.isspace() else character for character in text[left:right])
    before, after = ("…" if left else ""), ("…" if right < len(text) else "")
    width = max(1, min(end, right) - start)
    return f"  {before}{shown}{after}\n  {' ' * (len(before) + start - left)}{'^' * width}"


def _refuse_invisible(text: str) -> None:
    for at, character in enumerate(text):
        if not character.isspace() and unicodedata.category(character) in ("Cc", "Cs"):
            sentence = f"A filter holds text, and U+{ord(character):04X} cannot be seen."
            raise FilterError(sentence, text, at, at + 1)


def _token_at(text: str, at: int) -> Token:
    if text[at] in _QUOTES:
        return _quoted_at(text, at)
    if sign := _SIGNS.match(text, at):
        if sign[0] == "=" and text.startswith("=", sign.end()):
            raise FilterError("Equality is written with one =.", text, at, at + 2)
        if sign[0] == "<" and text.startswith(">", sign.end()):
            raise FilterError("Write != instead of <>.", text, at, at + 2)
        return Token(kind="sign", text=sign[0], start=at, end=sign.end())
    if word := _WORD.match(text, at):
        _refuse_other_languages(word[0], text, at)
        return Token(kind="word", text=word[0], start=at, end=word.end())
    raise FilterError(f"{text[at]} means nothing here; not is written out.", text, at, at + 1)


def _refuse_other_languages(word: str, text: str, at: int) -> None:
    for sign, ours in (("&&", "and"), ("||", "or"), (";", "and")):
        if word.startswith(sign):
            raise FilterError(f"Write {ours} instead of {sign}.", text, at, at + len(sign))


def _quoted_at(text: str, at: int) -> Token:
    """A quoted text; the quote itself is written twice inside."""
    quote, parts, place = text[at], [], at + 1
    while (close := text.find(quote, place)) >= 0:
        parts.append(text[place:close])
        if not text.startswith(quote, close + 1):
            return Token(kind="quoted", text=quote.join(parts), start=at, end=close + 1)
        place = close + 2
    raise FilterError(f"This {quote} is never closed.", text, at, at + 1)
