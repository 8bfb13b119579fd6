"""Look-ups on the way to an answer: asked before the claim, shown, and what follows when they bring
nothing."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from models.vocabulary import Lane
from tests.support.looking_up import functions, shop
from tests.support.nights import night, night_settings, rounds
from tests.support.promises import checked, many, one
from tests.support.works import drain, hand_in, make_due, settings_for, unexplained, working
from worker.config.settings import Settings
from worker.dashboard.screens import story
from worker.domain.receipt import Receipt, ShownPiece
from worker.sandbox.simulator.state import State
from worker.store.reading.receipts import receipt

QUERY = "SELECT customer_id, number, state FROM orders WHERE customer_id = :customer_id"
SEEN = {
    "match": {"purpose": "answer", "contains": "number: o-3\\nstate: lost"},
    "do": {"merge": {"reply": "Order o-3 is lost; you get your money back."}},
}
ANSWERS = "SELECT outcome, reasons, decision FROM attempts WHERE stage = 'answer' ORDER BY fence"


def wired(
    database_url: str, simulator: tuple[State, str], lookup: dict[str, Any], **more: Any
) -> Settings:
    policy = {"extends": "single:haiku", "context": {"lookups": ["orders"]}}
    made = night_settings if more.pop("batches", False) else settings_for
    return made(
        database_url, simulator[1], lookups={"orders": lookup}, policies={"acme": policy}, **more
    )


@pytest.mark.parametrize("lane", [Lane.REALTIME, Lane.BATCH])
def test_an_answer_stands_on_the_order_that_was_looked_up(
    lane: Lane, engine: Engine, database_url: str, simulator: tuple[State, str], tmp_path: Path
) -> None:
    simulator[0].moods.replace([SEEN])
    lookup = {"database_url": shop(tmp_path), "query": QUERY}
    settings = wired(database_url, simulator, lookup, batches=True)
    with night(settings) as (runtime, batches):
        run = hand_in(
            engine, settings, ["Where is my order?"], policy="acme", customer_id="c-2", lane=lane
        )
        if lane is Lane.BATCH:
            rounds(runtime, batches)
        else:
            drain(runtime)
    with engine.connect() as connection:
        found = receipt(connection, one(engine, "SELECT id FROM jobs")[0])
    assert found.result is not None
    assert found.result.reply == "Order o-3 is lost; you get your money back."
    shown = [ShownPiece(id="orders", text="number: o-3\nstate: lost")]
    assert found.attempts[-1].context == shown
    assert unexplained(engine, run) == []


def failing(settings: Settings, engine: Engine, *, name: str = "run") -> Receipt:
    hand_in(engine, settings, ["Where is it?"], policy="acme", customer_id="c-1", name=name)
    with working(settings) as runtime:
        drain(runtime)
        runtime.mind_lookups()
    with engine.connect() as connection:
        return receipt(connection, one(engine, "SELECT max(id) FROM jobs")[0])


def test_a_look_up_that_brings_nothing_is_waited_for(
    engine: Engine, database_url: str, simulator: tuple[State, str], tmp_path: Path
) -> None:
    # given: a database that is not there yet
    lookup = {"database_url": f"sqlite:///{tmp_path / 'shop.sqlite'}", "query": QUERY}
    settings = wired(database_url, simulator, lookup)
    found = failing(settings, engine)
    assert many(engine, ANSWERS) == [("deferred", ["lookup:orders"], "defer")]
    why = "look-up orders was refused by its database: SQLITE_CANTOPEN"
    words = f"It waits: {why}; it is tried again, and this cost no try."
    assert story.outcome(found.attempts[-1]) == words
    assert story.title(found.attempts[-1]) == "Nobody was asked to answer"
    assert one(engine, "SELECT count(*) FROM calls WHERE purpose = 'answer'")[0] == 0
    assert many(engine, "SELECT name, on_failure FROM lookup_failures") == [("orders", "wait")]

    # when: the database has come
    shop(tmp_path)
    with working(settings) as runtime:
        make_due(engine)
        drain(runtime)
    assert one(engine, "SELECT state, failures FROM jobs") == ("answered", 0)
    checked(engine, simulator)


@pytest.mark.parametrize("then", ["person", "without"])
def test_or_a_person_looks_or_it_goes_on_without(
    then: str, engine: Engine, database_url: str, simulator: tuple[State, str], tmp_path: Path
) -> None:
    lookup = {
        "path": f"{functions(tmp_path)}:shifted",
        "on_failure": then,
        "match": ["external_id"],
    }
    found = failing(wired(database_url, simulator, lookup), engine)
    if then == "person":
        assert (found.state, found.reason) == ("review", "lookup:orders")
        assert many(engine, ANSWERS) == [("failed", ["lookup:orders"], "review")]
        assert "because look-up orders brought a record without external_id" in (
            story.headline(found)
        )
    else:
        assert found.state == "answered"
        why = "brought a record without external_id, so nobody knows whose it is"
        shown = [
            ShownPiece(
                id="orders",
                text="Could not be looked up.",
                why_empty=f"{why}; it went on without",
            )
        ]
        assert found.attempts[-1].context == shown
    checked(engine, simulator)


def test_who_cannot_be_asked_about_goes_to_a_person_at_once_and_keeps_nobody_else(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given a query by number, and a row that has a word there; nothing else says what follows
    query = "SELECT CAST(:customer_id AS text) AS customer_id, CAST(:customer_id AS int) AS number"
    settings = wired(database_url, simulator, {"database_url": database_url, "query": query})
    for customer in ("7", "17x", "8"):
        hand_in(engine, settings, ["Where?"], policy="acme", customer_id=customer, name=customer)
    # when
    with working(settings) as runtime:
        drain(runtime)
    # then
    assert many(engine, "SELECT state, reason FROM jobs ORDER BY id") == [
        ("answered", None),
        ("review", "lookup:orders"),
        ("answered", None),
    ]
    with engine.connect() as connection:
        found = receipt(connection, one(engine, "SELECT id FROM jobs WHERE state = 'review'")[0])
    why = "look-up orders was refused by its database: invalid text representation"
    assert found.attempts[-1].findings == [
        {"validator": "lookup:orders", "severity": "warn", "finding": why}
    ]
    assert "17x" not in str(found.attempts)
    checked(engine, simulator)


def test_a_receipt_says_why_a_look_up_had_nothing_to_say(
    engine: Engine, database_url: str, simulator: tuple[State, str], tmp_path: Path
) -> None:
    lookup = {"database_url": shop(tmp_path), "query": QUERY}
    settings = wired(database_url, simulator, lookup)
    for customer in ("c-9", None):
        hand_in(
            engine, settings, ["Where?"], policy="acme", customer_id=customer, name=str(customer)
        )
    with working(settings) as runtime:
        drain(runtime)
    with engine.connect() as connection:
        jobs = [job for (job,) in many(engine, "SELECT id FROM jobs ORDER BY id")]
        shown = [receipt(connection, job).hidden().attempts[-1].context for job in jobs]
    assert [[(one.text, one.why_empty) for one in pieces] for pieces in shown] == [
        [(None, "answered: nothing is known")],
        [(None, "knows nothing, for the row has no customer_id")],
    ]
    checked(engine, simulator)
