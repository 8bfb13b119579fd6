"""A message costs no more than `policy.max_cost_per_message`, however it climbs: at most that is
reserved, and who would climb past it goes to a person."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from models.vocabulary import Lane
from tests.support.attempts import claimed
from tests.support.deciding import GOOD, Simulator, answering, moods
from tests.support.promises import BODY, checked, one
from tests.support.receipts import receipt
from tests.support.works import drain, hand_in, settings_for, unexplained, working
from worker.claude.planner import Planner
from worker.claude.prompts import load_prompts
from worker.config.settings import Settings
from worker.dashboard.screens.story import headline, outcome, title
from worker.domain.attempt import Attempt
from worker.domain.claimed import Question
from worker.domain.reports import AttemptReport
from worker.store.queue.record import record
from worker.store.queue.slices import PREFIX
from worker.store.reading import receipts

LOW = answering({"json": {**GOOD, "confidence": 0.1}})
SIMPLE = {"match": {"purpose": "classify"}, "do": {"json": {"difficulty": "SIMPLE"}}}
LONG = "I have the same question once more, and I ask it at length. " * 3_250
"""195,000 characters: the longest message that intake takes."""


@pytest.fixture
def settings(database_url: str, simulator: Simulator) -> Settings:
    moods(simulator, SIMPLE, LOW)
    return settings_for(database_url, simulator[1])


def bounded(settings: Settings, dollars: str) -> Settings:
    return settings.model_copy(
        update={
            "policy": settings.policy.model_copy(update={"max_cost_per_message": Decimal(dollars)})
        }
    )


def worked(engine: Engine, settings: Settings, body: str) -> dict[str, Any]:
    """The receipt of one message, worked off."""
    run = hand_in(engine, settings, [body])
    with working(settings) as runtime:
        drain(runtime)
    assert unexplained(engine, run) == []
    with engine.connect() as connection:
        return receipt(connection, one(engine, "SELECT id FROM jobs")[0])


def test_by_default_the_longest_message_is_not_taken_up_the_ladder(
    engine: Engine, settings: Settings, simulator: Simulator
) -> None:
    # when each answer of it is unsure
    found = worked(engine, settings, LONG)
    # then the dearest tier was not asked, and a person has the best that was paid for
    *asked, last = found["attempts"]
    assert [attempt["tier"] for attempt in asked] == ["haiku", "haiku", "sonnet"]
    assert (last["outcome"], last["decision"], last["reasons"]) == (
        "withheld",
        "review",
        ["too_costly"],
    )
    assert (last["tier"], last["model"], last["reserved"], last["cost"]) == ("opus", None, 0, 0)
    assert (found["state"], found["reason"]) == ("review", "too_costly")
    assert (found["result"]["tier"], found["result"]["accepted"]) == ("sonnet", False)
    assert found["cost_usd"] < Decimal("0.20")
    said = last["findings"][0]["finding"]
    assert said.endswith("and a message may cost $0.5000")
    with engine.connect() as connection:
        told = receipts.receipt(connection, found["job"])
    assert title(told.attempts[-1]) == "opus was to be asked to answer"
    words = outcome(told.attempts[-1])
    assert words.startswith("Nobody was asked, because that could have cost more")
    assert "to a person, because that could have cost more than a message may" in headline(told)
    checked(engine, simulator)


def test_a_usual_message_climbs_to_the_top(engine: Engine, settings: Settings) -> None:
    found = worked(engine, settings, BODY[0])
    tiers = [attempt["tier"] for attempt in found["attempts"] if attempt["stage"] == "answer"]
    assert (tiers, found["reason"]) == (["haiku", "sonnet", "opus"], "low_confidence")


def test_what_is_spent_counts(engine: Engine, settings: Settings) -> None:
    # given room for sonnet's worst case alone, and not beside what haiku cost
    plan = Planner.of(settings, load_prompts(None))(claimed(None, tier="sonnet").candidate)
    assert isinstance(plan, Question)
    least = plan.reserved
    exact = bounded(settings, str(least))
    # when
    found = worked(engine, exact, BODY[0])
    # then
    assert [attempt["outcome"] for attempt in found["attempts"]][-1] == "withheld"
    assert 0 < found["cost_usd"] < least


def test_it_holds_from_the_first_call_on(engine: Engine, settings: Settings) -> None:
    # given a bound beneath any call
    found = worked(engine, bounded(settings, "0.0001"), BODY[0])
    # then not even its label was asked for
    assert [(a["stage"], a["outcome"]) for a in found["attempts"]] == [("route", "withheld")]
    assert (found["state"], found["result"], found["cost_usd"]) == ("review", None, 0)
    assert found["attempts"][0]["escalation"]["to_tier"] == "person"


def test_no_bound_is_none(engine: Engine, settings: Settings) -> None:
    found = worked(engine, bounded(settings, "0"), LONG)
    assert [a["tier"] for a in found["attempts"]][-1] == "opus"


def test_a_slice_of_the_batch_lane_is_bounded_too(engine: Engine, settings: Settings) -> None:
    # given
    small = bounded(settings, "0.0001")
    hand_in(engine, small, BODY, lane=Lane.BATCH, policy="fallback")
    with working(small) as runtime:
        # when it starts, and is then to be asked
        for queue in ("routing", "haiku"):
            ids = [one(engine, "SELECT id FROM jobs WHERE queue = :q", q=PREFIX + queue)[0]]
            taken = runtime.claims.take_slice(queue, ids, runtime.planner, lambda _: 1, 100)
            assert (taken.batch_id, len(taken.begun)) == (None, 1)
            report = Attempt(taken.begun[0], runtime.standards).begin()
            assert isinstance(report, AttemptReport)
            record(engine, [report])
    # then
    assert one(engine, "SELECT state, reason FROM jobs") == ("review", "too_costly")
