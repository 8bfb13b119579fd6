"""Rate limits of a tier as values: what is allowed, what headers mean, what a call will need.

Limits count a minute's requests, input tokens and output tokens, as Claude does
(platform.claude.com/docs/en/api/rate-limits, November 2026). Cache reads count towards none of
them. The bucket arithmetic is in `worker.domain.buckets`; the shared buckets are in
`worker.claude.rate_limits`.
"""

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
PRIOR_WEIGHT, MEMORY = 2, 100
"""Calls that a prior is worth, and calls after which an old one has largely been forgotten. What is
reserved too much for calls in flight is missing until they end: so a prior that is far too high,
and the call that writes the cache, have to be forgotten soon."""
TOKENS_A_BYTE = 1 / 3.5
"""Of what is said to the model, about (platform.claude.com/docs/en/about-claude/glossary: a token
is 3.5 English characters); by how much it is wrong is learnt with the rest of a call."""
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
class Tokens:
    """Input tokens that count towards the limit, and output tokens, of one call."""

    input: float
    output: float


NO_TOKENS = Tokens(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """How many calls may be sent now. When that is fewer than asked, `reason` says why, and
    `retry_in_s` when the next one fits."""

    calls: int
    retry_in_s: float
    reason: str | None
    each: Tokens = NO_TOKENS
    """What was taken for each, before it was known which calls they will be."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualCall:
    """Of a kind of calls: how many there were, bytes that were said to the model, input tokens
    beside those of these bytes, and output tokens."""

    calls: int
    said: float
    frame: float
    output: float

    def with_call(self, said: int, tokens: Tokens) -> "UsualCall":
        """One more, which weighs a hundredth at least."""
        weight = 1 / min(self.calls + 1, MEMORY)
        frame = tokens.input - said * TOKENS_A_BYTE
        return UsualCall(
            calls=self.calls + 1,
            said=self.said + (said - self.said) * weight,
            frame=self.frame + (frame - self.frame) * weight,
            output=self.output + (tokens.output - self.output) * weight,
        )


class Estimator:
    """What a call will need: the running mean of those before it, by tier and purpose, and so much
    more or less as more or less is said in it.

    Conservative, but not the worst case: `max_tokens` for every call would leave most of a limit
    unused. Errors are settled when a call ends. Threads may share one: a race forgets one call.
    """

    def __init__(self, prior: Tokens, priors: Mapping[Purpose, Tokens] | None = None) -> None:
        self._prior, self._priors = prior, dict(priors or {})
        self._means: dict[tuple[str, Purpose], UsualCall] = {}

    def expect(self, tier: str, purpose: Purpose, said: int | None = None) -> Tokens:
        """Whole tokens of a call in which so many bytes are said, or of one that is not known yet
        (None)."""
        mean = self._mean(tier, purpose)
        words = (mean.said if said is None else said) * TOKENS_A_BYTE
        return Tokens(_with_margin(max(mean.frame + words, 0)), _with_margin(mean.output))

    def learn(self, tier: str, purpose: Purpose, said: int, usage: Usage) -> None:
        """Takes in what a call really used."""
        used = Tokens(counted_input(usage), usage.output_tokens)
        self._means[tier, purpose] = self._mean(tier, purpose).with_call(said, used)

    def _mean(self, tier: str, purpose: Purpose) -> UsualCall:
        known = self._means.get((tier, purpose))
        if known is not None:
            return known
        prior = self._priors.get(purpose, self._prior)
        said = prior.input / TOKENS_A_BYTE
        return UsualCall(calls=PRIOR_WEIGHT, said=said, frame=0, output=prior.output)


def _with_margin(mean: float) -> int:
    return math.ceil(round(mean * MARGIN, 6))
