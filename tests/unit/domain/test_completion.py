"""When will a run be done: the slowest queue decides, and the first seconds say nothing."""

import datetime as dt
from typing import Any

import pytest

from worker.domain.completion import (
    PaceSample,
    WorkLeft,
    expected_work,
    paces,
    seconds_left,
    stands_still,
)

NOW = dt.datetime(2026, 11, 24, 14, 0, tzinfo=dt.UTC)
LADDER = ("haiku", "sonnet", "opus")


def samples(*counts: tuple[float, dict[str, int]]) -> list[PaceSample]:
    """What was done so many seconds before now."""
    return [PaceSample(NOW - dt.timedelta(seconds=ago), done) for ago, done in counts]


def left(**fields: Any) -> WorkLeft:
    return WorkLeft(ladder=LADDER, **fields)


def test_a_pace_is_what_was_done_over_the_time_that_it_took() -> None:
    found = paces(samples((60, {"ended": 100}), (0, {"ended": 160, "haiku": 30})))
    assert found == {"ended": 1.0, "haiku": 0.5}


@pytest.mark.parametrize(
    "seen",
    [
        (),
        ((0, {"ended": 10}),),
        ((5, {"ended": 0}), (0, {"ended": 90})),
        ((20, {"ended": 0}), (0, {"ended": 4})),
        ((90, {"ended": 9}), (0, {"ended": 9})),
    ],
)
def test_few_jobs_or_a_short_time_say_nothing(
    seen: tuple[tuple[float, dict[str, int]], ...],
) -> None:
    assert paces(samples(*seen)) == {}


def test_a_few_in_a_long_time_are_a_pace() -> None:
    assert paces(samples((100, {"opus": 1}), (0, {"opus": 3}))) == {"opus": 0.02}


def test_what_was_before_a_standstill_is_forgotten() -> None:
    counts = [(120 - 10 * n, {"ended": min(n, 3) * 10}) for n in range(9)]
    counts += [(30.0, {"ended": 31}), (10.0, {"ended": 41}), (0.0, {"ended": 60})]
    assert paces(samples(*counts))["ended"] == pytest.approx(30 / 40)


def test_a_standstill_that_lasts_leaves_no_pace() -> None:
    counts = [(150 - 10 * n, {"ended": min(n, 9) * 5}) for n in range(16)]
    assert paces(samples(*counts[:10])) == {"ended": 0.5}
    assert paces(samples(*counts)) == {}


def test_a_slow_start_is_forgotten_once_enough_was_done_since() -> None:
    counts = [(120.0, {"ended": 0}), (60.0, {"ended": 6}), (15.0, {"ended": 40})]
    assert paces(samples(*counts, (0.0, {"ended": 79}))) == {"ended": pytest.approx(73 / 60)}
    assert paces(samples(*counts, (0.0, {"ended": 80}))) == {"ended": pytest.approx(40 / 15)}


def test_a_slow_run_does_not_stand_still_between_its_jobs() -> None:
    counts = [(100.0 - 20 * n, {"ended": n}) for n in range(6)]
    assert paces(samples(*counts)) == {"ended": 0.05}


def test_a_queue_without_a_backlog_is_not_asked_for_what_is_still_below_it() -> None:
    work = left(waiting={"routing": 100, "opus": 2}, started={"opus": 50})
    assert seconds_left(work, {"routing": 2.0, "opus": 0.1, "ended": 2.0}, "ended") == 50
    busy = left(waiting={"routing": 100, "opus": 20}, started={"opus": 50})
    assert seconds_left(busy, {"routing": 2.0, "opus": 1.0, "ended": 2.0}, "ended") == 120


def test_a_run_stands_still_when_nothing_changed_for_a_minute() -> None:
    still = [(float(ago), {"ended": 5}) for ago in (120, 60, 30, 0)]
    assert stands_still(samples(*still))
    assert not stands_still(samples(*still[1:3], (0, {"ended": 5, "haiku": 1})))
    assert not stands_still(samples(*still[2:]))


def test_the_slowest_queue_decides() -> None:
    work = left(waiting={"haiku": 60, "opus": 30})
    assert seconds_left(work, {"haiku": 1.0, "opus": 0.1, "ended": 1.0}, "ended") == pytest.approx(
        354
    )
    assert seconds_left(work, {"haiku": 0.1, "opus": 10.0, "ended": 1.0}, "ended") == 600


def test_what_will_climb_is_work_of_the_queues_above() -> None:
    work = left(
        waiting={"routing": 100, "haiku": 100},
        answered={"haiku": 200, "sonnet": 100},
        started={"haiku": 300, "opus": 100},
        climbed={("haiku", "sonnet"): 40, ("haiku", "opus"): 20, ("sonnet", "opus"): 50},
    )
    assert expected_work(work) == pytest.approx(
        {"routing": 100, "haiku": 175, "sonnet": 35, "opus": 25 + 17.5 + 17.5}
    )


def test_until_a_run_has_shown_its_own_shares_the_usual_ones_count() -> None:
    work = left(waiting={"routing": 100}, answered={"haiku": 49}, climbed={("haiku", "opus"): 49})
    assert expected_work(work) == pytest.approx(
        {"routing": 100, "haiku": 100, "sonnet": 30, "opus": 9}
    )


def test_a_queue_without_a_pace_goes_by_that_of_the_run() -> None:
    work = left(waiting={"haiku": 40, "opus": 10})
    assert seconds_left(work, {"haiku": 10.0, "ended": 0.5}, "ended") == 100
    assert seconds_left(work, {"haiku": 10.0}, "ended") is None
    assert seconds_left(left(waiting={}), {}, "ended") == 0


def test_what_only_comes_from_below_waits_for_that() -> None:
    work = left(waiting={"haiku": 100})
    assert seconds_left(work, {"haiku": 2.0, "ended": 1.0}, "ended") == 50


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"batched": {"opus": 50}, "batch_age_s": 1_000}, 2_600),
        ({"batched": {"opus": 50}, "batch_age_s": 3_700}, 360),
        ({"batched": {"opus": 50}, "batch_age_s": 9_000}, 5_400),
        ({"batched": {"haiku": 50}, "batch_age_s": 1_000}, 2_600 + 2 * 3_600),
        ({"batched": {"opus": 5}, "batch_age_s": 1_000, "waiting": {"opus": 5}}, 3_600),
    ],
)
def test_batches_are_done_by_their_own_turnaround(fields: dict[str, Any], seconds: float) -> None:
    work = left(**{"waiting": {}, "lane": "batch", "turnaround_s": 3_600.0, **fields})
    assert seconds_left(work, {}, "ended") == seconds


def test_in_the_mixed_lane_what_is_easy_goes_call_by_call_and_the_rest_by_batches() -> None:
    work = left(
        waiting={"haiku": 100}, batched={"sonnet": 10}, lane="mixed", turnaround_s=600.0,
        batch_age_s=200.0,
    )  # fmt: skip
    assert seconds_left(work, {"haiku": 0.1}, "ended") == 1_000
    assert seconds_left(work, {"haiku": 10.0}, "ended") == 400 + 600


def test_what_was_let_through_one_by_one_is_no_pace() -> None:
    # the first five of haiku were tried for ten seconds; then all of it went
    trial = [(20.0, {"haiku": 0}), (15.0, {"haiku": 2}), (10.0, {"haiku": 5})]
    assert paces(samples(*trial)) == {}
    going = samples(*trial, (6.0, {"haiku": 25}))
    assert paces(going) == {}, "four seconds say nothing"
    assert paces(samples(*trial, (6.0, {"haiku": 25}), (0.0, {"haiku": 55}))) == {"haiku": 5.0}


def test_a_tier_that_has_just_begun_is_measured_first() -> None:
    left = WorkLeft(ladder=["haiku", "opus"], waiting={"haiku": 90}, answered={"haiku": 7})
    assert seconds_left(left, {"ended": 0.1}, "ended") is None
    assert seconds_left(left, {"ended": 0.1, "haiku": 9.0}, "ended") == pytest.approx(10.0)


def test_a_slow_tier_has_a_pace_after_a_minute() -> None:
    slow = [(90.0, {"opus": 0}), (45.0, {"opus": 1}), (0.0, {"opus": 3})]
    assert paces(samples(*slow)) == {"opus": pytest.approx(3 / 90)}
