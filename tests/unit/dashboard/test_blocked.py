"""What a run will meet later keeps it from its end as well as what it waits for now."""

import datetime as dt
from typing import Any

import pytest

from tests.unit.dashboard.test_outlook import HOUR, NOW, queue
from worker.domain.completion import WorkLeft, expected_work
from worker.store.reading.blocked import ToCome, blocked

LADDER = ["haiku", "sonnet", "opus"]
UNROUTED = {("queued", ""): 100}
LATER = {"routing": 100.0, "haiku": 90.0, "sonnet": 27.4, "opus": 8.1}


def lines(**kept: dict[str, Any]) -> list[Any]:
    return [queue(queue=name, **kept.get(name, {})) for name in ("routing", *LADDER)]


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ({}, ""),
        ({"sonnet": {"paused": True}},
         "not done before sonnet is resumed: about 27 will come there"),
        ({"sonnet": {"paused": True}, "haiku": {"halted": True}},
         "not done before haiku is resumed: about 90 will come there"),
        ({"opus": {"breaker": "open"}},
         "not done before opus answers again: about 8 will come there"),
        ({"opus": {"workers": 0}}, "not done before opus has a worker: about 8 will come there"),
        ({"routing": {"paused": True}, "opus": {"paused": True}},
         "not done before routing is resumed: 100 wait there"),
        ({"opus": {"held_s": 1_900.0}},
         "not done before opus may send again, at 14:31 (Claude asked for a pause): about 8 will"
         " come there"),
        ({"opus": {"held_s": 1_700.0}}, ""),
        ({"opus": {"trial_good": 2}}, ""),
        ({"routing": {"trial_good": 2, "trial_bad": 0}},
         "not done before routing is through its trial (2 of 5 trial calls went well): 100"
         " wait there"),
    ],
)  # fmt: skip
def test_what_will_come_to_a_queue_that_stands_still_has_no_end_before_that_is_lifted(
    kept: dict[str, dict[str, Any]], words: str
) -> None:
    to_come = ToCome(work=LATER, left_s=1_800.0)
    found = blocked(UNROUTED, lines(**kept), NOW, to_come=to_come)
    assert found.words == words
    assert (found.queue in kept) == bool(words)
    assert (found.until is None) == ("may send" not in words)


def test_a_hold_is_not_met_where_nobody_knows_when_one_would_get_there() -> None:
    held = lines(opus={"held_s": 1_900.0})
    assert blocked(UNROUTED, held, NOW, to_come=ToCome(work=LATER, left_s=None)).words == ""


@pytest.mark.parametrize(("expected", "comes"), [(2.9, False), (3.0, True)])
def test_what_may_not_come_at_all_keeps_nobody(expected: float, comes: bool) -> None:
    to_come = ToCome(work={"opus": expected}, left_s=60.0)
    found = blocked(UNROUTED, lines(opus={"paused": True}), NOW, to_come=to_come)
    assert bool(found.words) == comes


def test_what_is_in_flight_or_in_batches_there_already_does_not_come() -> None:
    to_come = ToCome(work={"opus": 60.0}, left_s=60.0)
    for counts in ({("routed", "opus"): 58}, {("submitted", "opus"): 58}):
        found = blocked(counts, lines(opus={"paused": True}), NOW, {"opus": 58}, to_come=to_come)
        assert found.words == ""


def test_batches_below_a_paused_tier_will_come_to_it() -> None:
    left = WorkLeft(ladder=LADDER, waiting={}, batched={"haiku": 60}, lane="batch")
    to_come = ToCome(work=expected_work(left), left_s=HOUR / dt.timedelta(seconds=1))
    found = blocked({("submitted", "haiku"): 60}, lines(sonnet={"paused": True}), NOW,
                    to_come=to_come)  # fmt: skip
    assert found.words == "not done before sonnet is resumed: about 18 will come there"
