"""A limit that Claude has lowered is followed while it is told of, and two minutes longer."""

from collections.abc import Iterator

import pytest
import redis

from tests.support.limiting import Clock, take
from worker.claude.rate_limits import Limiter, connect
from worker.domain.limits import Limits, Pace

STEADY = Pace(burst_s=1, ramp_from=1, ramp_s=0)
HEADERS = {f"anthropic-ratelimit-requests-{what}": "60" for what in ("limit", "remaining")}


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    made = connect(redis_url)
    yield made
    made.close()


@pytest.mark.parametrize(("later", "calls"), [(118, 1), (121, 10)])
def test_a_lower_limit_is_forgotten_after_two_minutes(
    client: redis.Redis, later: int, calls: int
) -> None:
    clock = Clock()
    limiter = Limiter(client, {"haiku": Limits(600, None, None)}, STEADY, clock)
    assert limiter.observe("haiku", HEADERS)
    clock.now += later
    while take(limiter, 100).calls:
        pass
    clock.now += 1
    assert take(limiter, 100).calls == calls
