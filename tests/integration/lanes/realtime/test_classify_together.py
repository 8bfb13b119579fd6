"""Several messages labelled in one routing call: each label by its id, each share in the ledger."""

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from models.vocabulary import Stage
from tests.support.promises import do, one, requests
from tests.support.receipts import receipt
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.config.validators import load_validators
from worker.domain.policy import Policy
from worker.domain.policy_documents import from_document
from worker.runs.replay import Replay, replay
from worker.sandbox.simulator.state import State
from worker.store.reading.replay import decided_jobs
from worker.store.runs import RunRef, find_run

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(25)]
ROUTES = """SELECT array_agg(
  concat_ws(' ', outcome, decision, nullif(array_to_string(reasons, ','), '')) ORDER BY fence)
FROM attempts WHERE stage = 'route' AND job_id = :job"""


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    own = {"together": {"start": {"classify_batch": 20}}}
    return settings_for(database_url, simulator[1], policies=own)


def together(settings: Settings) -> Policy:
    return policy_named(settings, "together")


def replayed(engine: Engine, settings: Settings, run: RunRef) -> Replay:
    with engine.connect() as connection:
        policy = from_document(find_run(connection, run.name).policy)
    return replay(decided_jobs(engine, run.id), policy, load_validators(settings))


def work_off(engine: Engine, settings: Settings, bodies: list[str]) -> RunRef:
    run = hand_in(engine, settings, bodies, policy=together(settings))
    with working(settings) as runtime:
        for _ in range(4):
            drain(runtime)
            make_due(engine)
    return run


def books_balance(engine: Engine) -> None:
    sums = one(
        engine,
        """SELECT (SELECT sum(cost) FROM calls), (SELECT sum(cost) FROM jobs),
          (SELECT sum(cost) FROM run_spend), (SELECT spent FROM budgets WHERE run_id IS NOT NULL),
          (SELECT sum(cost) FROM attempts)""",
    )
    assert len(set(sums)) == 1
    assert one(engine, "SELECT sum(reserved) FROM budgets")[0] == 0


def says(*labels: tuple[Any, str]) -> dict[str, Any]:
    """A shared answer with these labels."""
    entries = [{"id": str(job), "difficulty": label} for job, label in labels]
    return {
        "match": {"purpose": "classify", "contains": " id=", "first": 1},
        "do": {"text": json.dumps({"labels": entries})},
    }


def test_messages_are_labelled_together_and_share_the_cost_to_the_token(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # when
    run = work_off(engine, settings, BODIES)
    # then: 25 messages took two requests, and those that were passed over one each
    classified, alone, shared = one(
        engine,
        """SELECT count(DISTINCT request_id), count(*) FILTER (WHERE shared = 1), max(shared)
        FROM calls WHERE purpose = 'classify'""",
    )
    assert (classified - alone, shared) == (2, 20)
    answers = one(engine, "SELECT count(*) FROM calls WHERE purpose <> 'classify'")[0]
    assert requests(simulator) == classified + answers
    states = one(engine, "SELECT array_agg(DISTINCT state ORDER BY state) FROM jobs")[0]
    assert set(states) <= {"answered", "review"}
    books_balance(engine)
    found = replayed(engine, settings, run)
    assert (found.jobs, found.differences) == (25, [])


def test_a_missing_an_unknown_and_a_doubled_label_are_asked_again_alone(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # given
    run = hand_in(engine, settings, BODIES[:4], policy=together(settings))
    ids = one(engine, "SELECT array_agg(id ORDER BY id) FROM jobs")[0]
    simulator[0].moods.replace(
        [says((ids[0], "complex"), (ids[1], "EASY"), (ids[2], "SIMPLE"), (ids[2], "COMPLEX"))]
    )
    # when
    with working(settings) as runtime:
        drain(runtime)
    # then
    assert one(engine, ROUTES, job=ids[0])[0] == ["routed start:opus"]
    for job in ids[1:]:
        first, second = one(engine, ROUTES, job=job)[0]
        assert first == "malformed again no label"
        assert second.startswith("routed start:")
    shared = one(
        engine,
        """SELECT array_agg(shared ORDER BY fence) FROM calls
        WHERE job_id = :job AND purpose = 'classify'""",
        job=ids[1],
    )[0]
    assert shared == [4, 1]
    with engine.connect() as connection:
        found = receipt(connection, ids[1])
    assert found["total_usd"] == found["cost_usd"] > 0
    books_balance(engine)
    assert replayed(engine, settings, run).differences == []


@pytest.mark.parametrize("status", [400, 413])
def test_one_that_spoils_its_request_spoils_no_other(
    engine: Engine, settings: Settings, simulator: tuple[State, str], status: int
) -> None:
    # given: a message that Claude will not take, among others
    bodies = [*BODIES[:3], "poison"]
    simulator[0].moods.replace(
        [{"match": {"purpose": "classify", "contains": "poison"}, "do": {"status": status}}]
    )
    # when
    run = work_off(engine, settings, bodies)
    # then
    states = one(engine, "SELECT array_agg(state ORDER BY id) FROM jobs")[0]
    assert [state in ("answered", "review") for state in states[:3]] == [True] * 3
    books_balance(engine)
    assert replayed(engine, settings, run).differences == []


def test_a_refusal_for_now_defers_all_and_they_go_together_again(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # given
    simulator[0].moods.replace(
        [{"match": {"purpose": "classify", "first": 1}, "do": {"status": 529}}]
    )
    run = hand_in(engine, settings, BODIES[:3], policy=together(settings))
    with working(settings) as runtime:
        # when
        drain(runtime)
        # then
        assert one(engine, "SELECT sum(attempts), sum(failures), sum(deferrals) FROM jobs") == (
            0, 0, 3,
        )  # fmt: skip
        # when
        do(engine, "UPDATE tiers SET breaker = 'closed', breaker_until = NULL")
        make_due(engine)
        drain(runtime)
    assert one(
        engine, "SELECT min(shared) FROM calls WHERE fence = 2 AND purpose = 'classify'"
    ) == (3,)
    books_balance(engine)
    assert replayed(engine, settings, run).differences == []


def test_it_is_off_unless_a_policy_asks_for_it(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # when
    hand_in(engine, settings, BODIES[:3])
    with working(settings) as runtime:
        drain(runtime)
    # then
    assert one(engine, "SELECT max(shared) FROM calls")[0] == 1
    assert one(engine, "SELECT count(*) FROM calls WHERE purpose = 'classify'")[0] == 3


def test_what_is_reserved_covers_a_shared_request(engine: Engine, settings: Settings) -> None:
    # given
    hand_in(engine, settings, BODIES, policy=together(settings), cap=Decimal(1))
    # when
    with working(settings) as runtime:
        drain(runtime)
    # then
    over = """SELECT count(*) FROM attempts AS a WHERE stage = :stage AND cost > reserved"""
    assert one(engine, over, stage=Stage.ROUTE)[0] == 0
    assert one(engine, "SELECT max(overrun) FROM budgets")[0] == 0
