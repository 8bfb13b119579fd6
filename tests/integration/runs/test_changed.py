"""`rung reprocess --changed`: calls where a decision changes, and nowhere else."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from models.vocabulary import Lane, RunLane
from tests.support.promises import ME, do, many, one, requests
from tests.support.works import drain, hand_in, settings_for, unexplained, working
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.errors import UsageError
from worker.runs.counterfactual import PaidDifference
from worker.runs.reprocess import Reprocessed, ReprocessRequest, reprocess
from worker.sandbox.simulator.state import State

BODIES = [f"Where is card number {n}? It was due on Monday." for n in range(40)]
OWN = {
    "strict": {"accept": {"threshold": 0.9}},
    "loose": {"accept": {"threshold": 0.3}},
    "other": {"accept": {"confidence": "off"}},
}


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1], policies=OWN)


@pytest.fixture
def day(engine: Engine, settings: Settings) -> Engine:
    """A run under the ladder, answered."""
    hand_in(engine, settings, BODIES, policy=policy_named(settings, "ladder"), name="day")
    with working(settings) as runtime:
        drain(runtime)
    return engine


def again(engine: Engine, settings: Settings, policy: str) -> Reprocessed:
    request = ReprocessRequest(
        run="day", policy=policy, lane=Lane.REALTIME, changed=True, name=policy
    )
    with engine.begin() as connection:
        return reprocess(connection, settings, ME, request)


def below(engine: Engine, threshold: str) -> int:
    """Accepted answers of the day whose confidence is below a threshold."""
    return int(
        one(
            engine,
            "SELECT count(*) FROM results AS s JOIN jobs AS j ON j.id = s.job_id JOIN runs AS r"
            " ON r.id = j.run_id WHERE r.name = 'day' AND s.accepted AND s.confidence < :t"
            " AND s.tier <> 'opus'",
            t=Decimal(threshold),
        )[0]
    )


def test_in_the_mixed_lane_what_begins_above_the_cheapest_goes_in_batches(
    day: Engine, settings: Settings
) -> None:
    request = ReprocessRequest(
        run="day", policy="strict", lane=RunLane.MIXED, changed=True, name="mixed"
    )
    with day.begin() as connection:
        made = reprocess(connection, settings, ME, request)
    assert made.difference is not None
    assert made.difference.asked > 0
    rows = many(
        day, "SELECT DISTINCT rung > 0, lane FROM jobs WHERE state = 'routed'"
        " AND run_id = (SELECT max(id) FROM runs) ORDER BY 1",
    )  # fmt: skip
    assert rows == [(True, "batch")]


STOOD = """
UPDATE attempts SET knowledge_version = 'v1', context_digest = 'd1' WHERE stage = 'answer';
INSERT INTO run_knowledge (run_id, version, whole, by, shown, model, lane, messages, tokens_whole,
  tokens_searched, usd_searched)
SELECT id, 'v1', true, 'cost', '{"returns#returns": "p1"}', 'm', 'realtime', 40, 9, 9, 0.1 FROM runs
"""


def test_loosening_asks_nothing_and_costs_nothing(
    day: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    do(day, STOOD)
    before = requests(simulator)
    made = again(day, settings, "loose")
    with working(settings) as runtime:
        drain(runtime)
    assert made.difference is not None
    assert (made.difference.asked, made.difference.anew) == (0, 0)
    assert made.difference.taken_over + made.difference.for_people == len(BODIES)
    assert requests(simulator) == before
    row = one(
        day,
        "SELECT sum(j.cost), count(*) FILTER (WHERE state IN ('answered', 'review'))"
        " FROM jobs AS j WHERE run_id = (SELECT max(id) FROM runs)",
    )
    assert tuple(row) == (0, len(BODIES))
    # What the answers stood on goes with them
    stood = (
        "SELECT DISTINCT knowledge_version, context_digest FROM attempts WHERE rule LIKE 'taken%'"
    )
    assert many(day, stood) == [("v1", "d1")]
    assert (
        many(day, "SELECT whole, shown FROM run_knowledge ORDER BY run_id")
        == [(True, {"returns#returns": "p1"})] * 2
    )


def test_tightening_asks_exactly_where_a_decision_changes(
    day: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # given
    changes = below(day, "0.9")
    before = requests(simulator)
    # when
    made = again(day, settings, "strict")
    with working(settings) as runtime:
        drain(runtime)
    # then
    assert made.difference is not None
    assert made.difference.asked == changes > 0
    first = one(
        day,
        "SELECT count(*) FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id"
        " WHERE j.run_id = (SELECT max(id) FROM runs) AND a.fence = 1 AND a.rule IS NULL",
    )[0]
    assert first == changes
    calls = one(
        day,
        "SELECT count(*), sum(c.cost) FROM calls AS c JOIN jobs AS j ON j.id = c.job_id"
        " WHERE j.run_id = (SELECT max(id) FROM runs)",
    )
    spent = one(day, "SELECT sum(cost) FROM jobs WHERE run_id = (SELECT max(id) FROM runs)")[0]
    assert requests(simulator) - before == calls[0]
    assert calls[1] == spent
    low = many(
        day,
        "SELECT s.confidence FROM results AS s JOIN jobs AS j ON j.id = s.job_id"
        " WHERE j.run_id = (SELECT max(id) FROM runs) AND s.accepted AND s.confidence < 0.9",
    )
    assert low == []
    assert unexplained(day, made.run) == []  # type: ignore[arg-type]


def test_what_is_taken_over_says_where_it_is_from(day: Engine, settings: Settings) -> None:
    again(day, settings, "loose")
    row = one(
        day,
        "SELECT a.rule, a.cost, s.reply = o.reply AS same FROM attempts AS a"
        " JOIN jobs AS j ON j.id = a.job_id JOIN results AS s ON s.job_id = j.id"
        " JOIN results AS o ON o.job_id = j.origin_id"
        " WHERE j.run_id = (SELECT max(id) FROM runs) AND s.tier = o.tier LIMIT 1",
    )
    assert row.rule.startswith("taken over from job ")
    assert (row.cost, row.same) == (0, True)


def test_what_the_record_cannot_decide_again_is_refused(day: Engine, settings: Settings) -> None:
    with pytest.raises(UsageError, match="differs from 'ladder' in accept"):
        again(day, settings, "other")


def test_a_message_without_an_answer_is_answered_anew(day: Engine, settings: Settings) -> None:
    with day.begin() as connection:
        from sqlalchemy import text

        connection.execute(text("UPDATE attempts SET outcome = 'failed' WHERE job_id = 1"))
    made = again(day, settings, "loose")
    assert replace(
        made.difference or PaidDifference(), taken_over=0, for_people=0
    ) == PaidDifference(anew=1)
