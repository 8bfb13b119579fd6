"""What tests of the limiter share: a clock that stands still, and short ways to ask."""

from typing import Any

import pytest
import redis

from worker.claude.rate_limits import Limiter, key_of, state_of
from worker.domain.buckets import Buckets
from worker.domain.limits import Grant

NOW = 1_795_000_000.0


class Clock:
    """Unix seconds that stand still until they are moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def stored(client: redis.Redis, tier: str = "haiku") -> Buckets | None:
    raw: Any = client.hgetall(key_of(tier))
    return state_of({name.decode(): value.decode() for name, value in raw.items()})


def take(limiter: Limiter, calls: int, input_tokens: float = 0, output_tokens: float = 0) -> Grant:
    return limiter.take(
        "haiku", calls=calls, input_tokens=input_tokens, output_tokens=output_tokens
    )


def about(seconds: float) -> Any:
    """Equal but for rounding."""
    return pytest.approx(seconds, abs=1e-6)


def give_back(limiter: Limiter, *, calls: int, input_tokens: float, output_tokens: float) -> bool:
    """Returns calls that were granted and not sent; tokens are those asked for one call."""
    amounts = {"input_tokens": -calls * input_tokens, "output_tokens": -calls * output_tokens}
    return limiter.settle("haiku", calls=-calls, **amounts)


def grant_of(calls: int, retry_in_s: Any, reason: str | None) -> Grant:
    """As the limiter gives it."""
    return Grant(calls=calls, retry_in_s=retry_in_s, reason=reason)
