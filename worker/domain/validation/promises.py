"""Validators of what a reply says: patterns, promises, secrets, links, repetition."""

import re
from collections.abc import Mapping
from typing import Any

from worker.domain.validation.base import Draft, Validator
from worker.domain.validation.patterns import search

REPEATED_SENTENCES = 3

_REFUND = re.compile(
    r"\b(?:we|i)(?:'ll| will| have| can)?\s+(?:\w+\s+){0,3}"
    r"(?:refund(?:ed)?|credit(?:ed)?|compensate[d]?|reimburse[d]?|pay you)\b[^.!?\n]{0,60}"
    r"(?:[$€£]\s?\d|\d+(?:[.,]\d\d)?\s?(?:dollars|euros?|pounds|usd|eur|gbp)|full amount)",
    re.IGNORECASE,
)
_LEGAL = re.compile(
    r"\b(?:you (?:should|could|can|must) (?:sue|take (?:us|them|legal action)|file a lawsuit)"
    r"|legally (?:entitled|obliged|required)|you have a (?:strong )?(?:legal )?case"
    r"|(?:under|according to) the law,? you)\b",
    re.IGNORECASE,
)
_PERSONAL: Mapping[str, re.Pattern[str]] = {
    "an email address": re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]{2,}\b"),
    "a card number": re.compile(r"\b(?:\d[ -]?){13,19}\b"),
    "an identity number": re.compile(r"\b\d{3}-\d{2}-\d{4}\b"),
    "a bank account number": re.compile(
        r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"
    ),
    "a secret": re.compile(
        r"\b(?:sk-[\w-]{16,}|AKIA[0-9A-Z]{16}|ghp_\w{30,}|xox[bp]-[\w-]{10,})\b"
    ),
}
_LINK = re.compile(r"\b(?:https?://|www\.)([\w.-]+)", re.IGNORECASE)
_WORD = re.compile(r"\w+")


def must_match(draft: Draft, options: Mapping[str, Any]) -> str | None:
    """Every one of `patterns` (regular expressions) must be found in the reply."""
    for pattern in options.get("patterns", ()):
        if not search(pattern, draft.reply):
            return f"the reply lacks what {pattern!r} asks for"
    return None


def must_not_match(draft: Draft, options: Mapping[str, Any]) -> str | None:
    """None of `patterns` (regular expressions) may be found in the reply."""
    for pattern in options.get("patterns", ()):
        if search(pattern, draft.reply):
            return f"the reply holds what {pattern!r} forbids"
    return None


def promises(draft: Draft, _options: Mapping[str, Any]) -> str | None:
    """No refund of an amount promised, no legal advice given."""
    if _REFUND.search(draft.reply):
        return "the reply promises money"
    if _LEGAL.search(draft.reply):
        return "the reply gives legal advice"
    return None


def personal_data(draft: Draft, options: Mapping[str, Any]) -> str | None:
    """No personal data or secrets that the message did not contain. `allow` lists texts of one's
    own (a support address) that may stand in any reply."""
    known = draft.message.text + " ".join(map(str, options.get("allow", ())))
    squeezed = re.sub(r"[ -]", "", known)
    for name, pattern in _PERSONAL.items():
        for match in pattern.finditer(draft.reply):
            found = match.group().strip()
            if found not in known and re.sub(r"[ -]", "", found) not in squeezed:
                return f"the reply holds {name} that the message did not"
    return None


def links(draft: Draft, options: Mapping[str, Any]) -> str | None:
    """Links only to hosts of `allow` and below them; with no `allow`, no links at all."""
    allowed = [str(host).lower() for host in options.get("allow", ())]
    for match in _LINK.finditer(draft.reply):
        host = match.group(1).lower().rstrip(".")
        if not any(host == good or host.endswith("." + good) for good in allowed):
            return "the reply links to a host that is not on the list"
    return None


def repeated(draft: Draft, _options: Mapping[str, Any]) -> str | None:
    """No sentence of four words or more three times over."""
    counts: dict[str, int] = {}
    for sentence in re.split(r"[.!?\n]+", draft.reply.lower()):
        words = " ".join(_WORD.findall(sentence))
        if words.count(" ") >= 3:
            counts[words] = counts.get(words, 0) + 1
            if counts[words] >= REPEATED_SENTENCES:
                return "the reply says the same sentence again and again"
    return None


PROMISES: dict[str, Validator] = {
    "must_match": must_match,
    "must_not_match": must_not_match,
    "promises": promises,
    "personal_data": personal_data,
    "links": links,
    "repeated": repeated,
}
