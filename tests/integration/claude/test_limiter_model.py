"""The limiter's Lua script and its model in Python do the same, step by step, on real Redis."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import bucket_model as buckets
from tests.support.limiting import NOW, about, grant_of, stored, take
from worker.claude.rate_limits import REASONS, Limiter, connect, key_of
from worker.domain.buckets import LOWERED_S, SECOND, Buckets
from worker.domain.limits import Limits, Pace


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    made = connect(redis_url)
    yield made
    made.close()


amounts = st.floats(-20_000, 20_000)
some_limit = st.none() | st.integers(1, 1_000)
room = st.none() | st.floats(-2, 2)
steps = st.lists(
    st.tuples(
        st.integers(-2 * SECOND, 200 * SECOND) | st.integers(0, SECOND),
        st.one_of(
            st.tuples(st.just("take"), st.integers(0, 60), st.floats(0, 5_000), st.floats(0, 500)),
            st.tuples(st.just("settle"), st.integers(-5, 5), amounts, amounts),
            st.tuples(st.just("hold"), st.floats(0, 100), st.booleans()),
            st.tuples(st.just("lift")),
            st.tuples(
                st.just("observe"),
                st.tuples(some_limit, some_limit, some_limit),
                st.tuples(room, room, room),
            ),
        ),
    ),
    max_size=12,
)
paces = st.builds(
    Pace,
    burst_s=st.floats(0, 3),
    ramp_from=st.floats(0.05, 1),
    ramp_s=st.just(0.0) | st.floats(0.1, 30),
    slow_ramp_s=st.floats(1, 100),
    idle_s=st.floats(1, 100),
)
limits = st.builds(
    Limits,
    st.none() | st.integers(1, 5_000),
    st.none() | st.integers(1, 2_000_000),
    st.none() | st.integers(1, 400_000),
)


def test_the_script_does_what_the_model_says(client: redis.Redis) -> None:
    """The same steps on Redis and on values: the same grants, and the same state after each."""

    @settings(max_examples=150)
    @given(limits, paces, steps)
    def check(limits: Limits, pace: Pace, steps: list[tuple[int, tuple[Any, ...]]]) -> None:
        client.delete(key_of("haiku"))
        now, state = int(NOW) * SECOND, None
        limiter = Limiter(client, {"haiku": limits}, pace, lambda: now / SECOND)
        for later, step in steps:
            now += later
            state = _both(limiter, state, limits, pace, now, step)
            found = stored(client)
            assert found is not None
            assert found.levels == pytest.approx(state.levels, rel=1e-9, abs=1e-5)
            assert _without_levels(found) == _without_levels(state)

    check()


def _both(
    limiter: Limiter,
    state: Buckets | None,
    limits: Limits,
    pace: Pace,
    now: int,
    step: tuple[Any, ...],
) -> Buckets:
    known = state or buckets.fresh(pace, now)
    match step:
        case ("take", calls, input_tokens, output_tokens):
            needs = (1.0, input_tokens, output_tokens)
            after, granted, wait, why = buckets.take(known, limits, pace, now, calls, needs)
            grant = take(limiter, calls, input_tokens, output_tokens)
            assert grant == grant_of(granted, about(wait), REASONS[why])
        case ("settle", calls, input_tokens, output_tokens):
            more = (calls, input_tokens, output_tokens)
            after = buckets.settle(state, limits, pace, now, more)
            limiter._run("settle", "haiku", *more)
        case ("hold", seconds, slowly):
            ramp_s = pace.slow_ramp_s if slowly else pace.ramp_s
            after = buckets.hold(known, limits, pace, now, seconds, ramp_s)
            assert limiter.hold("haiku", seconds, slowly=slowly) == seconds
        case ("lift",):
            after = buckets.lift(known, limits, pace, now)
            assert limiter.lift("haiku")
        case ("observe", lowered, room):
            after = buckets.observe(known, limits, pace, now, lowered, room)
            blank = ["" if figure is None else figure for figure in (*lowered, *room)]
            limiter._run("observe", "haiku", *blank)
    return after


def _without_levels(state: Buckets) -> tuple[object, ...]:
    return (
        state.seen_us,
        state.hold_us,
        state.ramp_us,
        state.ramp_s,
        state.asked_us,
        state.lowered,
        state.told_us,
    )


def test_whoever_asks_while_a_tier_is_held_does_not_begin_its_gentle_start(
    client: redis.Redis,
) -> None:
    # given a tier that is held for longer than one may be idle
    now = [NOW]
    pace = Pace(burst_s=1, ramp_from=0.1, ramp_s=10, idle_s=10)
    limiter = Limiter(client, {"haiku": Limits(600, None, None)}, pace, lambda: now[0])
    take(limiter, 1)
    limiter.hold("haiku", 100)
    # when somebody asks shortly before its end
    now[0] = NOW + 95
    assert take(limiter, 1).calls == 0
    # then it starts gently at its end
    now[0] = NOW + 101
    assert 0 < take(limiter, 100).calls <= 2


def test_claude_may_lower_a_limit_and_never_raises_it(client: redis.Redis) -> None:
    now = [NOW]
    pace = Pace(burst_s=1, ramp_from=1, ramp_s=0)
    limiter = Limiter(client, {"haiku": Limits(600, None, None)}, pace, lambda: now[0])
    granted = {}
    for told in (60, 6_000):
        limiter._run("observe", "haiku", told, *[""] * 5)
        take(limiter, 1_000)
        now[0] += 60
        granted[told] = take(limiter, 1_000).calls
    # a second's worth, and the one that may go into debt
    assert granted == {60: 2, 6_000: 11}


def test_a_lower_limit_is_believed_for_two_minutes(client: redis.Redis) -> None:
    now = [NOW]
    pace = Pace(burst_s=1, ramp_from=1, ramp_s=0, idle_s=1_000)
    limiter = Limiter(client, {"haiku": Limits(600, None, None)}, pace, lambda: now[0])
    take(limiter, 1)
    limiter._run("observe", "haiku", 60, *[""] * 5)
    now[0] += LOWERED_S - 1
    lower = take(limiter, 1_000).calls
    now[0] += 1
    assert (lower, take(limiter, 1_000).calls) == (2, 10)


def test_a_tier_that_was_idle_starts_gently_again(client: redis.Redis) -> None:
    now = [NOW]
    pace = Pace(burst_s=1, ramp_from=0.1, ramp_s=10, idle_s=30)
    limiter = Limiter(client, {"haiku": Limits(600, None, None)}, pace, lambda: now[0])
    take(limiter, 1)
    now[0] += 29
    assert take(limiter, 1_000).calls > 10
    now[0] += 31
    assert take(limiter, 1_000).calls == 1
