"""Prompts: the fixed prefixes of requests, each known by the hash of what it says."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from models.vocabulary import Purpose
from worker.domain.caching import Lifetime
from worker.domain.passages import PagePassage, rendered, rendered_in
from worker.domain.shown import Shown

MIN_CACHED_TOKENS = 512
"""Shorter prefixes are silently not cached by Haiku 5.5 and Sonnet 5.5 (November 2026)."""
CHARS_PER_TOKEN = 4.5
"""Deliberately high for English prose, so that a prefix said to be cacheable is."""

JUDGE = "judge"
"""The prompt of a stronger tier that judges answers: asked as an answer is, of another text."""
KNOWLEDGE = "\n\n# Knowledge\n\n"
"""Between the instructions and the knowledge pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """The fixed prefix of every request of one purpose."""

    purpose: Purpose
    text: str
    version: str
    base: str | None = None
    """The version that this is with a policy's pages behind it; None for a prompt by itself."""

    @property
    def size_bytes(self) -> int:
        """Bytes of UTF-8."""
        return len(self.text.encode())

    @property
    def instructions(self) -> str:
        """The text without the knowledge pages: what a reply must not repeat."""
        return instructions_of(self.text)

    @property
    def shown(self) -> tuple[Shown, ...]:
        """The knowledge pages, in the pieces that an answer can name."""
        return shown_in(self.text)

    @property
    def tokens(self) -> int:
        """About as many, and rather fewer than more."""
        return int(len(self.text) / CHARS_PER_TOKEN)

    @property
    def cacheable(self) -> bool:
        """Whether the prefix is long enough for a cache breakpoint to do anything."""
        return self.tokens >= MIN_CACHED_TOKENS

    def system(self, lifetime: Lifetime = Lifetime.FIVE_MINUTES) -> list[dict[str, Any]]:
        """The `system` blocks of a request: the same objects each time, not to be changed."""
        return _system(self.text, lifetime if self.cacheable else Lifetime.NONE)


Prompts = Mapping[str, Prompt]
"""By purpose, and `JUDGE`."""


@lru_cache(maxsize=64)
def _system(text: str, lifetime: Lifetime) -> list[dict[str, Any]]:
    block: dict[str, Any] = {"type": "text", "text": text}
    if lifetime is not Lifetime.NONE:
        block["cache_control"] = {"type": "ephemeral"}
    if lifetime is Lifetime.HOUR:
        block["cache_control"]["ttl"] = "1h"
    return [block]


def instructions_of(text: str) -> str:
    """The part of an answering prompt that stands before its knowledge pages."""
    return text.partition(KNOWLEDGE)[0]


@lru_cache(maxsize=16)
def shown_in(text: str) -> tuple[Shown, ...]:
    """The knowledge of an answering prompt as what was shown."""
    knowledge = text.partition(KNOWLEDGE)[2]
    if not knowledge:
        return ()
    # Prompts on record from before passages had ids hold their pages as they were.
    return rendered_in(knowledge) or (Shown(id="knowledge", text=knowledge),)


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class RequestKind:
    """What requests with the same fixed part have in common."""

    purpose: Purpose
    model: str
    prompt_version: str
    schema_version: str


def prompt(purpose: Purpose, text: str) -> Prompt:
    """Under the first 12 hex digits of its text's SHA-256."""
    return Prompt(
        purpose=purpose, text=text, version=hashlib.sha256(text.encode()).hexdigest()[:12]
    )


def with_pages(base: Prompt, passages: Sequence[PagePassage]) -> Prompt:
    """The answering prompt with a policy's pages behind it, in the part that Claude caches."""
    joint = "\n\n" if KNOWLEDGE in base.text else KNOWLEDGE
    whole = prompt(base.purpose, base.text + joint + rendered(passages))
    return replace(whole, base=base.version)
