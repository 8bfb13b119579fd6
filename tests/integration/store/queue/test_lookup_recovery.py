"""Messages that wait for a look-up: one asks whether it is back, and then all go on."""

import pytest
from sqlalchemy import Engine, text

from tests.support.promises import do, many, one
from tests.support.works import hand_in, settings_for
from worker.config.sections import TimingSettings
from worker.store.queue.lookup_failures import note_lookups
from worker.store.queue.lookup_recovery import probe_lookups, resume_waiting

TIERS = ("haiku", "sonnet")
AWAY = {"orders": ("did not answer within 5 s", "wait")}
SILENT = "UPDATE lookup_failures SET last_at = now() - interval '21 s'"
READY = "SELECT id FROM jobs WHERE available_at <= now() ORDER BY id"


def waiting(engine: Engine, messages: int = 4, *, reason: str = "lookup:orders") -> None:
    """Messages at haiku whose last attempt waits for a look-up, the first the longest, and one that
    waits for something else."""
    settings = settings_for(
        "",
        "",
        policies={"acme": {"extends": "single:haiku", "context": {"lookups": ["orders"]}}},
        lookups={"orders": {"path": "orders:orders"}},
    )
    hand_in(engine, settings, [f"Where is it, {n}?" for n in range(messages + 1)], policy="acme")
    do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku', fence = 2,"
        " available_at = now() + id * interval '1 min'")  # fmt: skip
    do(engine, "INSERT INTO attempts (job_id, fence, stage, tier, lane, outcome, reasons,"
        " policy_version, budget_day, available_at, finished_at)"
        " SELECT id, n, 'answer', 'haiku', 'realtime', 'deferred',"
        "  CASE WHEN n = 1 OR id <= :of THEN ARRAY[CAST(:reason AS text)]"
        "  ELSE ARRAY['rate_limited'] END, '1', current_date, now(), now()"
        " FROM jobs CROSS JOIN generate_series(1, 2) AS n", of=messages, reason=reason)  # fmt: skip


def ready(engine: Engine) -> list[int]:
    return [row[0] for row in many(engine, READY)]


def test_one_message_asks_whether_it_is_back_and_only_after_a_while(engine: Engine) -> None:
    waiting(engine)
    note_lookups(engine, AWAY, ())
    assert (probe_lookups(engine, TIERS), ready(engine)) == (0, [])
    do(engine, SILENT)
    assert (probe_lookups(engine, TIERS), ready(engine)) == (1, [1])


@pytest.mark.parametrize("first", [0.5, 6.0, 14.5])
def test_what_waits_goes_on_within_a_minute_of_its_coming_back(
    engine: Engine, first: float
) -> None:
    """Seen every `rescue_s` seconds by default, from whenever on: the clock is that of the rows."""
    waiting(engine, 9)
    note_lookups(engine, AWAY, ())
    every = TimingSettings().rescue_s
    for step in (first, *[every] * int((60 - first) // every)):
        do(
            engine,
            "UPDATE lookup_failures SET last_at = last_at - make_interval(secs => :s)",
            s=step,
        )
        if probe_lookups(engine, TIERS):
            resume_waiting(engine, TIERS, note_lookups(engine, {}, ["orders"]))
    assert ready(engine) == list(range(1, 10))


def test_nobody_probes_for_one_that_nobody_waits_for(engine: Engine) -> None:
    waiting(engine)
    note_lookups(engine, {"orders": ("hangs", "without"), "parcels": ("hangs", "wait")}, ())
    do(engine, SILENT)
    assert (probe_lookups(engine, TIERS), ready(engine)) == (0, [])


def test_what_waits_goes_on_when_it_has_been_well_for_a_while(engine: Engine) -> None:
    waiting(engine)
    note_lookups(engine, AWAY, ())
    # one that works among others that fail lets nobody go on: they would ask again and again
    assert note_lookups(engine, {}, ["orders"]) == []
    do(engine, "UPDATE lookup_failures SET last_at = now() - interval '31 s'")
    again = note_lookups(engine, {}, ["orders"])
    assert again == ["orders"]
    assert resume_waiting(engine, TIERS, again) == 4
    # the fifth waits for something else by now
    assert ready(engine) == [1, 2, 3, 4]


def test_another_look_up_paused_runs_and_what_is_under_way_are_left_alone(engine: Engine) -> None:
    waiting(engine)
    assert resume_waiting(engine, TIERS, ["parcels"]) == 0
    assert resume_waiting(engine, ("opus",), ["orders"]) == 0
    do(engine, "UPDATE runs SET state = 'paused'")
    assert resume_waiting(engine, TIERS, ["orders"]) == 0
    do(engine, "UPDATE runs SET state = 'active'")
    do(engine, "UPDATE jobs SET lease_until = now() + interval '1 min' WHERE id = 1")
    assert (resume_waiting(engine, TIERS, ["orders"]), ready(engine)) == (3, [2, 3, 4])


def test_batches_wait_for_look_ups_too(engine: Engine) -> None:
    waiting(engine)
    do(engine, "UPDATE jobs SET lane = 'batch'")
    assert resume_waiting(engine, TIERS, ["orders"]) == 4


def test_what_is_already_due_is_not_put_back(engine: Engine) -> None:
    waiting(engine)
    do(engine, "UPDATE jobs SET available_at = now() - interval '1 h' WHERE id = 1")
    assert resume_waiting(engine, TIERS, ["orders"]) == 3
    assert one(engine, "SELECT available_at < now() - interval '59 min' FROM jobs WHERE id = 1")[0]


def test_two_workers_let_nobody_go_on_twice(engine: Engine) -> None:
    waiting(engine)
    with engine.begin() as connection:
        connection.execute(text("SELECT FROM jobs WHERE id = 1 FOR UPDATE"))
        assert resume_waiting(engine, TIERS, ["orders"]) == 3
