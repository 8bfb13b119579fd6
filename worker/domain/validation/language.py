"""Is the reply in the language of the message?"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from worker.domain.validation.base import Draft, Validator

MIN_LETTERS = 24
"""Shorter texts have no language that could be told."""
COMMON = (
    *("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "fi", "cs", "ro", "hu", "el"),
    *("tr", "ru", "uk", "ar", "he", "fa", "hi", "zh", "ja", "ko", "th", "vi", "id"),
)
"""Languages that are told apart; rare neighbours (Galician, Frisian) would only cause doubt."""


def language(draft: Draft, _options: Mapping[str, Any]) -> str | None:
    """The reply's language against the message's: the one that came with it, else the one that its
    text is in. Says nothing where either text is too short to tell."""
    wanted = (draft.message.language or "")[:2].lower() or detected(draft.message.body)
    written = detected(draft.reply)
    if wanted is None or written is None or wanted not in COMMON or wanted == written:
        return None
    return f"the reply is in {written!r}, the message in {wanted!r}"


def detected(text: str) -> str | None:
    """The two-letter code of a text's language, or None when there is too little of it."""
    if sum(character.isalpha() for character in text[:2_000]) < MIN_LETTERS:
        return None
    return str(_identifier().classify(text[:2_000])[0])


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """py3langid with our languages; loading its model takes about a second, once. Others were
    measured: docs/decisions/0016."""
    import py3langid

    py3langid.set_languages(list(COMMON))
    return py3langid


LANGUAGE: dict[str, Validator] = {"language": language}
