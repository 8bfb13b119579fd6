"""Rate limits of a tier as values: what is allowed, what headers mean, what a call will need.

Limits count a minute's requests, input tokens and output tokens, as Claude does
(platform.claude.com/docs/en/api/rate-limits, November 2026). Cache reads count towards none of
them. The bucket arithmetic is in `worker.domain.buckets`; the shared buckets are in
`worker.claude.rate_limits`.
"""

import datetime as dt
import email.utils
import math
from collections.abc import Mapping
from dataclasses import dataclass

from models.vocabulary import Purpose
from worker.domain.pricing import Usage

KINDS = ("requests", "input-tokens", "output-tokens")
ROUNDING = (0, 500, 500)
"""A header's figure may be this much below the truth: token figures are rounded to thousands."""
LOW_SHARE = 0.1
"""Claude's bucket must be emptier than this before its `remaining` slows anybody: above it, our
own and much smaller bucket is the tighter one, and a report would only cost time."""
STALE_AFTER_S = 1.0
"""A bucket whose `reset` is this long past has filled up since; `reset` is in whole seconds."""
DEFAULT_HOLD_S, MAX_HOLD_S = 10.0, 900.0
"""For a 429 whose `retry-after` is absent or unreadable, and the longest that one is believed:
whoever asks for more than a quarter of an hour is asked again sooner, and people are told."""
MAX_ASKED_S = 7 * 86_400.0
"""What asks for more than a week is beyond belief: as good as unreadable."""
PRIOR_WEIGHT, MEMORY = 10, 500
"""Calls that a prior is worth, and calls after which an old one has largely been forgotten."""
MARGIN = 1.1
"""Estimates are this much above the mean; what was too much is given back when the call ends."""

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests, input tokens and output tokens a minute; None is no limit."""

    rpm: int | None
    itpm: int | None
    otpm: int | None

    def __post_init__(self) -> None:
        for name in ("rpm", "itpm", "otpm"):
            limit = getattr(self, name)
            if limit is not None and limit < 1:
                raise ValueError(f"{name} is {limit}: it must be at least 1, or None for no limit")

    @property
    def by_kind(self) -> tuple[int | None, int | None, int | None]:
        """In the order of KINDS."""
        return (self.rpm, self.itpm, self.otpm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a limit is used. Seconds, except `ramp_from`, a share of the limit.

    At most `burst_s` of refill is saved up: so much lateness of a worker costs no throughput, and
    so much, plus one call, may arrive at Claude at once. After `idle_s` in which nobody asked, and
    after a hold, the rate starts at `ramp_from` and grows to the full limit in `ramp_s`; on
    `ramp_limit_exceeded`, in `slow_ramp_s`.
    """

    burst_s: float = 0.5
    ramp_from: float = 0.25
    ramp_s: float = 5.0
    slow_ramp_s: float = 60.0
    idle_s: float = 60.0

    def __post_init__(self) -> None:
        if not 0 < self.ramp_from <= 1:
            raise ValueError(f"ramp_from is {self.ramp_from:g}: it must be above 0 and at most 1")
        for name in ("burst_s", "ramp_s", "slow_ramp_s", "idle_s"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name):g}: it must be 0 or more")


@dataclass(frozen=True, slots=True)
class Grant:
    """How many calls may be sent now. When that is fewer than asked, `reason` says why, and
    `retry_in_s` when the next one fits."""

    calls: int
    retry_in_s: float
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a tier sent in the last 60 s, against the limits in force (Claude's, where lower)."""

    calls: float
    input_tokens: float
    output_tokens: float
    limits: Limits
    held_s: float

    @property
    def share(self) -> float | None:
        """Of the limit that is nearest to being reached; None when nothing is limited."""
        used = (self.calls, self.input_tokens, self.output_tokens)
        pairs = zip(used, self.limits.by_kind, strict=True)
        return max((amount / limit for amount, limit in pairs if limit), default=None)

    @property
    def nearest(self) -> str:
        """Which limit that is, in words; empty when nothing is limited."""
        used = (self.calls, self.input_tokens, self.output_tokens)
        words = ("requests", "input tokens", "output tokens")
        shares = [
            (amount / limit, word)
            for amount, limit, word in zip(used, self.limits.by_kind, words, strict=True)
            if limit
        ]
        return max(shares, default=(0.0, ""))[1]


def counted_input(usage: Usage) -> int:
    """Input tokens that count towards the limit: cache reads do not, cache writes do."""
    return usage.total_input - usage.cache_read_tokens


@dataclass(frozen=True, slots=True)
class Told:
    """What one response's headers say, by kind: the limit, and the share of it that is left.
    None where the headers say nothing that can be read, or nothing that is still true."""

    limits: tuple[int | None, int | None, int | None]
    left: tuple[float | None, float | None, float | None]

    def lower_than(self, limits: Limits) -> tuple[int | None, int | None, int | None]:
        """Claude's limits where they are below ours by more than rounding."""
        first, second, third = (
            told if ours and told and told + rounding < ours else None
            for told, ours, rounding in zip(self.limits, limits.by_kind, ROUNDING, strict=True)
        )
        return first, second, third

    def room_s(self, burst_s: float) -> tuple[float | None, float | None, float | None]:
        """The most that a bucket may hold, in seconds of refill, where Claude's is low: from all
        of `burst_s` at LOW_SHARE down to a debt of as much when nothing is left."""
        first, second, third = (
            None if left is None or left >= LOW_SHARE else burst_s * (2 * left / LOW_SHARE - 1)
            for left in self.left
        )
        return first, second, third


def read_headers(headers: Mapping[str, str], now: float) -> Told:
    """What `anthropic-ratelimit-*` say. `now` is Unix time. Garbage counts as absent."""
    limits, left = list[int | None](), list[float | None]()
    for kind, rounding in zip(KINDS, ROUNDING, strict=True):
        limit = _whole(headers.get(f"anthropic-ratelimit-{kind}-limit"))
        remaining = _whole(headers.get(f"anthropic-ratelimit-{kind}-remaining"))
        reset = _unix(headers.get(f"anthropic-ratelimit-{kind}-reset"))
        stale = reset is not None and reset + STALE_AFTER_S <= now
        limits.append(limit or None)
        known = limit and remaining is not None and not stale
        left.append(min((remaining + rounding) / limit, 1.0) if known else None)  # type: ignore[operator]
    return Told((limits[0], limits[1], limits[2]), (left[0], left[1], left[2]))


def hold_s(retry_after: str | float | None, now: float) -> float:
    """Seconds to send nothing after a 429, 0 to MAX_HOLD_S. `retry_after` is the header as it
    came, or seconds already read from it; `now` is Unix time."""
    seconds = retry_after_s(retry_after, now)
    return DEFAULT_HOLD_S if seconds is None else min(seconds, MAX_HOLD_S)


def retry_after_s(value: str | float | None, now: float) -> float | None:
    """Seconds that `retry-after` asks for, 0 to MAX_ASKED_S: it may be a number or an HTTP date.
    None when absent, unreadable or beyond belief. `now` is Unix time."""
    seconds = value if isinstance(value, float | int) else _seconds(value or "", now)
    if seconds is None or math.isnan(seconds) or seconds > MAX_ASKED_S:
        return None
    return max(float(seconds), 0.0)


def _seconds(value: str, now: float) -> float | None:
    try:
        return float(value)
    except ValueError:
        pass
    try:
        parsed = email.utils.parsedate_tz(value)
        return None if parsed is None else email.utils.mktime_tz(parsed) - now
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def _whole(value: str | None) -> int | None:
    if value is None or not (value.isascii() and value.isdigit()) or len(value) > 15:
        return None
    return int(value)


def _unix(value: str | None) -> float | None:
    try:
        moment = dt.datetime.fromisoformat(value or "")
        return moment.timestamp() if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Input tokens that count towards the limit, and output tokens, of one call."""

    input: float
    output: float


class Estimator:
    """What a call will need: the running mean of those before it, by tier and purpose.

    Conservative, but not the worst case: `max_tokens` for every call would leave most of a limit
    unused. Errors are settled when a call ends. Threads may share one: a race forgets one call.
    """

    def __init__(self, prior: Tokens, priors: Mapping[Purpose, Tokens] | None = None) -> None:
        self._prior, self._priors = prior, dict(priors or {})
        self._means: dict[tuple[str, Purpose], tuple[int, Tokens]] = {}

    def expect(self, tier: str, purpose: Purpose) -> Tokens:
        """Whole tokens, for `Limiter.take`."""
        _, mean = self._mean(tier, purpose)
        return Tokens(_with_margin(mean.input), _with_margin(mean.output))

    def learn(self, tier: str, purpose: Purpose, usage: Usage) -> None:
        """Takes in what a call really used."""
        calls, mean = self._mean(tier, purpose)
        weight = 1 / min(calls + 1, MEMORY)
        self._means[tier, purpose] = (
            calls + 1,
            Tokens(
                mean.input + (counted_input(usage) - mean.input) * weight,
                mean.output + (usage.output_tokens - mean.output) * weight,
            ),
        )

    def _mean(self, tier: str, purpose: Purpose) -> tuple[int, Tokens]:
        prior = (PRIOR_WEIGHT, self._priors.get(purpose, self._prior))
        return self._means.get((tier, purpose), prior)


def _with_margin(mean: float) -> int:
    return math.ceil(round(mean * MARGIN, 6))
