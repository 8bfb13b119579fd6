"""Tokens and the prompt cache."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from worker.sandbox.simulator.requests import Segment

BYTES_PER_TOKEN = 3.6
NEWER_TOKENIZER = 1.3
"""Haiku 5.5 counts about 30 % more tokens than its forerunner."""
MIN_CACHED_TOKENS = 512
LIFETIMES_S = {"5m": 300.0, "1h": 3600.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputTokens:
    """Input tokens by kind; the kinds are disjoint."""

    plain: int
    read: int
    written_5m: int
    written_1h: int

    @property
    def limited(self) -> int:
        """What counts towards input tokens a minute: cache reads do not."""
        return self.plain + self.written_5m + self.written_1h

    @property
    def total(self) -> int:
        """All of it."""
        return self.limited + self.read


def count_tokens(text: str, model: str) -> int:
    """A believable number of tokens, at least one, never more than the text has bytes."""
    size = len(text.encode("utf-8", "replace"))
    factor = NEWER_TOKENIZER if "haiku-5" in model else 1.0
    return max(1, min(size, round(size / BYTES_PER_TOKEN * factor)))


@dataclass(slots=True)
class PromptCache:
    """Prefixes seen, for each model apart."""

    until: dict[bytes, float] = field(default_factory=dict)

    def count(self, model: str, segments: Sequence[Segment], now: float) -> InputTokens:
        """Splits the input into read, written and plain, and remembers what was written."""
        tokens, before_breakpoint = 0, 0
        read = written_5m = written_1h = 0
        running = hashlib.blake2b(model.encode(), digest_size=16)
        for segment in segments:
            running.update(segment.text.encode("utf-8", "replace") + b"\x00")
            tokens += count_tokens(segment.text, model)
            if segment.ttl is None or tokens < MIN_CACHED_TOKENS:
                continue
            key, span = running.digest(), tokens - before_breakpoint
            before_breakpoint = tokens
            if self.until.get(key, 0.0) > now:
                read += span
            elif segment.ttl == "1h":
                written_1h += span
            else:
                written_5m += span
            self.until[key] = now + LIFETIMES_S.get(segment.ttl, 300.0)
        return InputTokens(
            plain=tokens - read - written_5m - written_1h,
            read=read,
            written_5m=written_5m,
            written_1h=written_1h,
        )
