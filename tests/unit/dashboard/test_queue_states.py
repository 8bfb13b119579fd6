"""A queue's state is one word, the same on every screen."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.dashboard.test_outlook import run
from worker.store.reading.queue_states import queue_state, starved
from worker.store.reading.status import QueueStanding


def standing(**changes: Any) -> QueueStanding:
    """A queue in which five wait."""
    made = {"queue": "opus", "waiting": 5, "in_flight": 0, "workers": 1}
    return QueueStanding(**made | changes)


@pytest.mark.parametrize(
    ("changes", "said", "word", "level"),
    [
        ({}, {}, "ok", "good"),
        ({"paused": True}, {}, "paused", "warn"),
        ({"paused": True, "in_flight": 2}, {}, "draining", "warn"),
        ({"halted": True}, {}, "paused", "warn"),
        ({"breaker": "open"}, {}, "breaker open", "bad"),
        ({"breaker": "half_open"}, {}, "breaker half open", "bad"),
        ({"held_s": 1.0}, {}, "held", "warn"),
        ({"held_s": 0.9}, {}, "ok", "good"),
        ({"workers": 0}, {}, "no worker", "bad"),
        ({"workers": 0, "waiting": 0}, {}, "no worker", "calm"),
        ({}, {"out_of_money": True}, "waits for budget", "warn"),
        ({"workers": 0}, {"out_of_money": True}, "no worker", "bad"),
        ({"trial_good": 2}, {}, "on trial", "calm"),
        ({"trial_good": 2}, {"out_of_money": True}, "waits for budget", "warn"),
        ({"trial_good": 2}, {"without_redis": True}, "no Redis", "bad"),
        ({}, {"without_redis": True, "out_of_money": True}, "waits for budget", "warn"),
        ({"waiting": 0}, {"without_redis": True}, "ok", "good"),
        ({"workers": 0}, {"without_redis": True}, "no worker", "bad"),
    ],
)
def test_the_worst_of_it_is_the_word(
    changes: dict[str, Any], said: dict[str, bool], word: str, level: str
) -> None:
    found = queue_state(standing(**changes), **said)
    assert (found.word, found.level) == (word, level)


@pytest.mark.parametrize(
    ("changes", "tier", "found"),
    [
        ({}, "opus", True),
        ({"queue": "routing"}, "", True),
        ({"waiting": 6}, "opus", False),
        ({"waiting": 0}, "opus", False),
        ({"in_flight": 1}, "opus", False),
        ({"queue": "haiku"}, "opus", False),
    ],
)
def test_a_queue_starves_where_all_that_waits_waits_for_a_budget(
    changes: dict[str, Any], tier: str, found: bool
) -> None:
    poor = {"waiting_for": "run budget", "cap": Decimal(1), "waiting_usd": Decimal(1)}
    stopped = run(**poor, rest={"open": {tier: 5}})
    going = run(rest={"open": {tier: 9}})
    assert starved(standing(**changes), [stopped, going]) is found
    assert not starved(standing(**changes), [going])
