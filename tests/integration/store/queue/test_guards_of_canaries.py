"""Each condition of the statements of canaries, by rows of which each misses one."""

from typing import Any

import pytest

from tests.support.near_misses import Rows
from worker.store.actions import holds
from worker.store.queue import canaries
from worker.store.reading import queue_holds

TRIAL = {"tier": "haiku", "prompt_version": "p", "schema_version": "s", "model": "m"}


@pytest.mark.parametrize("name", [*TRIAL, None])
def test_a_trial_is_its_tier_prompt_schema_and_model(rows: Rows, name: str | None) -> None:
    rows.insert("canaries", None, **TRIAL, good=1, bad=2)
    asked = TRIAL | ({name: "x"} if name else {})
    assert rows.all(canaries.LOCK, **asked) == ([] if name else [(False, 1, 2)])
    rows.all(canaries.PROVE, **asked)
    assert rows.one("SELECT proven_at IS NOT NULL FROM canaries") == (name is None,)


@pytest.mark.parametrize(
    ("attempt", "waits"),
    [
        ({}, True),
        ({"outcome": "accepted"}, False),
        ({"stage": "route"}, False),
        ({"claimed_at": "now() - interval '61 seconds'"}, False),
        ({"claimed_at": "now() - interval '59 seconds'"}, True),
        *(({name: "x"}, False) for name in TRIAL),
    ],
)
def test_a_canary_in_flight_is_waited_for(rows: Rows, attempt: dict[str, Any], waits: bool) -> None:
    run = rows.run()
    rows.attempt(rows.routed(run), **attempt)
    rows.attempt(rows.routed(run), batch_id=rows.batch())
    asked = TRIAL | {"stage": "answer", "silent": 60}
    assert rows.all(canaries.IN_FLIGHT, **asked) == [(waits,)]


@pytest.mark.parametrize(("stage", "waits"), [("route", True), ("answer", False)])
def test_a_routing_canary_is_waited_for_whatever_tier_it_asks(
    rows: Rows, stage: str, waits: bool
) -> None:
    rows.attempt(rows.routed(rows.run()), stage=stage)
    asked = TRIAL | {"tier": "routing", "stage": "route", "silent": 60}
    assert rows.all(canaries.IN_FLIGHT, **asked) == [(waits,)]


@pytest.mark.parametrize(
    ("batch", "attempt", "waits"),
    [
        *(({"state": state}, {}, True) for state in ("intended", "submitted", "ended")),
        ({"state": "recorded"}, {}, False),
        ({}, {"outcome": "accepted"}, False),
        ({}, {"stage": "route"}, False),
        *(({}, {name: "x"}, False) for name in TRIAL),
    ],
)
def test_a_canary_in_a_batch_is_waited_for(
    rows: Rows, batch: dict[str, Any], attempt: dict[str, Any], waits: bool
) -> None:
    run = rows.run()
    rows.attempt(rows.routed(run), batch_id=rows.batch(**batch), **attempt)
    rows.attempt(rows.routed(run))
    rows.batch()
    assert rows.all(canaries.IN_A_BATCH, **TRIAL) == [(waits,)]


def test_canaries_count_for_their_own_combination_until_it_is_proven(rows: Rows) -> None:
    run = rows.run()
    jobs = [rows.routed(run) for _ in range(3)]
    for job in jobs:
        rows.attempt(job)
        rows.attempt(job, fence=2, model="other")
    rows.insert("canaries", None, **TRIAL, good=1, bad=1)
    for name in TRIAL:
        rows.insert("canaries", None, **TRIAL | {name: "x"})
    said = [{"job_id": job, "fence": 1, "reasons": [f"r{job}"], "good": 0, "bad": 1}
            for job in jobs[:2]] + [
        {"job_id": jobs[2], "fence": 1, "reasons": ["fine"], "good": 1, "bad": 0}]  # fmt: skip
    counted = rows.all(canaries.COUNT, rows=said)
    assert counted == [("haiku", "p", "s", "m", 2, 3, [f"r{jobs[1]}"])]
    assert rows.firsts("SELECT failed_jobs FROM canaries WHERE failed_jobs <> '{}'") == [jobs[:2]]
    rows.all("UPDATE canaries SET proven_at = now()")
    assert rows.all(canaries.COUNT, rows=said) == []


def test_only_what_a_canary_gave_up_here_is_trusted_by_overruling_it(rows: Rows) -> None:
    failed = {"bad": 5, "failed_jobs": [1, 2]}
    rows.insert("canaries", None, **TRIAL, **failed)
    rows.insert("canaries", None, **TRIAL | {"tier": "opus"}, **failed)
    rows.insert("canaries", None, **TRIAL | {"model": "well"}, good=1)
    rows.insert("canaries", None, **TRIAL | {"model": "proven"}, **failed, proven_at="now()")
    assert [row[:2] for row in rows.all(queue_holds.FAILED)] == [("haiku", 5), ("opus", 5)]
    trusted = rows.all(holds.TRUST_CANARIES, name="haiku", by="ada")
    assert [row[2] for row in trusted] == ["m"]
    by = "SELECT model FROM canaries WHERE overruled_by = 'ada' AND proven_at IS NOT NULL"
    assert rows.firsts(by) == ["m"]
    rows.all(holds.TRY_CANARIES_AGAIN, name="opus")
    left = "SELECT tier FROM canaries WHERE bad > 0 AND failed_jobs <> '{}' AND proven_at IS NULL"
    assert rows.firsts(left) == []


def test_canaries_of_routing_count_as_routing(rows: Rows) -> None:
    job = rows.routed(rows.run())
    rows.attempt(job, stage="route")
    rows.insert("canaries", None, **TRIAL | {"tier": "routing"})
    said = [{"job_id": job, "fence": 1, "reasons": [], "good": 1, "bad": 0}]
    assert [row[:1] for row in rows.all(canaries.COUNT, rows=said)] == [("routing",)]
