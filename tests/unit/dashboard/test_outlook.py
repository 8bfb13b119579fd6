"""Will it be done on time, what is wrong, in which words: pure, so every case is cheap."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from worker.dashboard.screens.outlook import headline
from worker.dashboard.screens.queues import QueueShown
from worker.domain.wording import (
    ago,
    clock,
    count,
    date,
    deed,
    dollars,
    listed,
    percent,
    plural,
    reason,
    second,
    span,
)
from worker.store.reading.blocked import Blocked, blocked
from worker.store.reading.outlook import at_risk, outlook
from worker.store.reading.queue_states import WELL
from worker.store.reading.run_money import AFTER_THE_DAY
from worker.store.reading.run_standing import RunStanding

NOW = dt.datetime(2026, 11, 24, 14, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def run(**changes: Any) -> RunStanding:
    """A run of 100 messages, 40 of them done."""
    made: dict[str, Any] = {
        "id": 7, "name": "day", "kind": "backlog", "parent_id": None, "state": "active",
        "state_reason": None, "waiting_for": None, "waiting_usd": None, "accepting": False,
        "policy": "ladder",
        "policy_version": "v", "lane": "realtime", "priority": 0, "deadline": None, "rejected": 0,
        "duplicates": 0, "created_at": NOW - HOUR, "finished_at": None, "now": NOW, "cap": None,
        "spent": Decimal(1), "reserved": Decimal(0), "warned_percent": 0,
        "by_state": {"answered": 40, "queued": 60}, "by_tier": {}, "by_verdict": {},
        "escalations": 0, "calls": 40, "simulated": False,
    }  # fmt: skip
    return RunStanding(**made | changes)


def queue(**changes: Any) -> QueueShown:
    """A queue that is well."""
    made = {
        "queue": "haiku", "waiting": 5, "in_flight": 5, "workers": 1, "a_minute": None,
        "ready_s": 1.0, "waited_s": 1.0, "state": WELL, "limit_of": "haiku", "used": None,
        "failed_jobs": [],
    }  # fmt: skip
    return QueueShown(**made | changes)


@pytest.mark.parametrize(
    ("changes", "left_s", "level", "words"),
    [
        ({}, None, "calm", "the pace is being measured"),
        ({}, 600.0, "good", "done in about 10 min, at 14:10"),
        ({"deadline": NOW + HOUR}, 600.0, "good",
         "on time: done in about 10 min, at 14:10, 50 min before its deadline"),
        ({}, 0.0, "good", "done in a moment"),
        ({"deadline": NOW + HOUR}, 0.4, "good",
         "on time: done in a moment, 1 h before its deadline"),
        ({"deadline": NOW + HOUR}, 7_200.0, "bad",
         "late: at this pace done at 16:00, 1 h after its deadline"),
        ({"deadline": NOW - HOUR}, 600.0, "bad", "late: its deadline passed 1 h ago"),
        ({"waiting_for": "day budget", "waiting_usd": Decimal("0.5"), "day_left": Decimal("0.25"),
          "day_spent": Decimal("9.75"), "rest": {"open": {"opus": 60}, "ended": {"opus": 40},
          "paid": {"opus": "1"}}}, 600.0, "bad",
         "stopped by the day budget: $0.2500 of the day's budget is left and the next call may cost"
         " up to $0.5000; per_day_usd = 11.9872 would be enough for all of it today;"
         f" {AFTER_THE_DAY}"),
        ({"waiting_for": "day budget", "waiting_usd": Decimal("0.5"), "day_left": Decimal("0.25"),
          "day_reserved": Decimal("0.1")}, 600.0, "warn",
         "held back by the day budget: new calls wait until those in flight are paid"),
        ({"waiting_for": "day budget", "waiting_usd": Decimal("0.5"), "day_left": Decimal("0.5")},
         600.0, "warn",
         "held back by the day budget: new calls wait until those in flight are paid"),
        ({"waiting_for": "run budget", "cap": Decimal(2),
          "waiting_usd": Decimal("1.5"), "rest": {"open": {"opus": 60}, "ended": {"opus": 40},
          "paid": {"opus": "1"}}}, 600.0, "bad",
         "stopped by its budget: $1.00 of its budget is left and the next call may cost up to"
         " $1.50; about $4.24 would be enough for all of it, which is likely to cost about $2.50"),
        ({"waiting_for": "run budget", "cap": Decimal(2),
          "waiting_usd": Decimal("0.5")}, 600.0, "good", "done in about 10 min, at 14:10"),
        ({"waiting_for": "run budget", "cap": Decimal(2), "waiting_usd": Decimal("1.5"),
          "reserved": Decimal(1), "rest": {"open": {"opus": 60}, "ended": {"opus": 40},
          "paid": {"opus": "1"}}}, 600.0, "warn",
         "held back by its budget: new calls wait until those in flight are paid; about $4.24"
         " would be enough for all of it, which is likely to cost about $2.50"),
        ({"waiting_for": "day budget", "reserved": Decimal(1)}, 600.0, "warn",
         "held back by the day budget: new calls wait until those in flight are paid"),
        ({"created_at": NOW}, 60_000.0, "calm", "the pace is being measured"),
        ({"state": "paused", "state_reason": "later", "paused_by": "ada", "paused_at": NOW - HOUR,
          "deadline": NOW + HOUR}, 600.0, "warn", "paused by ada, since 13:00: later; 60 messages"
         " are open, and the deadline is at 15:00, in 1 h"),
        ({"state": "paused", "state_reason": "paused by hand", "by_state": {"queued": 1}}, 600.0,
         "warn", "paused: 1 message is open"),
        ({"accepting": True, "by_state": {}}, None, "calm", "messages are being submitted"),
        ({"finished_at": NOW, "state": "finished"}, None, "good", "finished in 1 h"),
        ({"finished_at": NOW, "state": "cancelled"}, None, "calm", "cancelled after 1 h"),
        ({"finished_at": NOW, "state": "finished", "deadline": NOW - HOUR / 2}, None, "warn",
         "finished in 1 h, 30 min after its deadline"),
    ],
)  # fmt: skip
def test_the_outlook_of_a_run(
    changes: dict[str, Any], left_s: float | None, level: str, words: str
) -> None:
    found = outlook(run(**changes), left_s)
    assert (found.level, found.words) == (level, words)


def test_a_run_that_stands_still_without_a_cause_says_so() -> None:
    found = outlook(run(), 600.0, still=True)
    assert (found.level, found.words) == ("warn", "nothing has moved in the last minute")
    assert outlook(run(), 600.0, still=True, halted=True).words == "everything is paused"


@pytest.mark.parametrize(
    ("changes", "left_s", "waits", "why"),
    [
        ({"deadline": NOW + HOUR}, 3_500.0, "", None),
        ({"deadline": NOW + HOUR}, 3_700.0, "",
         "late: at this pace done at 15:01, 2 min after its deadline"),
        ({}, 3_700.0, "", None),
        ({"deadline": NOW + HOUR, "finished_at": NOW, "state": "finished"}, 3_700.0, "", None),
        ({"deadline": NOW + 2 * HOUR}, 600.0, "not done before opus is resumed: 60 wait there",
         None),
        ({"deadline": NOW + HOUR}, 600.0, "not done before opus is resumed: 60 wait there",
         "not done before opus is resumed: 60 wait there, and the deadline is at 15:00, in 1 h;"
         " at its pace so far it would be done 30 min too late (60 jobs left)"),
    ],
)  # fmt: skip
def test_a_deadline_is_at_risk_by_the_forecast_or_where_there_is_none_by_the_pace_so_far(
    changes: dict[str, Any], left_s: float, waits: str, why: str | None
) -> None:
    found = run(**changes)
    assert at_risk(found, outlook(found, left_s, waits=Blocked(words=waits))) == why


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([queue()], ""),
        ([queue(paused=True)], "not done before haiku is resumed: 60 wait there"),
        ([queue(breaker="open")], "not done before haiku answers again: 60 wait there"),
        ([queue(breaker="half_open")], "not done before haiku answers again: 60 wait there"),
        ([queue(workers=0), queue(queue="opus")],
         "not done before haiku has a worker: 60 wait there"),
        ([queue(workers=0)], "not done before a worker is running: 139 are open"),
        ([queue(held_s=400.0)],
         "not done before haiku may send again, at 14:06 (Claude asked for a pause): 60 wait"
         " there"),
        ([queue(held_s=20.0)], ""),
        ([queue(queue="opus", paused=True)], ""),
        ([queue(paused=True), queue(queue="sonnet", paused=True)],
         "not done before sonnet is resumed: 70 wait there"),
        ([queue(queue="routing", paused=True)], "not done before routing is resumed: 9 wait there"),
    ],
)  # fmt: skip
def test_what_stands_still_has_no_end_before_it_is_lifted(
    lines: list[dict[str, Any]], words: str
) -> None:
    counts = {("routed", "haiku"): 60, ("routed", "sonnet"): 70, ("queued", ""): 9,
              ("answered", "opus"): 99}  # fmt: skip
    found = blocked(counts, lines, NOW)
    assert found.words == words
    if words:
        seen = outlook(run(deadline=NOW + HOUR), 600.0, waits=found)
        assert seen.words == f"{words}, and the deadline is at 15:00, in 1 h"
        assert (seen.level, seen.done_at) == ("warn", None)


def test_what_is_in_flight_does_not_wait() -> None:
    counts, held = {("routed", "haiku"): 60}, [queue(paused=True)]
    found = blocked(counts, held, NOW, {"haiku": 8, "opus": 50})
    assert found.words == "not done before haiku is resumed: 52 wait there"
    assert blocked(counts, held, NOW, {"haiku": 60}).words == ""


def test_batches_have_no_end_while_nobody_is_there_to_read_them() -> None:
    counts = {("submitted", "sonnet"): 2, ("submitted", ""): 5, ("routed", "haiku"): 3}
    gone = [queue(workers=0), queue(queue="sonnet", workers=0)]
    words = "not done before a worker is running: 10 are open"
    assert blocked(counts, gone, NOW).words == words
    assert blocked({("submitted", ""): 1}, gone, NOW).words == words.replace("10 are", "1 is")
    assert blocked({("answered", ""): 1}, gone, NOW).words == ""
    assert blocked(counts, [queue(), queue(queue="sonnet", workers=0)], NOW).words == ""


def test_a_hold_that_lasts_beyond_the_deadline_says_by_how_much() -> None:
    found = blocked({("routed", "haiku"): 60}, [queue(held_s=900.0)], NOW)
    seen = outlook(run(deadline=NOW + HOUR / 6), 600.0, waits=found)
    assert (seen.level, seen.words) == ("bad", f"{found.words}, 5 min after its deadline")
    assert found.until == NOW + HOUR / 4


def test_the_first_sentence_is_about_what_has_to_be_done_first_of_what_is_as_bad() -> None:
    waits = Blocked(words="not done before opus is resumed: 9 wait there")
    runs = [run(name="idle"), run(name="later", deadline=NOW + 2 * HOUR),
            run(name="soon", deadline=NOW + HOUR)]  # fmt: skip
    found = headline(runs, [outlook(one, None, waits=waits) for one in runs], None)
    assert found.words.startswith(
        "soon: not done before opus is resumed: 9 wait there, and the deadline is at 15:00, in 1 h."
    )


def test_the_first_sentence_is_about_the_worst() -> None:
    good, late = run(name="good"), run(name="late", deadline=NOW - HOUR)
    outlooks = [outlook(good, 600.0), outlook(late, 600.0)]
    assert headline([], [], None).words == "Nothing has been submitted yet."
    assert headline([good], outlooks[:1], None).words == (
        "Done in about 10 min, at 14:10. 40 of 100 messages are done."
    )
    found = headline([good, late], outlooks, None)
    assert (found.level, found.words) == (
        "bad",
        "late is late: its deadline passed 1 h ago. 80 of 200 messages are done, in 2 runs.",
    )
    three = headline([late, late, good, late], [outlooks[1]] * 2 + outlooks, None)
    assert "2 other runs need help too. " in three.words
    both = headline([good, good], [outlooks[0]] * 2, None)
    assert both.words.endswith("are done, in 2 runs, all at about 14:10.")
    stopped = headline([good], outlooks[:1], None, ["haiku", "opus"])
    assert (stopped.level, stopped.words) == (
        "bad", "Nothing goes on: haiku and opus cannot send. 40 of 100 messages are done."
    )  # fmt: skip
    away = headline([good], outlooks[:1], None, ["haiku"], without_redis=True)
    assert away.words.startswith("Nothing goes on: Redis does not answer. ")
    # No worker starts without it, so to start one is no help.
    both = headline([good], outlooks[:1], None, ["haiku"], without_redis=True, unmanned=True)
    assert both.words == away.words
    gone = headline([good], outlooks[:1], None, ["haiku"], unmanned=True)
    assert gone.words.startswith("Nothing goes on: no worker is running. 40 of 100")
    due = headline([run(deadline=NOW + HOUR)], outlooks[:1], None, ["haiku"])
    assert "day has to be done by 15:00, in 1 h" in due.words


def test_figures_are_words() -> None:
    assert [dollars(Decimal(x)) for x in ("0", "0.00001", "0.1234567", "1234.5", "-0.5")] == [
        "$0.00", "<$0.0001", "$0.1235", "$1,234.50", "-$0.5000",
    ]  # fmt: skip
    assert [percent(x) for x in (0, 0.001, 0.5, 0.999, 1)] == [
        "0 %", "<1 %", "50 %", "99 %", "100 %"
    ]  # fmt: skip
    assert [span(x) for x in (-1, 0.44, 52, 89.6, 200, 7_800, 7_200, 260_000)] == [
        "0.0 s", "0.4 s", "52 s", "90 s", "3 min", "2 h 10 min", "2 h", "3 d",
    ]  # fmt: skip
    shares = (0, 0.0004, 0.025, 0.9996, 1, -0.025)
    assert [percent(x, 1) for x in shares] == [
        "0.0 %", "<0.1 %", "2.5 %", "99.9 %", "100.0 %", "-2.5 %",
    ]  # fmt: skip
    assert [percent(x, sign="+") for x in (0.271, -0.031, 0.001)] == ["+27 %", "-3 %", "+0 %"]
    assert [dollars(None), percent(None), span(None), count(None), ago(None, NOW)] == ["–"] * 5
    assert (clock(NOW, NOW), clock(NOW - 24 * HOUR, NOW)) == ("14:00", "23 Nov 2026 14:00")
    assert (second(NOW), clock(None), second(None)) == ("24 Nov 2026 14:00:00", "–", "–")
    assert [second(NOW, NOW), second(NOW, NOW + HOUR * 12), date(NOW)] == [
        "14:00:00", "24 Nov 2026 14:00:00", "24 Nov 2026",
    ]  # fmt: skip
    assert [deed(x) for x in ("review:accept", "review:undo", "read text", "move_on")] == [
        "verdict: accepted", "verdict taken back", "read text", "move on",
    ]  # fmt: skip
    assert (plural(1, "run"), plural(2_000, "run"), count(1234.4)) == (
        "1 run",
        "2,000 runs",
        "1,234",
    )
    assert (reason("low_confidence"), reason(None), listed([])) == ("low confidence", "", "")
