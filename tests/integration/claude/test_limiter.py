"""The limiter on real Redis: as the model says, shared, and shut when Redis is away."""

import heapq
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.support.limiting import NOW, Clock, about, give_back, grant_of, stored, take
from tests.support.places import ROOT
from tests.support.waiting import eventually
from worker.claude.rate_limits import Limiter, connect
from worker.domain.limit_headers import DEFAULT_HOLD_S
from worker.domain.limits import Limits, Pace, Used
from worker.sandbox.redis import Redis, free_port, start_redis
from worker.sandbox.simulator.limits import SimulatedLimits as Enforced

LIMITS = Limits(600, 60_000, 6_000)
STEADY = Pace(burst_s=1, ramp_from=1, ramp_s=0)


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    made = connect(redis_url)
    yield made
    made.close()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    """A server that a test may flush and kill."""
    server = start_redis(tmp_path, free_port())
    yield server
    server.stop()


def drained(limiter: Limiter, calls: int = 1_000) -> int:
    return take(limiter, calls).calls


TAKER = """
import json, sys, time
from worker.domain.limits import Limits, Pace
from worker.claude.rate_limits import Limiter, connect
url, until = sys.argv[1], time.time() + float(sys.argv[2])
pace = Pace(burst_s=0.2, ramp_from=1, ramp_s=0)
limiter = Limiter(connect(url), {"haiku": Limits(6000, 3_000_000, None)}, pace)
grants = []
while (before := time.time()) < until:
    grant = limiter.take("haiku", calls=7, input_tokens=500, output_tokens=9)
    if grant.calls:
        grants.append((before, time.time(), grant.calls))
    time.sleep(min(grant.retry_in_s, 0.5))
print(json.dumps(grants))
"""


def test_four_processes_share_one_limit(redis_url: str) -> None:
    """100 requests a second in all; whatever the window, never more than that and a burst."""
    command = [sys.executable, "-c", TAKER, redis_url, "3"]
    takers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(4)]
    try:
        outputs = [taker.communicate(timeout=60)[0] for taker in takers]
    finally:
        for taker in takers:
            taker.kill()
            taker.wait()

    assert [taker.returncode for taker in takers] == [0] * 4
    grants = sorted(tuple(grant) for output in outputs for grant in json.loads(output))
    for first, (start, _, _) in enumerate(grants):
        inside, total = sorted((end, calls) for _, end, calls in grants[first:]), 0
        for end, calls in inside:
            total += calls
            assert total <= 100 * (end - start + 0.2) + 1 + 1e-6
    took = sum(calls for _, _, calls in grants)
    assert took >= 0.9 * 100 * (max(end for _, end, _ in grants) - grants[0][0])


def test_all_or_nothing(client: redis.Redis) -> None:
    """Of 40 calls those go whose request and tokens all fit; nothing is taken for the others."""
    clock = Clock()
    limiter = Limiter(client, {"haiku": LIMITS}, STEADY, clock)
    take(limiter, 1)
    clock.now += 10

    grant = take(limiter, 40, 100, 30)

    assert grant == grant_of(4, about(0.2), "output tokens a minute are used up")
    state = stored(client)
    assert state is not None
    assert state.levels == pytest.approx((6, 600, -20))


def test_what_was_not_sent_comes_back(client: redis.Redis) -> None:
    clock = Clock()
    limiter = Limiter(client, {"haiku": LIMITS}, STEADY, clock)
    take(limiter, 1)
    clock.now += 10
    assert take(limiter, 5, 50, 10).calls == 5

    assert give_back(limiter, calls=2, input_tokens=50, output_tokens=10)

    state, used = stored(client), limiter.usage("haiku")
    assert state is not None
    assert state.levels == pytest.approx((7, 850, 70))
    assert used == Used(calls=4, input_tokens=150, output_tokens=30, limits=LIMITS, held_s=0)


def test_debt_after_the_truth_keeps_later_calls_waiting(client: redis.Redis) -> None:
    limiter = Limiter(client, {"haiku": LIMITS}, STEADY, Clock())
    take(limiter, 1, 10, 10)

    assert limiter.settle("haiku", input_tokens=-5, output_tokens=290)

    assert take(limiter, 1) == grant_of(0, about(3), "output tokens a minute are used up")


def test_a_429_stops_every_worker_until_it_is_over(client: redis.Redis) -> None:
    clock = Clock()
    one, other = (Limiter(client, {"haiku": LIMITS}, Pace(), clock) for _ in range(2))

    assert one.hold("haiku", "20") == 20
    assert one.hold("haiku", "soon") == DEFAULT_HOLD_S

    assert take(other, 5) == grant_of(0, 20, "Claude asked for a pause")
    used = other.usage("haiku")
    assert used is not None
    assert used.held_s == 20
    clock.now += 20
    assert take(other, 5).calls == 1, "a ramp begins with one call"


def headers(limit: int, remaining: int) -> dict[str, str]:
    found = dict[str, str]()
    for kind in ("requests", "input-tokens", "output-tokens"):
        found[f"anthropic-ratelimit-{kind}-limit"] = str(limit)
        found[f"anthropic-ratelimit-{kind}-remaining"] = str(remaining)
    return found


def test_a_lower_limit_of_claude_is_followed_and_let_go(client: redis.Redis) -> None:
    clock = Clock()
    limiter = Limiter(client, {"haiku": Limits(600, None, None)}, STEADY, clock)

    assert limiter.observe("haiku", headers(60, 60))
    assert not limiter.observe("haiku", headers(60, 60)), "told already"
    lower = limiter.usage("haiku")
    assert limiter.observe("haiku", headers(600, 600))
    higher = limiter.usage("haiku")

    assert lower == Used(
        calls=0, input_tokens=0, output_tokens=0, limits=Limits(60, None, None), held_s=0
    )
    assert higher == Used(
        calls=0, input_tokens=0, output_tokens=0, limits=Limits(600, None, None), held_s=0
    )


def test_an_empty_bucket_of_claude_empties_ours_and_a_full_one_costs_nothing(
    client: redis.Redis,
) -> None:
    clock = Clock()
    limiter = Limiter(client, {"haiku": Limits(600, None, None)}, STEADY, clock)
    take(limiter, 1)
    clock.now += 10

    assert not limiter.observe("haiku", headers(600, 590))
    assert not limiter.observe("haiku", {})
    assert limiter.observe("haiku", headers(600, 0))

    assert take(limiter, 1) == grant_of(0, about(1), "requests a minute are used up")


def test_the_last_minute_is_kept_and_older_is_forgotten(client: redis.Redis) -> None:
    clock = Clock()
    limiter = Limiter(client, {"haiku": LIMITS}, STEADY, clock)
    for _ in range(30):
        take(limiter, 1, 100, 10)
        clock.now += 5

    assert limiter.usage("haiku") == Used(
        calls=12, input_tokens=1_200, output_tokens=120, limits=LIMITS, held_s=0
    )
    clock.now += 70
    assert limiter.usage("haiku") == Used(
        calls=0, input_tokens=0, output_tokens=0, limits=LIMITS, held_s=0
    )


def test_a_redis_that_forgot_everything_starts_low_and_grows(own_redis: Redis) -> None:
    clock, client = Clock(), connect(own_redis.url)
    pace = Pace(burst_s=1, ramp_from=0.1, ramp_s=10)
    limiter = Limiter(client, {"haiku": LIMITS}, pace, clock)
    take(limiter, 1)
    clock.now += 30
    assert drained(limiter) == 11

    client.flushall()
    client.script_flush()
    give_back(limiter, calls=11, input_tokens=500, output_tokens=50)

    assert drained(limiter) == 1, "not a burst, and not what was given back"
    clock.now += 1
    first = drained(limiter)
    clock.now += 20
    assert (first, drained(limiter)) == (1, 11)
    client.close()


def test_no_redis_no_grant_and_it_goes_on_when_redis_is_back(tmp_path: Path) -> None:
    port = free_port()
    server = start_redis(tmp_path, port)
    limiter = Limiter(connect(server.url), {"haiku": LIMITS}, Pace())
    try:
        assert take(limiter, 1).calls == 1
        server.process.kill()
        server.process.wait()

        started = time.monotonic()
        grant = take(limiter, 5)
        assert (grant.calls, grant.retry_in_s) == (0, 1.0)
        assert grant.reason == "Redis does not keep the rate limits (ConnectionError)"
        assert not limiter.settle("haiku", input_tokens=1, output_tokens=1)
        assert not limiter.observe("haiku", headers(60, 0))
        assert limiter.hold("haiku", "3") == 3
        assert limiter.usage("haiku") is None
        assert time.monotonic() - started < 5

        server = start_redis(tmp_path, port)
        eventually(lambda: take(limiter, 1).calls == 1)
    finally:
        server.stop()


def test_a_redis_that_hangs_is_away_within_the_timeout(own_redis: Redis) -> None:
    if own_redis.kind == "fakeredis":
        pytest.skip("NO REDIS SERVER ON THIS MACHINE, AND FAKEREDIS DOES NOT HANG WHEN ASKED TO")
    limiter = Limiter(connect(own_redis.url, timeout_s=0.3), {"haiku": LIMITS})
    assert take(limiter, 1).calls == 1
    blocker = connect(own_redis.url)
    blocker.client_pause(1500)

    started = time.monotonic()
    grant = take(limiter, 1)

    assert (grant.calls, grant.reason) == (
        0,
        "Redis does not keep the rate limits (TimeoutError)",
    )
    assert time.monotonic() - started < 1.4
    blocker.close()


def test_two_tiers_do_not_share(client: redis.Redis) -> None:
    limiter = Limiter(client, {"haiku": LIMITS, "opus": LIMITS}, STEADY, Clock())

    limiter.hold("haiku", 60.0)

    assert limiter.take("opus", calls=1, input_tokens=1, output_tokens=1).calls == 1


def test_the_simulators_limit_is_used_up_and_hardly_ever_hit(client: redis.Redis) -> None:
    """Five simulated minutes at haiku's limits, estimates wrong both ways, answers late: over
    99 % of the limit is used, and under 0.1 % of the requests are refused."""
    table = {"haiku": (1_000, 2_000_000, 60_000)}
    enforced, clock, dice = Enforced(table), Clock(), random.Random(7)
    limiter = Limiter(client, {"haiku": Limits(*table["haiku"])}, Pace(), clock)
    sent = refused = spent = 0
    ends: list[tuple[float, int, int]] = []
    ramp_over = NOW + 10
    while clock.now < ramp_over + 300:
        while ends and ends[0][0] <= clock.now:
            _, more_in, more_out = heapq.heappop(ends)
            limiter.settle("haiku", input_tokens=more_in, output_tokens=more_out)
        grant = take(limiter, 8, 900, 70)
        for _ in range(grant.calls):
            used_in, used_out = dice.randint(300, 1_200), dice.randint(10, 110)
            wait = enforced.take("haiku", used_in, clock.now)
            sent += 1
            if wait is not None:
                refused += 1
                give_back(limiter, calls=1, input_tokens=900, output_tokens=70)
                limiter.hold("haiku", wait)
                continue
            enforced.spend_output("haiku", used_out)
            spent += used_out if clock.now >= ramp_over else 0
            late = dice.uniform(0.5, 8)
            heapq.heappush(ends, (clock.now + late, used_in - 900, used_out - 70))
        clock.now += max(grant.retry_in_s, 0.02) + dice.uniform(0, 0.03)

    assert refused / sent < 0.001
    assert spent / (5 * 60_000) > 0.99
