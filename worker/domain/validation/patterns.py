"""Users' regular expressions, with a bound on time.

A pattern such as `(a+)+$` can take for ever on the wrong text, and the text is the customer's. The
`regex` library gives up after `TIMEOUT_S`. A rule whose pattern was not found by then does not
hold; a validator says that it could not tell, which is a finding.
"""

from functools import lru_cache

import regex

TIMEOUT_S = 0.05
MAX_CHARS = 20_000
"""Only this much of a text is searched."""


def search(pattern: str, text: str) -> bool:
    """Whether the pattern is found. False also when it takes too long."""
    return found(pattern, text) is True


def found(pattern: str, text: str) -> bool | None:
    """Whether the pattern is found; None when it takes too long to tell."""
    try:
        return compiled(pattern).search(text[:MAX_CHARS], timeout=TIMEOUT_S) is not None
    except TimeoutError:
        return None


@lru_cache(maxsize=512)
def compiled(pattern: str) -> "regex.Pattern[str]":
    """The pattern, compiled once. Raises regex.error for one that is wrong."""
    return regex.compile(pattern)


def complaint(pattern: str) -> str | None:
    """Why a pattern cannot be used, or None."""
    try:
        compiled(pattern)
    except regex.error as error:
        return str(error)
    return None
