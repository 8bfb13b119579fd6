"""Enforced rate limits: continuously refilling buckets for requests, input and output tokens."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

NAMES = ("requests", "tokens", "input-tokens", "output-tokens")
COUNTED = ("requests", "input_tokens", "output_tokens")
DEFAULTS: Mapping[str, tuple[int, int, int]] = {
    "haiku": (4_000, 2_000_000, 400_000),
    "sonnet": (2_000, 1_000_000, 200_000),
    "opus": (1_000, 500_000, 100_000),
}
"""Requests, input tokens and output tokens a minute by family, unless told otherwise."""
BURST_S = 6.0
"""Seconds of refill that a bucket holds: bursts beyond are refused, as the real API refuses."""


@dataclass(slots=True, kw_only=True)
class Bucket:
    """One kind of limit."""

    per_minute: int
    level: float
    at: float
    unused: float = 0.0
    """What came in while it was full: of a limit, the part that nobody can use any more."""
    lowest: float = math.inf
    """The least that was left after a request."""

    @property
    def size(self) -> float:
        """The most that it holds."""
        return max(self.per_minute * BURST_S / 60, 1.0)

    def refill(self, now: float) -> None:
        """Adds what has come in since."""
        filled = self.level + (now - self.at) * self.per_minute / 60
        self.level, self.at = min(self.size, filled), now
        self.unused += filled - self.level

    def spend(self, need: float) -> None:
        """Takes what a request needs."""
        self.level -= need
        self.lowest = min(self.lowest, self.level)

    @property
    def most_ahead_s(self) -> float:
        """Seconds of refill that were missing when it was emptiest."""
        return (self.size - min(self.lowest, self.size)) * 60 / self.per_minute


@dataclass(slots=True, kw_only=True)
class TakenTokens:
    """What one family let through since the start, and what it refused."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    refused: int = 0


@dataclass(slots=True)
class SimulatedLimits:
    """The buckets of every model family."""

    table: Mapping[str, tuple[int, int, int]] | None
    buckets: dict[str, tuple[Bucket, Bucket, Bucket]] = field(default_factory=dict)
    taken: dict[str, TakenTokens] = field(default_factory=dict)

    def take(self, family: str, input_tokens: int, now: float) -> float | None:
        """Takes one request; seconds to wait instead when a bucket is empty."""
        if self.table is None:
            return None
        buckets = self._of(family, now)
        needs = (1, input_tokens, 1)
        short = [
            (min(need, bucket.size) - bucket.level) * 60 / bucket.per_minute
            for bucket, need in zip(buckets, needs, strict=True)
            if bucket.level < min(need, bucket.size)
        ]
        taken = self.taken.setdefault(family, TakenTokens())
        if short:
            taken.refused += 1
            return max(short)
        taken.requests += 1
        taken.input_tokens += input_tokens
        for bucket, need in zip(buckets[:2], needs[:2], strict=True):
            bucket.spend(need)
        return None

    def spend_output(self, family: str, output_tokens: int) -> None:
        """Output is known only afterwards: its bucket may go below zero."""
        if self.table is not None and family in self.buckets:
            self.buckets[family][2].spend(output_tokens)
            self.taken.setdefault(family, TakenTokens()).output_tokens += output_tokens

    def as_document(self, now: float) -> dict[str, Any]:
        """What was taken and refused, by family; and of each of its buckets what was left unused,
        and by how many seconds of refill requests were ahead of it at most."""
        found = dict[str, Any]()
        for family, taken in self.taken.items():
            buckets = dict(zip(COUNTED, self._of(family, now), strict=True))
            unused = {kind: bucket.unused for kind, bucket in buckets.items()}
            ahead = {kind: bucket.most_ahead_s for kind, bucket in buckets.items()}
            found[family] = {**asdict(taken), "unused": unused, "most_ahead_s": ahead}
        return found

    def headers(self, family: str, now: float) -> dict[str, str]:
        """`anthropic-ratelimit-*`, token figures rounded to thousands."""
        if self.table is None:
            return {}
        requests, taken, given = (_told(bucket) for bucket in self._of(family, now))
        both = (taken[0] + given[0], taken[1] + given[1], max(taken[2], given[2]))
        found: dict[str, str] = {}
        for name, (limit, left, full_in_s) in zip(
            NAMES, (requests, both, taken, given), strict=True
        ):
            step = 1 if name == "requests" else 1_000
            reset = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=full_in_s)
            prefix = f"anthropic-ratelimit-{name}"
            found[f"{prefix}-limit"] = str(limit)
            found[f"{prefix}-remaining"] = str(int(left / step) * step)
            found[f"{prefix}-reset"] = reset.strftime("%Y-%m-%dT%H:%M:%SZ")
        return found

    def _of(self, family: str, now: float) -> tuple[Bucket, Bucket, Bucket]:
        assert self.table is not None, "without a table nothing is limited"
        if family not in self.buckets:
            rpm, itpm, otpm = self.table.get(family, DEFAULTS["opus"])
            self.buckets[family] = tuple(  # type: ignore[assignment]
                Bucket(per_minute=limit, level=limit * BURST_S / 60, at=now)
                for limit in (rpm, itpm, otpm)
            )
        for bucket in self.buckets[family]:
            bucket.refill(now)
        return self.buckets[family]


def _told(bucket: Bucket) -> tuple[int, float, float]:
    """Its limit a minute, what is left of that, and the seconds until it is full again."""
    left = max(bucket.level, 0.0) * 60 / BURST_S
    return bucket.per_minute, left, max(bucket.size - bucket.level, 0) * 60 / bucket.per_minute
