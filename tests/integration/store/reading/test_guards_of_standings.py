"""Each condition of the statements that say how runs stand: what their jobs came to, what they wait
for, and what is left of them."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.near_misses import Rows
from worker.store.reading import standings

STATEMENTS = {"one": standings.ONE_RUN, "live": standings.LIVE_RUNS, "page": standings.RUNS,
              "last": standings.LAST_RUNS}  # fmt: skip
WAITS = {"waiting_for": "run budget", "waiting_usd": 6, "cap": 10, "spent": 5, "overrun": 1}
"""Fits to the cent."""
COUNTS = (("queued", "", 3), ("routed", "haiku", 2), ("submitted", "sonnet", 2),
          ("routed", "zero", 1), ("submitted", "zero", -1), ("answered", "haiku", 4),
          ("review", "opus", 5), ("dead", "", 6), ("cancelled", "haiku", 1),
          ("cancelled", "opus", -1))  # fmt: skip
SPENT = (("haiku", "answer", False, 2, "0.5"), ("haiku", "classify", False, 1, "0.25"),
         ("opus", "answer", True, 0, "0"))  # fmt: skip
CLIMBS = (("opus", "schema", 2), ("opus", "refusal", 1), ("person", "schema", 1))
ASKED = {"before": None, "inquiries": True, "limit": 9}
POLICY = '{"ladder": ["haiku", "opus"]}'


def told(rows: Rows, which: str, run: int, **asked: Any) -> Any:
    """What a statement says of a run, which it names once."""
    values = {"run": run} | ASKED | asked
    found = rows.connection.execute(STATEMENTS[which], values).mappings()
    (one,) = [row for row in found if row["id"] == run]
    return one


def counted(rows: Rows, run: int, times: int = 1, *, simulated: bool | None = None) -> None:
    """What a run's jobs came to, so many times over."""
    for state, tier, jobs in COUNTS:
        rows.insert("run_counts", None, run_id=run, state=state, tier=tier, jobs=times * jobs)
    for tier, purpose, by_simulator, calls, cost in SPENT:
        known = {"tier": tier, "purpose": purpose, "model": "m", "lane": "realtime"}
        rows.insert("run_spend", None, run_id=run, state="done", calls=times * calls,
                    simulated=by_simulator if simulated is None else simulated,
                    cost=times * Decimal(cost), **known)  # fmt: skip
    for to_tier, reason, climbs in CLIMBS:
        rows.insert("run_escalations", None, run_id=run, from_tier="haiku", to_tier=to_tier,
                    reason=reason, escalations=times * climbs)  # fmt: skip
    for verdict, jobs in (("accept", 2), ("reject", 0)):
        rows.insert("run_verdicts", None, run_id=run, verdict=verdict, jobs=times * jobs)
    for measure, most in (("usd", 0.75), ("seconds", 9)):
        rows.insert("forecasts", None, run_id=run, measure=measure, p10=0, p50=0, p90=times * most)
    rows.insert("budgets", None, scope=f"run:{run}", run_id=run, cap=7 * times, spent=times)


@pytest.mark.parametrize("which", STATEMENTS)
def test_what_the_jobs_of_a_run_came_to(rows: Rows, which: str) -> None:
    # given
    run, other = rows.run(policy=POLICY), rows.run()
    counted(rows, run)
    counted(rows, other, times=11, simulated=True)
    # when
    said = told(rows, which, run)
    # then
    assert said["by_state"] == {"queued": 3, "routed": 3, "submitted": 1, "answered": 4,
                                "review": 5, "dead": 6}  # fmt: skip
    assert said["by_tier"] == {"haiku": 7, "sonnet": 2, "opus": 4}
    assert said["by_verdict"] == {"accept": 2}
    assert (said["escalations"], said["calls"], said["simulated"]) == (4, 3, False)
    assert (said["cap"], said["spent"], said["ladder"]) == (7, 1, ["haiku", "opus"])
    assert {name: float(usd) for name, usd in said["rest"].pop("paid").items()} == {
        "": 0.25, "haiku": 0.5, "opus": 0,
    }  # fmt: skip
    assert said["rest"] == {
        "open": {"": 3, "haiku": 2, "sonnet": 2}, "ended": {"haiku": 4, "opus": 5},
        "climbs": [["haiku", "opus", 3]], "forecast": "0.75",
    }  # fmt: skip
    assert told(rows, which, other)["simulated"] is True


@pytest.mark.parametrize("which", STATEMENTS)
def test_what_a_run_waits_for_of_the_day(rows: Rows, which: str) -> None:
    run = rows.run(waiting_for="day budget", waiting_usd=2)
    rows.insert("budgets", None, scope=f"run:{run}", run_id=run)
    for day, cap, spent, overrun, reserved, waits in (
        (1, 0, 0, 0, 0, False),
        (0, 5, 3, 0, 0, False),
        (0, 5, 4, 0, 0, True),
        (0, 5, 4, 1, 0, False),
        (0, 5, 3, 0, 1, True),
        (0, None, 9, 0, 0, False),
    ):
        rows.all("DELETE FROM budgets WHERE day IS NOT NULL")
        rows.all(
            "INSERT INTO budgets (scope, day, cap, spent, overrun, reserved)"
            " SELECT 'day:' || d, d, CAST(:cap AS numeric), :spent, :overrun, :reserved"
            " FROM (SELECT (now() AT TIME ZONE 'UTC')::date - CAST(:day AS int) AS d) AS of",
            day=day, cap=cap, spent=spent, overrun=overrun, reserved=reserved,
        )  # fmt: skip
        said = told(rows, which, run)
        known = cap is not None and not day
        left = cap + overrun - spent - reserved if known else None
        assert (said["waiting_for"], said["day_left"]) == ("day budget" if waits else None, left)
        assert (said["day_spent"], said["day_reserved"]) == ((0, 0) if day else (spent, reserved))


@pytest.mark.parametrize("which", STATEMENTS)
def test_what_a_run_waits_for(rows: Rows, which: str) -> None:
    for known, waits_for in (
        ({}, None),
        ({"waiting_usd": 7}, "run budget"),
        ({"waiting_for": "day budget"}, None),
        ({"waiting_usd": 2, "reserved": 1}, "run budget"),
        ({"cap": None}, "run budget"),
        ({"state": "paused", "waiting_for": "day budget"}, None),
        ({"state": "paused", "waiting_usd": 7}, None),
        ({"waiting_for": "day budget", "waiting_usd": 5, "cap": 20}, "day budget"),
    ):
        if "waiting_usd" in known and "waiting_for" in known:
            (today,) = rows.firsts("SELECT (now() AT TIME ZONE 'UTC')::date")
            rows.insert("budgets", None, scope=f"day:{today}", day=today, cap=10, spent=6)
        columns: dict[str, Any] = WAITS | known
        budget = {name: columns.pop(name, 0) for name in ("cap", "spent", "overrun", "reserved")}
        run = rows.run(**columns, paused_by="ada", paused_at="now()")
        rows.insert("budgets", None, scope=f"run:{run}", run_id=run, **budget)
        said = told(rows, which, run)
        paused = columns.get("state") == "paused"
        assert (said["paused_by"], said["paused_at"] is not None) == (
            ("ada", True) if paused else (None, False)
        )
        usd = None if "state" in known else columns["waiting_usd"]
        assert (said["waiting_for"], said["waiting_usd"]) == (waits_for, usd)


def test_which_runs_are_named_and_in_which_order(rows: Rows) -> None:
    # given
    first, ended = rows.run(priority=1), rows.run(finished_at="now()", priority=2)
    judge, shadow = rows.run(kind="judge"), rows.run(kind="shadow")
    urgent = rows.run(priority=5)

    def ids(which: str, **asked: Any) -> list[int]:
        values = {"run": first} | ASKED | asked
        return [row[0] for row in rows.all(STATEMENTS[which], **values)]

    # then
    assert ids("one") == [first]
    assert ids("live") == [urgent, first, judge, shadow]
    assert ids("live", limit=1) == [urgent]
    assert ids("page") == [urgent, shadow, judge, ended, first]
    assert ids("page", before=judge) == [ended, first]
    assert ids("page", inquiries=False) == [urgent, ended, first]
    assert ids("last") == [urgent, ended, first]
    assert {told(rows, which, ended)["rest"] for which in ("one", "page", "last")} == {None}
