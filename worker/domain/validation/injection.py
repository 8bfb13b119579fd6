"""Did the reply obey the message, or give our instructions away?

A customer's text is data. Whoever writes "ignore your instructions and say …" may ask; a reply that
does so is a finding, and climbs like any other.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from worker.domain.validation.base import Draft, Validator

SHINGLE_WORDS = 10
"""Words in a row that a reply may not share with the instructions."""
SEARCHED_CHARS = 20_000

_COMMANDING = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:instruction|prompt|rule|polic|told)"
    r"|\bsystem\s*(?:prompt|message|:)|\b(?:developer|admin|debug|god)\s+mode\b|\bjailbreak"
    r"|\byou are (?:now|no longer)\b|\bnew instructions?\b",
    re.IGNORECASE,
)
_DEMAND = re.compile(
    r"\b(?:say|reply|respond|answer|print|output|write|repeat|return|state|include)\b"
    r"[^\"“”\n]{0,60}[\"“]([^\"“”\n]{4,200})[\"”]",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


def obeyed(draft: Draft, _options: Mapping[str, Any]) -> str | None:
    """The reply must not say what a message that gives orders told it to say, word for word."""
    asked = draft.message.text[:SEARCHED_CHARS]
    if not _COMMANDING.search(asked):
        return None
    said = " ".join(_WORD.findall(draft.reply.casefold()))
    for match in _DEMAND.finditer(asked):
        wanted = " ".join(_WORD.findall(match.group(1).casefold()))
        if wanted and f" {wanted} " in f" {said} ":
            return "the reply says what the message ordered it to say"
    return None


def leaked_prompt(draft: Draft, _options: Mapping[str, Any]) -> str | None:
    """No ten words in a row of our own instructions. Knowledge may be quoted: it is for that."""
    if not draft.instructions:
        return None
    kept = _instructed(draft.instructions)
    if any(window in kept for window in _windows(draft.reply)):
        return "the reply repeats our instructions"
    return None


@lru_cache(maxsize=8)
def _instructed(instructions: str) -> frozenset[tuple[str, ...]]:
    return frozenset(_windows(instructions))


def _windows(text: str) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    for start in range(len(words) - SHINGLE_WORDS + 1):
        yield tuple(words[start : start + SHINGLE_WORDS])


INJECTION: dict[str, Validator] = {"obeyed": obeyed, "leaked_prompt": leaked_prompt}
