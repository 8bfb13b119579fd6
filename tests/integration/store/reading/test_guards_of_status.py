"""Each condition of the statements that say how queues, batches and budgets stand."""

from typing import Any

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.reading import batches, status


def ago(seconds: float) -> str:
    return f"now() - interval '{seconds} s'"


def soon(seconds: float) -> str:
    return f"now() + interval '{seconds} s'"


def mappings(rows: Rows, statement: Any, **values: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in rows.connection.execute(statement, values).mappings()]


def counted(rows: Rows, run: int, *counts: tuple[str, str, int]) -> None:
    for state, tier, jobs in counts:
        rows.insert("run_counts", None, run_id=run, state=state, tier=tier, jobs=jobs)


def test_batches_that_nobody_has_confirmed(rows: Rows) -> None:
    assert rows.all(batches.UNCONFIRMED, after=30) == [(0, 0, None, None)]
    rows.batch(created_at=ago(60), requests=2, error="mute")
    rows.batch(created_at=ago(90), submitted_at=ago(40), requests=3)
    rows.batch(created_at=ago(90), submitted_at=ago(10), requests=50)
    rows.batch(created_at=ago(10), requests=60)
    rows.batch(created_at=ago(90), state="submitted", requests=70)
    assert rows.all(batches.UNCONFIRMED, after=30) == [(2, 5, "mute", 60)]


def test_what_is_in_flight_and_who_works(rows: Rows) -> None:
    # given
    run, other = rows.run(), rows.run()
    for of, jobs in ((run, 2), (other, 1)):
        for _ in range(jobs):
            rows.routed(of, lease_until=FUTURE)
    rows.routed(run)
    rows.routed(run, tier="opus")
    rows.routed(run, lease_until=PAST)
    known = {"host": "h", "pid": 1, "version": "1"}
    for name, queue, columns in (
        ("a", "haiku", {"seen_at": ago(9)}),
        ("b", "sonnet", {}),
        ("c", "sonnet", {"seen_at": ago(11)}),
        ("d", "sonnet", {"stopping": True}),
    ):
        capacity = f'{{"{queue}": 4}}'
        rows.insert("workers", None, id=name, capacity=capacity, **known | columns)
    # then
    assert sorted(rows.all(status.QUEUES)) == [("haiku", 3, 1), ("sonnet", 0, 1)]
    assert rows.all(status.IN_FLIGHT_OF, runs=[run]) == [(run, "haiku", 2)]


def test_what_waits_in_runs_under_way(rows: Rows) -> None:
    run, ended = rows.run(), rows.run(finished_at="now()")
    counted(rows, run, ("queued", "", 3), ("routed", "haiku", 2), ("submitted", "haiku", 50))
    counted(rows, run, ("submitted", "", 4))
    counted(rows, ended, ("queued", "", 70), ("routed", "haiku", 70), ("submitted", "haiku", 70))
    assert sorted(rows.all(status.WAITING)) == [("haiku", 2), ("routing", 3)]
    assert sorted(rows.all(status.IN_BATCHES)) == [("haiku", 50), ("routing", 4)]


def test_the_budget_of_today(rows: Rows) -> None:
    today = rows.one("SELECT (now() AT TIME ZONE 'UTC')::date")[0]
    before = rows.one("SELECT (now() AT TIME ZONE 'UTC')::date - 1")[0]
    for day, spent in ((today, 2), (before, 30)):
        rows.insert("budgets", None, scope=f"day:{day}", day=day, cap=50, spent=spent)
    (found,) = mappings(rows, status.TODAY)
    assert (found["day"], found["spent_usd"], found["budget_usd"]) == (today, 2, 50)


def test_what_keeps_a_queue_is_told_while_it_does(rows: Rows) -> None:
    # given
    why = {f"paused_{name}": value for name, value in
           (("reason", "r"), ("by", "ada"), ("at", PAST))}  # fmt: skip
    held = {"held_at": PAST, "held_reason": "retry-after"}
    rows.tier("haiku", paused=True, **why, held_until=soon(30), **held)
    rows.tier("opus", paused=False, **why, held_until=ago(30), **held)
    rows.tier("routing", breaker="open", breaker_until=soon(20))
    rows.tier("sonnet", breaker="open", breaker_until=ago(20))
    for target, kind, at in (
        ("routing", "breaker_open", ago(20)), ("routing", "paused", ago(9)),
        ("haiku", "breaker_open", ago(9)),
    ):  # fmt: skip
        rows.insert("notices", None, key=f"{target} {kind}", target=target, kind=kind, words="w",
                    at=at)  # fmt: skip
    # when
    found = {row.pop("name"): row for row in mappings(rows, status.TIERS)}
    # then
    of_pause = ("paused", "paused_reason", "paused_by")
    assert [found["haiku"][name] for name in of_pause] == [True, "r", "ada"]
    assert [found["opus"][name] for name in (*of_pause, "paused_at")] == [False, None, None, None]
    assert found["haiku"]["paused_at"] is not None
    assert {name: one["breaker_s"] for name, one in found.items()} == {
        "haiku": None, "opus": None, "routing": 20, "sonnet": None,
    }  # fmt: skip
    opened = [found[name]["breaker_at"] for name in ("haiku", "routing")]
    assert opened == [None, rows.one(f"SELECT {ago(20)}")[0]]
    told = {name: (one["held_s"], one["held_reason"]) for name, one in found.items()}
    none = (0, None)
    assert told == {"haiku": (30, "retry-after"), "opus": none, "routing": none, "sonnet": none}
    assert [found[name]["held_at"] is None for name in ("haiku", "opus")] == [False, True]


def test_whether_everything_is_paused(rows: Rows) -> None:
    rows.tier("haiku", paused=True, paused_by="bob")
    rows.tier("everything", paused_by="ada")
    assert rows.all(status.PAUSED_ALL) == []
    rows.all("UPDATE tiers SET paused = true WHERE name = 'everything'")
    assert [row[1] for row in rows.all(status.PAUSED_ALL)] == ["ada"]


def test_what_is_under_way_in_batches(rows: Rows) -> None:
    # given
    run, ended = rows.run(), rows.run(finished_at="now()")
    counted(rows, run, ("submitted", "haiku", 5), ("routed", "haiku", 50))
    counted(rows, ended, ("submitted", "haiku", 60))
    sent = {"state": "submitted", "submitted_at": PAST}
    rows.batch(next_poll_at=soon(40), **sent)
    rows.batch(next_poll_at=soon(30), **sent)
    for state, times in (("intended", 3), ("ended", 4), ("recorded", 5)):
        for _ in range(times):
            rows.batch(state=state, next_poll_at=soon(10), submitted_at=ago(9000))
    # when
    (found,) = mappings(rows, batches.UNDER_WAY)
    # then
    told = [found[name] for name in ("sending", "claude", "reading", "look_s", "messages")]
    assert told == [3, 2, 4, 30, 5]
    assert found["since"] == rows.one(f"SELECT {PAST}")[0]
    rows.all("UPDATE message_batches SET next_poll_at = now() - interval '1 min'")
    assert mappings(rows, batches.UNDER_WAY)[0]["look_s"] == 0


def test_batches_under_way_of_a_run(rows: Rows) -> None:
    # given
    run, other = rows.run(), rows.run()
    sent = rows.batch(state="submitted", submitted_at=ago(60), created_at=ago(90),
                      next_poll_at=soon(30))  # fmt: skip
    new = rows.batch(created_at=ago(20), next_poll_at=soon(30))
    read = rows.batch(state="ended", submitted_at=ago(60), next_poll_at=soon(30))
    for batch in (sent, new, read, rows.batch(state="recorded", submitted_at=ago(60))):
        rows.sent(run, batch)
    rows.sent(other, rows.batch(state="submitted", submitted_at=ago(60)))
    rows.batch(state="submitted", submitted_at=ago(60))
    # then
    found = mappings(rows, batches.BATCHES, run=run)
    told = [(row["batch"], row["state"], row["age_s"], row["look_s"]) for row in found]
    assert told == [(sent, "submitted", 60, 30), (new, "intended", 20, 30), (read, "ended", 60, 30)]
