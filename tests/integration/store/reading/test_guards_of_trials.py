"""What is on trial just now, by rows of which each misses one condition; and a real trial."""

import threading
from typing import Any

import pytest
from sqlalchemy import Engine

from models.vocabulary import Lane
from tests.support.near_misses import Rows
from tests.support.nights import night, night_settings, rounds
from tests.support.promises import BODY, do, one
from tests.support.works import drain, hand_in, working
from worker.config.settings import Settings
from worker.sandbox.simulator.state import State
from worker.store.queue import canaries
from worker.store.reading.status import queues
from worker.store.reading.trials import TRIALS, Trial, holding

TRIAL = {"tier": "haiku", "prompt_version": "p", "schema_version": "s", "model": "m"}
KEPT = {"silent": 60, "slice": 5}
NOW, LONG_AGO = "now()", "now() - interval '61 seconds'"


@pytest.mark.parametrize(
    ("canary", "seen"),
    [
        ({"tried_at": NOW}, [("haiku", 2, 1, True, 0)]),
        ({"tried_at": NOW, "proven_at": NOW}, []),
        ({"tried_at": LONG_AGO}, []),
        ({"tried_at": None}, []),
    ],
)
def test_what_was_let_through_just_now_is_on_trial(
    rows: Rows, canary: dict[str, Any], seen: list[Any]
) -> None:
    rows.insert("canaries", None, **TRIAL, good=2, bad=1, **canary)
    assert rows.all(TRIALS, **KEPT) == seen


@pytest.mark.parametrize(
    ("batch", "attempt", "sent"),
    [
        *(({"state": state}, {}, 1) for state in ("intended", "submitted", "ended")),
        ({"state": "recorded"}, {}, 0),
        ({"requests": 5}, {}, 1),
        ({"requests": 6}, {}, 0),
        ({}, {"outcome": "accepted"}, 0),
        ({}, {"stage": "route"}, 0),
        *(({}, {name: "x"}, 0) for name in TRIAL),
    ],
)
def test_so_is_a_slice_that_is_in_a_batch_however_long(
    rows: Rows, batch: dict[str, Any], attempt: dict[str, Any], sent: int
) -> None:
    run = rows.run()
    rows.attempt(rows.routed(run), batch_id=rows.batch(**{"requests": 5} | batch), **attempt)
    rows.attempt(rows.routed(run))
    rows.insert("canaries", None, **TRIAL, tried_at=LONG_AGO)
    assert rows.all(TRIALS, **KEPT) == ([("haiku", 0, 0, False, sent)] if sent else [])


def test_two_on_trial_in_one_queue_share_a_slice_and_the_newest_comes_first(rows: Rows) -> None:
    run, batch = rows.run(), rows.batch(requests=10)
    earlier = "now() - interval '62 seconds'"
    for model, when, good in (("n", earlier, 2), ("m", LONG_AGO, 1)):
        rows.attempt(rows.routed(run), batch_id=batch, model=model)
        rows.insert("canaries", None, **TRIAL | {"model": model}, tried_at=when, good=good)
    rows.insert("canaries", None, **TRIAL | {"tier": "opus"}, tried_at=NOW)
    found = rows.all(TRIALS, **KEPT)
    assert found == [
        ("opus", 0, 0, True, 0),
        ("haiku", 1, 0, False, 1),
        ("haiku", 2, 0, False, 1),
    ]
    routing = rows.batch(requests=5)
    rows.attempt(rows.routed(run), batch_id=routing, stage="route", model="r")
    rows.insert("canaries", None, **TRIAL | {"tier": "routing", "model": "r"}, tried_at=LONG_AGO)
    assert ("routing", 0, 0, False, 1) in rows.all(TRIALS, **KEPT)


def test_only_the_one_that_is_let_through_is_noted(rows: Rows) -> None:
    rows.insert("canaries", None, **TRIAL)
    for name in TRIAL:
        rows.insert("canaries", None, **TRIAL | {name: "x"})
    rows.all(canaries.TRIED, **TRIAL)
    tried = "SELECT tier, prompt_version, schema_version, model FROM canaries"
    assert rows.all(f"{tried} WHERE tried_at IS NOT NULL") == [tuple(TRIAL.values())]
    rows.all("UPDATE canaries SET proven_at = now(), tried_at = NULL")
    rows.all(canaries.TRIED, **TRIAL)
    assert rows.all(f"{tried} WHERE tried_at IS NOT NULL") == []


SINGLY = Trial(queue="haiku", good=1, bad=0, goes_singly=True, batched=0)
BATCHED = Trial(queue="haiku", good=2, bad=0, goes_singly=False, batched=5)


@pytest.mark.parametrize(
    ("found", "waiting", "in_flight", "batched", "held_by"),
    [
        ([SINGLY], 5, 0, 0, SINGLY),
        ([SINGLY], 5, 1, 0, SINGLY),
        ([SINGLY], 0, 1, 0, None),
        ([SINGLY], 5, 2, 0, None),
        ([SINGLY], 5, 1, 1, None),
        ([BATCHED], 5, 0, 5, BATCHED),
        ([BATCHED], 5, 0, 6, None),
        ([BATCHED], 5, 1, 5, None),
        ([SINGLY, BATCHED], 5, 1, 5, SINGLY),
        ([], 5, 0, 0, None),
    ],
)
def test_a_trial_holds_a_queue_back_where_nothing_else_goes(
    found: list[Trial], waiting: int, in_flight: int, batched: int, held_by: Trial | None
) -> None:
    standing = {"waiting": waiting, "in_flight": in_flight, "batched": batched}
    assert holding(found, "haiku", **standing) == held_by
    assert holding(found, "opus", **standing) is None


@pytest.fixture
def trying(database_url: str, simulator: tuple[State, str]) -> Settings:
    """Everything goes to haiku, with canaries on."""
    changes = {"policy": {"preset": "single:haiku"}, "canary": {"enabled": True}}
    return night_settings(database_url, simulator[1], **changes)


def test_a_queue_is_on_trial_until_five_calls_have_gone_well(
    engine: Engine, trying: Settings
) -> None:
    # given
    hand_in(engine, trying, BODY * 12)
    seen = set[tuple[int | None, bool]]()
    with working(trying) as runtime:
        works = threading.Thread(target=drain, args=(runtime,))
        works.start()
        # when
        while works.is_alive():
            with engine.connect() as connection:
                (line,) = queues(connection, ["haiku"])
            seen.add((line.trial_good, line.waiting > 0))
        works.join()
    # then
    assert {good for good, waits in seen if waits} >= {1, 2, 3, 4}
    assert {good for good, waits in seen if not waits} <= {None}
    assert one(engine, "SELECT good >= 5, proven_at IS NOT NULL FROM canaries") == (True, True)


def test_so_it_is_while_a_slice_of_five_is_in_a_batch(engine: Engine, trying: Settings) -> None:
    # given
    with night(trying) as (runtime, lane):
        runtime.remember_prompts()
        hand_in(engine, trying, BODY * 12, lane=Lane.BATCH)
        # when
        lane.step()
        do(engine, "UPDATE canaries SET tried_at = now() - interval '1 hour'")
        with engine.connect() as connection:
            (line,) = queues(connection, ["haiku"])
        rounds(runtime, lane)
    # then
    assert (line.waiting, line.in_batches, line.trial_good) == (7, 5, 0)
    with engine.connect() as connection:
        assert queues(connection, ["haiku"])[0].trial_good is None
