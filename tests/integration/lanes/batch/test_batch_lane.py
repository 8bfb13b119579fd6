"""The batch lane: the same answers at half price, whatever comes back and in whatever order."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from models.vocabulary import Lane
from tests.support.checker import Checker
from tests.support.nights import night, night_settings, rounds
from tests.support.works import hand_in, unexplained
from worker.cli.cost import print_bill
from worker.sandbox.simulator.state import State
from worker.store.actions import changes, holds
from worker.store.actions.selection import whole
from worker.store.audit import Actor
from worker.store.reading.bill import bill_of
from worker.store.runs import find_run

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(40)]


def rows(engine: Engine, statement: str, **values: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(statement), values).all())


def moods(simulator: tuple[State, str], *documents: dict[str, Any]) -> None:
    simulator[0].moods.replace(documents)


@pytest.mark.parametrize("policy", ["ladder", "route", "escalate", "fallback", "single:sonnet"])
def test_every_preset_runs_through_batches_at_half_price(
    policy: str, engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    settings = night_settings(database_url, simulator[1], batch={"slice": 15})
    with night(settings) as (runtime, lane):
        # given: a run in the batch lane
        runtime.remember_prompts()
        run = hand_in(engine, settings, BODIES, policy=policy, lane=Lane.BATCH)

        # when: the night goes by
        rounds(runtime, lane)

    # then: every job has ended, and not one request went through the Messages API
    ended = rows(engine, "SELECT state, count(*) FROM jobs GROUP BY 1")
    assert sum(row.count for row in ended) == len(BODIES)
    assert {row.state for row in ended} <= {"answered", "review"}
    assert simulator[0].counts.by_path["/v1/messages"] == 0

    # then: each call is in the ledger once, at the batch price, and is marked as simulated
    calls = rows(engine, "SELECT DISTINCT state, lane, service_tier, simulated FROM calls")
    assert calls == [("done", "batch", "batch", True)]
    assert rows(engine, "SELECT count(*) FROM calls")[0][0] == sum(
        simulator[0].counts.batch_items.values()
    )
    halves = rows(
        engine,
        "SELECT DISTINCT c.model, (p.rates->>'input')::numeric AS input"
        " FROM calls AS c JOIN prices AS p ON p.version = c.price_version ORDER BY 1",
    )
    full = {row.model: runtime.planner.price(row.model) for row in halves}
    for row in halves:
        price = full[row.model]
        assert price is not None
        assert row.input * 2 == price.rates(1_000, Lane.REALTIME).input
    settled(engine, simulator)

    # then: every decision can be made again from the record, and every receipt adds up
    assert unexplained(engine, run) == []


def test_results_in_any_shape_end_every_job(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given: items that expire, fail and are invalid, and results that are bent in every way
    moods(
        simulator,
        {"match": {"every": 7, "purpose": "answer"}, "do": {"batch": "expired"}},
        {"match": {"every": 5, "purpose": "answer"}, "do": {"batch": "errored", "status": 529}},
        {"match": {"contains": "number 3?"}, "do": {"batch": "errored", "status": 400}},
        {"match": {"purpose": "results", "first": 1}, "do": {"results": "malformed"}},
        {"match": {"purpose": "results", "first": 2}, "do": {"results": "unknown"}},
        {"match": {"purpose": "results", "first": 3}, "do": {"results": "duplicate"}},
        {"match": {"purpose": "results", "first": 4}, "do": {"results": "missing"}},
    )
    settings = night_settings(database_url, simulator[1], batch={"slice": 10})
    with night(settings) as (runtime, lane):
        run = hand_in(engine, settings, BODIES, policy="route", lane=Lane.BATCH)

        # when
        rounds(runtime, lane)

    # then: the invalid one is a dead letter with Claude's words, the others have their answers
    ended = dict(rows(engine, "SELECT state, count(*) FROM jobs GROUP BY 1"))
    assert ended["dead"] == 1
    assert sum(ended.values()) == len(BODIES)
    (reason,) = rows(engine, "SELECT reason FROM jobs WHERE state = 'dead'")[0]
    assert reason.startswith("invalid_request_error")
    # then: the record explains itself
    assert unexplained(engine, run) == []
    # then: what was odd is counted beside the batches
    odd = rows(
        engine,
        """
        SELECT name, sum(value::int)
        FROM message_batches, jsonb_each_text(counts) AS c(name, value)
        WHERE name IN ('malformed', 'unknown', 'repeated', 'missing') GROUP BY 1 ORDER BY 1""",
    )
    # (what is missing is in the copy that is fetched again)
    assert dict(odd) == {"malformed": 1, "unknown": 1, "repeated": 1}
    settled(engine, simulator)


@pytest.mark.parametrize("slices", [1, 3])
def test_a_lost_reply_to_create_is_adopted_and_nothing_is_paid_twice(
    slices: int, engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given: Claude takes the first two batches, and the replies are lost
    moods(simulator, {"match": {"purpose": "create", "first": 2}, "do": {"create": "drop"}})
    settings = night_settings(
        database_url, simulator[1], batch={"slice": len(BODIES) // slices, "adopt_after_s": 600}
    )
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="ladder", lane=Lane.BATCH)

        # when
        rounds(runtime, lane)

    # then: each orphan was found in Claude's list, and each item was made once
    assert set(simulator[0].counts.batch_items.values()) == {1}
    created = rows(engine, "SELECT count(DISTINCT external_id) FROM message_batches")[0][0]
    assert created == len(simulator[0].batches)
    settled(engine, simulator)


def test_a_create_that_never_arrived_is_sent_again_after_the_window(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given: a server that fails before it takes anything
    moods(simulator, {"match": {"purpose": "create", "first": 2}, "do": {"status": 500}})
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)

        # when: within the window nothing is sent; after it the same requests are
        rounds(runtime, lane)

    # then
    assert set(simulator[0].counts.batch_items.values()) == {1}
    assert rows(engine, "SELECT max(fence) FROM jobs")[0][0] <= 2
    settled(engine, simulator)


def test_one_request_that_spoils_a_batch_is_found_and_the_others_are_answered(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given: Claude refuses the first five creates as a whole
    moods(simulator, {"match": {"purpose": "create", "first": 5}, "do": {"create": "refuse"}})
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODIES[:16], policy="single:haiku", lane=Lane.BATCH)

        # when
        rounds(runtime, lane)

    # then: slices were halved until one job alone was refused: it is the dead letter
    refused = rows(
        engine, "SELECT requests FROM message_batches WHERE state = 'failed' ORDER BY id"
    )
    assert [row.requests for row in refused] == [16, 8, 4, 2, 1]
    ended = dict(rows(engine, "SELECT state, count(*) FROM jobs GROUP BY 1"))
    assert ended["dead"] == 1
    assert sum(ended.values()) == 16
    settled(engine, simulator)


def test_cancelling_the_run_cancels_at_claude_and_keeps_what_was_paid(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given: two slices at Claude, one of which has ended
    simulator[0].latency_scale = 1_000
    settings = night_settings(database_url, simulator[1], batch={"slice": 20})
    with night(settings) as (_, lane):
        run = hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        lane.step()
        lane.step()
        first, *_ = simulator[0].batches.values()
        first.ready_at = 0

        # when: the run is cancelled before anybody looked
        changes.apply(engine, Actor("a test"), changes.CANCEL, whole(run))
        for _ in range(4):
            with engine.begin() as connection:
                connection.execute(text("UPDATE message_batches SET next_poll_at = now()"))
            lane.step()

    # then: the second was cancelled at Claude; what the first had cost stays in the ledger
    assert [bool(batch.cancelled) for batch in simulator[0].batches.values()] == [False, True]
    states = rows(engine, "SELECT DISTINCT state FROM message_batches")
    assert states == [("recorded",)]
    assert rows(engine, "SELECT DISTINCT state FROM jobs") == [("cancelled",)]
    assert rows(engine, "SELECT count(*) FROM results")[0][0] == 0
    settled(engine, simulator)


def test_a_paused_tier_and_a_small_budget_hold_in_the_batch_lane(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        # given: a paused tier
        holds.pause_queue(engine, Actor("a test"), "haiku", "to see")
        run = hand_in(
            engine,
            settings,
            BODIES,
            policy="single:haiku",
            lane=Lane.BATCH,
            cap=Decimal("0.05"),
        )
        for _ in range(3):
            lane.step()

        # then: jobs begin, for that costs nothing, and nothing is sent
        assert rows(engine, "SELECT DISTINCT state FROM jobs") == [("routed",)]
        assert not simulator[0].batches

        # when: the tier goes on, with a budget for a few
        holds.resume_queue(engine, Actor("a test"), "haiku")
        lane.step()
        sent = [len(batch.requests) for batch in simulator[0].batches.values()]

        # then: as many are sent as the worst case allows, and the run says what it waits for
        assert len(sent) == 1
        assert 0 < sent[0] < len(BODIES)
        waiting = rows(engine, "SELECT waiting_for FROM runs WHERE id = :id", id=run.id)
        assert waiting == [("run budget",)]
        holds.resume_run(engine, Actor("a test"), whole(run), Decimal(5))
        rounds(runtime, lane)
    settled(engine, simulator)


def settled(engine: Engine, simulator: tuple[State, str]) -> None:
    """Every promise holds, and each item that Claude answered is in the ledger, done, once."""
    Checker().require(engine)
    done = rows(
        engine, "SELECT job_id || '-' || fence || '-' || purpose FROM calls WHERE state = 'done'"
    )
    made = set(simulator[0].counts.batch_items)
    assert {key for (key,) in done} <= made


@pytest.mark.parametrize(("turnaround_s", "kind"), [(3_600, "1h"), (60, "5m")])
def test_the_shared_prefix_is_cached_for_as_long_as_it_pays(
    turnaround_s: float,
    kind: str,
    engine: Engine,
    database_url: str,
    simulator: tuple[State, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = night_settings(database_url, simulator[1], batch={"turnaround_s": turnaround_s})
    with night(settings) as (runtime, lane):
        # given / when: batches that are expected to take an hour, or a minute
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH)
        rounds(runtime, lane)
    # then: one request wrote the prefix, for that long, and all others read it
    other = {"1h": "5m", "5m": "1h"}[kind]
    assert rows(
        engine,
        f"SELECT count(*) FILTER (WHERE cache_write_{kind}_tokens > 0) AS wrote,"
        f" count(*) FILTER (WHERE cache_write_{other}_tokens > 0) AS wrote_otherwise,"
        " count(*) FILTER (WHERE cache_read_tokens > 0) AS was_read FROM calls",
    ) == [(1, 0, len(BODIES) - 1)]
    with engine.connect() as connection:
        bill = bill_of(connection, find_run(connection, "run"), settings)
    assert bill.cache_saved > 0
    print_bill(bill)
    span = {"1h": "an hour", "5m": "five minutes"}[kind]
    assert f"tokens written to it for {span}." in capsys.readouterr().out.replace("\n", " ")
