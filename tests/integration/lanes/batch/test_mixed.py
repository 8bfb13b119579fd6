"""The mixed lane: what is easy at once at the full price, what climbs in batches at half of it."""

from decimal import Decimal

from sqlalchemy import Engine

from models.vocabulary import RunLane
from tests.support.nights import night, night_settings, rounds
from tests.support.promises import many, one
from tests.support.receipts import receipt
from tests.support.works import drain, hand_in, unexplained
from worker.sandbox.simulator.state import State

EASY = [f"Where is card number {n}?" for n in range(12)]
HARD = [
    f"Complaint {n}: your app charged me twice, support promised a refund three weeks ago, nothing"
    " came, and now a fee was taken as well. I want a full explanation, my money, and I will go to"
    " the regulator. Also, why was my brother's card blocked on the same day? " * 3
    for n in range(12)
]


def test_what_climbs_goes_at_half_price_and_the_rest_at_once(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given
    settings = night_settings(database_url, simulator[1])
    run = hand_in(engine, settings, EASY + HARD, policy="ladder", lane=RunLane.MIXED)
    assert one(engine, "SELECT DISTINCT lane FROM jobs")[0] == "realtime"
    # when
    with night(settings) as (runtime, lane):
        drain(runtime)
        left = one(engine, "SELECT count(*) FROM jobs WHERE finished_at IS NULL")[0]
        rounds(runtime, lane)
    # then
    lanes = {
        (row.tier, row.lane)
        for row in many(engine, "SELECT tier, lane FROM attempts WHERE stage = 'answer'")
    }
    assert 0 < left < len(EASY + HARD)
    assert ("haiku", "realtime") in lanes
    assert lanes <= {("haiku", "realtime"), ("sonnet", "batch"), ("opus", "batch")}
    assert unexplained(engine, run) == []


def test_the_bill_of_a_mixed_run_adds_up(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    settings = night_settings(database_url, simulator[1])
    hand_in(engine, settings, HARD, policy="ladder", lane=RunLane.MIXED)
    with night(settings) as (runtime, lane):
        drain(runtime)
        rounds(runtime, lane)
    spent = one(engine, "SELECT sum(spent) FROM budgets WHERE run_id IS NOT NULL")[0]
    with engine.connect() as connection:
        total = sum(
            (receipt(connection, n)["total_usd"] for n in range(1, len(HARD) + 1)), Decimal(0)
        )
    assert total == spent
