"""Validators of what a reply says: patterns, promises, secrets, links, repetition."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from worker.domain.validation.base import OVERRAN, Draft, Validator
from worker.domain.validation.patterns import TIMEOUT_S, found

REPEATED_SENTENCES = 3

_AMOUNT = (
    r"(?:[$€£]\s?\d|(?<!\d)\d++(?:[.,]\d\d)?\s?(?:dollars|euros?|pounds|usd|eur|gbp)\b"
    r"|(?:the )?full amount)"
)
_GIVES = (
    r"(?:refund(?:ed)?|credit(?:ed)?|compensat(?:e|ed|ion)|reimburse(?:d|ment)?|pay(?:ing)? you)"
)
_WITHIN = r"[^.!?\n]{0,60}"
_DONE = r"(?:refunded|credited|reimbursed|paid (?:back )?to you|returned to you)"
_WORDS = r"(?!(?:not|cannot|never|unable)\b)\w+\s+"
_REFUND = re.compile(
    r"\b(?:we|i)(?:'ll|'ve|'re| will| have| can| are)?\s+"
    rf"(?:{_WORDS}){{0,3}}{_GIVES}\b{_WITHIN}{_AMOUNT}"
    r"|\b(?:you(?:'ll| will| are going to| can expect to)?|your account)\s+"
    rf"(?:{_WORDS}){{0,4}}{_GIVES}\b{_WITHIN}{_AMOUNT}"
    rf"|\b{_GIVES} of {_AMOUNT}{_WITHIN}\b(?:will|has|have|is|was|been)\b"
    rf"|{_AMOUNT}{_WITHIN}\b(?:will be|has been|have been|is being|was|is going to be)\s"
    rf"(?:\w+\s+){{0,2}}{_DONE}\b"
    rf"|\b(?:give|send|offer|owe|approved?|issued?|process(?:ed)?)\b{_WITHIN}{_AMOUNT}"
    rf"[^.!?\n]{{0,20}}\b{_GIVES}\b",
    re.IGNORECASE,
)
_LEGAL = re.compile(
    r"\b(?:you (?:should|could|can|must) (?:sue|take (?:us|them|legal action)|file a lawsuit)"
    r"|legally (?:entitled|obliged|required)|you have a (?:strong )?(?:legal )?case"
    r"|(?:under|according to) the law,? you|(?:our|my) legal advice"
    r"|you (?:would|will) win (?:in court|the case|a lawsuit)|(?:they|we|it) (?:is|are|was|were)"
    r" (?:legally liable|breaking the law|in breach of (?:contract|the law)))\b",
    re.IGNORECASE,
)
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]+\.[\w.]{2,}\b")
_PERSONAL: Mapping[str, re.Pattern[str]] = {
    "an email address": EMAIL,
    "a card number": re.compile(r"\b(?:\d[ -]?){13,19}\b"),
    "an identity number": re.compile(r"\b\d{3}-\d{2}-\d{4}\b"),
    "a bank account number": re.compile(
        r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"
    ),
    "a telephone number": re.compile(
        r"(?<![\w+])\+\d{1,3}(?:[ .-]?\(?\d{1,5}\)?){2,6}\b"
        r"|(?<!\w)\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b"
    ),
    "a secret": re.compile(
        r"\b(?:sk-[\w-]{16,}|AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,}|github_pat_\w{30,}"
        r"|xox[abprs]-[\w-]{10,}|AIza[\w-]{35}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})"
        r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"
        r"|\b(?:password|passcode|pin) is:? [\"'“‘]?(?=[^\s\"'”’]{0,30}\d)[^\s\"'”’]{4,}",
        re.IGNORECASE,
    ),
}
_URL = re.compile(
    r"(?<![a-z0-9])[a-z][a-z0-9+.-]{1,15}:/{1,3}([^\s<>()\[\]{}\"'“”]+)", re.IGNORECASE
)
BARE_HOST = re.compile(
    r"(?<![\w@./-])((?:(?:[^\W_]|-){1,63}\.){1,8}"
    r"(?:com|net|org|info|biz|io|co|app|dev|me|ly|xyz|top|site|online|shop|support|link|example"
    r"|uk|de|fr|es|it|nl|eu|us|ca|au|in|cn|ru|br|jp))(?![\w@-]|\.\w)",
    re.IGNORECASE,
)
_HOST = re.compile(r"[^/?#\\]*")
_WORD = re.compile(r"\w+")


def must_match(draft: Draft, options: Mapping[str, Any]) -> str | None:
    """Every one of `patterns` (regular expressions) must be found in the reply."""
    for pattern in options.get("patterns", ()):
        said = found(pattern, draft.reply)
        if not said:
            return _slow(pattern) if said is None else f"the reply lacks what {pattern!r} asks for"
    return None


def must_not_match(draft: Draft, options: Mapping[str, Any]) -> str | None:
    """None of `patterns` (regular expressions) may be found in the reply."""
    for pattern in options.get("patterns", ()):
        said = found(pattern, draft.reply)
        if said is not False:
            return _slow(pattern) if said is None else f"the reply holds what {pattern!r} forbids"
    return None


def _slow(pattern: str) -> str:
    return f"the pattern {pattern!r} {OVERRAN} {TIMEOUT_S} s on the reply"


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
    """Links only to hosts of `allow` and below them; with no `allow`, no links at all. A host
    counts that stands without `https://` before it, and what stands before an `@` does not."""
    allowed = [str(host).lower() for host in options.get("allow", ())]
    for host in _hosts(draft.reply):
        if not any(host == good or host.endswith("." + good) for good in allowed):
            return "the reply links to a host that is not on the list"
    return None


def _hosts(reply: str) -> Iterator[str]:
    for match in _URL.finditer(reply):
        authority = _HOST.match(match.group(1))
        host = authority.group().rpartition("@")[2] if authority is not None else ""
        yield host.partition(":")[0].lower().rstrip(".,;!?*_")
    for match in BARE_HOST.finditer(reply):
        yield match.group(1).lower()


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
