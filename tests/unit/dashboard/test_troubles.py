"""What is wrong just now: each trouble once, in words, the worst first."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.dashboard.test_outlook import HOUR, NOW, queue, run
from worker.dashboard.screens.troubles import of_run, troubles
from worker.domain.hold_words import NO_REDIS
from worker.store.reading.outlook import outlook
from worker.store.reading.queue_states import ON_TRIAL


def test_a_pause_of_everything_is_one_trouble() -> None:
    still = queue(ready_s=900.0, in_flight=0, halted=True)
    found = troubles(
        [still],
        [],
        [],
        now=NOW,
        everything="everything is paused",
        day=None,
        redis_away=False,
        more=[],
    )
    assert len(found) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"paused": True, "paused_reason": "a key is missing"},
         ["haiku is paused: a key is missing; 5 messages wait."]),
        ({"paused": True, "paused_reason": "paused by hand", "paused_by": "root",
          "paused_at": NOW - HOUR, "waiting": 672},
         ["haiku is paused by root, since 13:00: 672 messages wait."]),
        ({"paused": True, "paused_reason": "drained by hand", "waiting": 0},
         ["haiku is paused."]),
        ({"paused": True, "paused_by": "rung", "paused_reason": "canary: 5 failed", "waiting": 1,
          "failed_jobs": [7, 9]},
         ["haiku is paused by Rung’s canary: 5 failed; 1 message waits. Look at the answers that"
          " failed. If they are in order, resume it anyway. If the prompt is at fault, fix it,"
          " cancel the run, reprocess what was cancelled, and try haiku again: a run keeps the"
          " prompts that it began with."]),
        ({"breaker": "open", "breaker_reason": "overloaded", "breaker_s": 30.0,
          "breaker_at": NOW - HOUR},
         ["haiku is left alone since 13:00 (its breaker is open), because overloaded; 5 messages"
          " wait; it tries again by itself in 30 s."]),
        ({"held_s": 12.0, "held_reason": "Claude asked for a pause (429)"},
         ["haiku is held for 12 s: Claude asked for a pause (429); 5 messages wait. It goes on by"
          " itself then."]),
        ({"ready_s": 300.0, "in_flight": 0},
         ["haiku: the oldest has waited 5 min, and nothing is in flight."]),
        ({"ready_s": 300.0, "in_flight": 0, "state": ON_TRIAL}, []),
        ({"workers": 0, "in_flight": 0},
         ["No worker is running since 13:00, and 5 messages wait. Start one: rung up, or rung"
          " worker."]),
        ({"workers": 0},
         ["No worker is running since 13:00, and 5 messages wait, and 5 more were in flight. Start"
          " one: rung up, or rung worker."]),
        ({"workers": 0, "waiting": 0, "in_flight": 1},
         ["No worker is running since 13:00, and 1 was in flight. Start one: rung up, or rung"
          " worker."]),
        ({"workers": 0, "waiting": 0, "in_flight": 0}, []),
    ],
)  # fmt: skip
def test_the_troubles_of_a_queue(changes: dict[str, Any], words: list[str]) -> None:
    found = troubles(
        [queue(**changes)], [], [], now=NOW, everything=None, day=None, redis_away=False,
        last_seen=NOW - HOUR,
    )  # fmt: skip
    assert [trouble.words for trouble in found] == words


@pytest.mark.parametrize(
    ("waiting_for", "button", "command"),
    [("run budget", "Raise the budget", "rung resume day --budget "), ("day budget", None, None)],
)
def test_a_button_stands_where_it_helps(
    waiting_for: str, button: str | None, command: str | None
) -> None:
    stopped = run(
        waiting_for=waiting_for, waiting_usd=Decimal("0.1"), cap=Decimal(1), day_left=Decimal(0)
    )
    (found,) = of_run(stopped, outlook(stopped, None))
    assert found.help == button
    assert (found.command or "").startswith(command or "")
    assert (found.command is None) == (command is None)


def test_what_is_worse_comes_first() -> None:
    well = queue(queue="opus")
    low = run(cap=Decimal("1.2"), by_state={"dead": 1, "queued": 60})
    found = troubles(
        [queue(workers=0), well], [low], [outlook(low, 3_600.0)],
        now=NOW, everything="everything is paused by ada: lunch", day=None, redis_away=True,
    )  # fmt: skip
    assert [(trouble.level, trouble.words) for trouble in found] == [
        ("bad", "Everything is paused by ada: lunch; 10 messages wait."),
        ("bad", NO_REDIS),
        ("bad", "haiku: 5 wait, and no worker is there."),
        ("warn", "day has spent $1.00 of its budget of $1.20."),
        ("warn", "day has 1 dead letter."),
    ]
    assert [trouble.href for trouble in found if trouble.href] == [
        "/actions/resume?tier=everything", "/actions/budget?run=7", "/dead?run=7",
    ]  # fmt: skip
