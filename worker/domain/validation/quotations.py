"""Quotations of a text, between marks of any kind or behind `>`, and whether a text has them."""

import re
from collections.abc import Iterator

from worker.domain.validation.fact import Fact

QUOTED_WORDS = 3
"""Fewer words between quotation marks are a name on a button."""
_QUOTE = re.compile(
    r"[“„\"]([^“”„\"\n]{8,600})[”“\"]|«\s?([^«»\n]{8,600}?)\s?»|»([^«»\n]{8,600})«"
    r"|(?<!\w)‘([^‘’\n](?:[^‘’\n]|’(?=\w)){7,600})’|‚([^‚‘\n]{8,600})‘|›([^›‹\n]{8,600})‹"
    r"|‹([^›‹\n]{8,600})›|(?:,,|``)([^\n\"'`,](?:[^\n\"'`]|'(?=\w)){7,600})(?:''|[\"”“])"
    r"|(?:(?<=\s)|(?<=[(\[:])|\A)'([^'\n\s](?:[^'\n]|'(?=\w)){7,600})'(?!\w)"
    r"|(?:(?<=\n)|\A)>[ \t]?([^>\n][^\n]{7,600})"
)
_LEFT_OUT = re.compile(r"\s?(?:\[(?:…|\.\.\.)\]|\((?:…|\.\.\.)\)|…|\.\.\.)\s?")
_WORD = re.compile(r"\w+")


def squeezed(text: str) -> str:
    """The words of a text, in lower case, one blank between them."""
    return " ".join(_WORD.findall(text.casefold()))


def quotations_in(text: str) -> Iterator[tuple[str, ...]]:
    """Each as the parts that have to stand in one text, in their order: one but where it says that
    something was left out."""
    for match in _QUOTE.finditer(text):
        parts = [squeezed(part) for part in _LEFT_OUT.split(match[match.lastindex or 0])]
        parts = [part for part in parts if part]
        if sum(part.count(" ") + 1 for part in parts) >= QUOTED_WORDS:
            yield tuple(parts)


def stands_in(parts: tuple[str, ...], text: str) -> bool:
    """Whether a squeezed text has the parts of a quotation, one behind the other."""
    padded, at = f" {text} ", 0
    for part in parts:
        found = padded.find(f" {part} ", at)
        if found < 0:
            return False
        at = found + len(part) + 1
    return True


def not_quoted(parts: tuple[str, ...]) -> Fact:
    """What is said of a quotation that no text has."""
    return Fact(kind="the quotation", said=" … ".join(parts))
