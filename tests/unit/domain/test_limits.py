"""What headers mean, how long a 429 holds, what a call is expected to need, and the buckets."""

import email.utils
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import Purpose
from tests.support.bucket_model import fresh, hold, observe, ramped, settle, take, unramped
from worker.domain.buckets import HELD, SECOND, Buckets, in_force
from worker.domain.limit_headers import DEFAULT_HOLD_S, MAX_HOLD_S, Told, hold_s, read_headers
from worker.domain.limits import LOW_SHARE, Estimator, Limits, Pace, Tokens, Used, counted_input
from worker.domain.pricing import Usage

NOW = 1_795_000_000.0
NOW_US = int(NOW) * SECOND
LIMITS = Limits(600, 60_000, 6_000)
STEADY = Pace(burst_s=1, ramp_from=1, ramp_s=0)


def headers(
    remaining: str, *, limit: str = "4000", reset: str = "2026-11-18T13:20:00Z"
) -> dict[str, str]:
    names = ("requests", "input-tokens", "output-tokens")
    found = dict[str, str]()
    for name in names:
        found[f"anthropic-ratelimit-{name}-limit"] = limit
        found[f"anthropic-ratelimit-{name}-remaining"] = remaining
        found[f"anthropic-ratelimit-{name}-reset"] = reset
    return found


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("2.5", 2.5),
        ("600", 600),
        ("3600", MAX_HOLD_S),
        ("604800", MAX_HOLD_S),
        ("604801", DEFAULT_HOLD_S),
        ("999999", DEFAULT_HOLD_S),
        ("-5", 0),
        ("inf", DEFAULT_HOLD_S),
        ("nan", DEFAULT_HOLD_S),
        ("soon", DEFAULT_HOLD_S),
        ("", DEFAULT_HOLD_S),
        (None, DEFAULT_HOLD_S),
        (7, 7),
        (float("nan"), DEFAULT_HOLD_S),
        (email.utils.formatdate(NOW + 30, usegmt=True), 30),
        (email.utils.formatdate(NOW - 30, usegmt=True), 0),
        (email.utils.formatdate(NOW + 86_400, usegmt=True), MAX_HOLD_S),
        ("Wed, 99 Foo 2026 99:99:99 GMT", DEFAULT_HOLD_S),
    ],
)
def test_retry_after_of_every_kind(value: str | float | None, seconds: float) -> None:
    assert hold_s(value, NOW) == seconds


@given(st.text() | st.floats() | st.none())
def test_retry_after_is_always_bounded(value: str | float | None) -> None:
    assert 0 <= hold_s(value, NOW) <= MAX_HOLD_S


def test_headers_tell_limits_and_what_is_left() -> None:
    told = read_headers(headers("1000"), NOW)

    assert told == Told((4000, 4000, 4000), (0.25, 0.375, 0.375))


def test_a_bucket_that_has_filled_up_since_is_not_low() -> None:
    told = read_headers(headers("0", reset="2026-11-01T00:00:00Z"), NOW)

    assert told == Told((4000, 4000, 4000), (None, None, None))


@pytest.mark.parametrize("garbage", ["", "many", "-1", "1e9", "٣", "9" * 400])
def test_garbage_in_headers_says_nothing(garbage: str) -> None:
    told = read_headers(headers(garbage, limit=garbage, reset=garbage), NOW)

    assert told == Told((None, None, None), (None, None, None))


def test_a_limit_of_zero_says_nothing() -> None:
    assert read_headers(headers("0", limit="0"), NOW) == Told((None,) * 3, (None,) * 3)


def test_only_lower_limits_are_followed_and_rounding_is_not_lower() -> None:
    told = Told((50, 12_000, 8_000), (None, None, None))

    assert told.lower_than(Limits(60, 12_400, 10_000)) == (50, None, 8_000)
    assert told.lower_than(Limits(40, None, 8_000)) == (None, None, None)


def test_an_emptier_bucket_leaves_less_room() -> None:
    assert Told((1, 1, 1), (LOW_SHARE, LOW_SHARE / 2, 0.0)).room_s(2) == (None, 0, -2)


def test_limits_of_zero_and_impossible_paces_are_refused() -> None:
    with pytest.raises(ValueError, match="itpm is 0: it must be at least 1"):
        Limits(1, 0, 1)
    with pytest.raises(ValueError, match="ramp_from is 0"):
        Pace(ramp_from=0)
    with pytest.raises(ValueError, match="burst_s is -1"):
        Pace(burst_s=-1)


def test_cache_reads_do_not_count() -> None:
    written = {"cache_write_5m_tokens": 30, "cache_write_1h_tokens": 7}
    usage = Usage(input_tokens=100, cache_read_tokens=5_000, output_tokens=900, **written)
    assert counted_input(usage) == 137


def test_an_estimator_moves_from_its_prior_to_the_mean() -> None:
    estimator = Estimator(Tokens(2_000, 400), {Purpose.CLASSIFY: Tokens(500, 20)})

    assert estimator.expect("haiku", Purpose.ANSWER) == Tokens(2_200, 440)
    assert estimator.expect("haiku", Purpose.CLASSIFY) == Tokens(550, 22)
    for _ in range(3_000):
        estimator.learn(
            "haiku",
            Purpose.ANSWER,
            700,
            Usage(input_tokens=1_000, cache_read_tokens=9_000, output_tokens=100),
        )
    learnt = estimator.expect("haiku", Purpose.ANSWER)
    assert 1_100 <= learnt.input <= 1_106
    assert 110 <= learnt.output <= 112
    assert learnt == estimator.expect("haiku", Purpose.ANSWER, 700)
    assert estimator.expect("haiku", Purpose.ANSWER, 0).input == pytest.approx(880, abs=1)
    assert estimator.expect("haiku", Purpose.ANSWER, 7_000).input == pytest.approx(3_080, abs=1)
    assert estimator.expect("opus", Purpose.ANSWER) == Tokens(2_200, 440)


def test_where_nothing_is_known_only_the_words_count_and_never_less_than_nothing() -> None:
    estimator = Estimator(Tokens(2_000, 400))
    assert estimator.expect("haiku", Purpose.ANSWER, 3_500).input == 1_100
    for _ in range(50):
        estimator.learn("haiku", Purpose.ANSWER, 35_000, Usage(input_tokens=1_000))
    assert estimator.expect("haiku", Purpose.ANSWER, 0).input == 0


def test_the_share_used_is_of_the_nearest_limit() -> None:
    used = Used(calls=300, input_tokens=6_000, output_tokens=5_400, limits=LIMITS, held_s=0)
    assert (used.share, used.nearest) == (0.9, "output tokens")
    unknown = replace(used, limits=Limits(None, None, None))
    assert (unknown.share, unknown.nearest) == (None, "")


@given(st.floats(0, 100), st.sampled_from([0.0, 0.1, 5.0, 60.0]), st.floats(0.05, 1))
def test_a_ramp_can_be_inverted(x: float, ramp_s: float, ramp_from: float) -> None:
    assert unramped(ramped(x, ramp_s, ramp_from), ramp_s, ramp_from) == pytest.approx(x, abs=1e-6)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3 * SECOND),
            st.integers(1, 40),
            st.floats(0, 3_000),
            st.floats(0, 300),
        ),
        max_size=60,
    ),
    st.sampled_from([STEADY, Pace(), Pace(burst_s=0)]),
)
def test_no_window_takes_more_than_the_limit_a_burst_and_a_call(
    asks: list[tuple[int, int, float, float]], pace: Pace
) -> None:
    state, now = fresh(pace, NOW_US), NOW_US
    taken = list[tuple[int, int, tuple[float, float, float]]]()
    for later, calls, input_tokens, output_tokens in asks:
        now += later
        needs = (1.0, input_tokens, output_tokens)
        state, granted, wait, why = take(state, LIMITS, pace, now, calls, needs)
        assert 0 <= granted <= calls
        assert (granted == calls) == (why == 0)
        assert wait >= 0
        taken.append((now, granted, needs))
    for kind, limit in enumerate((600, 60_000, 6_000)):
        for first, (start, _, _) in enumerate(taken):
            total = most = 0.0
            for at, granted, needs in taken[first:]:
                total += granted * needs[kind]
                most = max(most, needs[kind] if granted else 0)
                window = (at - start) / SECOND
                assert total <= limit / 60 * (window + pace.burst_s) + most + 1e-3


@given(st.integers(2, 30), st.floats(0, 200_000), st.floats(0, 20_000))
def test_who_waits_as_told_gets_the_next_call(
    calls: int, input_tokens: float, output_tokens: float
) -> None:
    needs, pace = (1.0, input_tokens, output_tokens), Pace()
    state, _, wait, _ = take(fresh(pace, NOW_US), LIMITS, pace, NOW_US, calls, needs)
    then = NOW_US + math.ceil(wait * SECOND)

    _, granted, _, _ = take(state, LIMITS, Pace(idle_s=1e9), then, 1, needs)

    assert granted == 1


def levels(*left: float) -> Buckets:
    """Buckets with so much in them, asked just now."""
    calls, read, written = left
    return replace(fresh(STEADY, NOW_US), levels=(calls, read, written), ramp_us=0, ramp_s=0)


def test_all_or_nothing() -> None:
    """Output tokens are used up, so no request and no input token is taken either."""
    state = levels(10.0, 1_000.0, -50.0)

    after, granted, wait, why = take(state, LIMITS, STEADY, NOW_US, 3, (1, 100, 10))

    assert (after, granted, why) == (state, 0, 3)
    assert wait == pytest.approx(0.5)


def test_a_call_larger_than_a_bucket_goes_and_is_paid_for_by_waiting() -> None:
    state, granted, wait, why = take(
        fresh(STEADY, NOW_US), LIMITS, STEADY, NOW_US, 2, (1, 0, 60_000)
    )

    assert (state.levels[2], granted, why) == (-60_000, 1, 3)
    assert wait == pytest.approx(600)


def test_unlimited_kinds_never_stop_anybody() -> None:
    needs = (1.0, 1e9, 1e9)

    _, granted, wait, why = take(
        fresh(STEADY, NOW_US), Limits(None, None, None), STEADY, NOW_US, 500, needs
    )

    assert (granted, wait, why) == (500, 0, 0)


def test_a_hold_stops_everybody_and_ends_in_a_ramp() -> None:
    pace = Pace(burst_s=1, ramp_from=0.25, ramp_s=10)
    start = levels(10.0, 1_000.0, 100.0)

    held = hold(start, LIMITS, pace, NOW_US, 30, 10)
    held = hold(held, LIMITS, pace, NOW_US, 5, 10)
    _, granted, wait, why = take(held, LIMITS, pace, NOW_US + 10 * SECOND, 5, (1, 0, 0))
    assert (granted, wait, why) == (0, 20, HELD)

    _, granted, _, _ = take(held, LIMITS, pace, NOW_US + 31 * SECOND, 50, (1, 0, 0))
    assert granted == 3, "one second at little more than a quarter of ten a second, and one"


def test_idleness_ends_in_a_ramp() -> None:
    pace = Pace(burst_s=1, ramp_from=0.25, ramp_s=10, idle_s=60)
    state = levels(10.0, 1_000.0, 100.0)

    busy = take(state, LIMITS, pace, NOW_US + 59 * SECOND, 50, (1, 0, 0))
    idle = take(state, LIMITS, pace, NOW_US + 61 * SECOND, 50, (1, 0, 0))

    assert (busy[1], idle[1]) == (11, 1)


def test_settling_makes_debt_and_gives_back_no_more_than_a_burst() -> None:
    state = levels(0.0, 0.0, 0.0)

    known = settle(state, LIMITS, STEADY, NOW_US, (0.0, 500.0, 900.0))
    returned = settle(state, LIMITS, STEADY, NOW_US, (-1.0, -9e9, -5.0))
    unknown = settle(None, LIMITS, STEADY, NOW_US, (-1.0, -500.0, 20.0))

    assert [known.levels, returned.levels, unknown.levels] == [
        (0, -500, -900),
        (1, 1_000, 5),
        (0, 0, -20),
    ]


def test_lower_limits_are_believed_for_a_while_and_low_buckets_emptied() -> None:
    state = levels(10.0, 1_000.0, 100.0)

    after = observe(state, LIMITS, STEADY, NOW_US, (60, None, 3_000), (0.5, None, -1))

    later = NOW_US + 120 * SECOND
    forces = [in_force(after, LIMITS, at) for at in (NOW_US, later - 1, later)]

    assert list(after.levels) == [0.5, 1_000, -50]
    assert forces == [Limits(60, 60_000, 3_000), Limits(60, 60_000, 3_000), LIMITS]


def test_a_clock_that_steps_back_changes_no_waiting_time() -> None:
    hour = 3_600 * SECOND
    state = hold(fresh(STEADY, NOW_US), LIMITS, STEADY, NOW_US, 30, 0)

    _, granted, wait, why = take(state, LIMITS, STEADY, NOW_US - hour, 1, (1, 0, 0))

    assert (granted, wait, why) == (0, 30, HELD)
