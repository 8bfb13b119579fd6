"""What a policy shows beside the message: seen by the model in both lanes, kept once, in the
receipt, replayed from the record, and gone with the message."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from models.vocabulary import Lane
from tests.support.cli import say
from tests.support.nights import night, night_settings, rounds
from tests.support.promises import checked, many, one
from tests.support.works import drain, hand_in, settings_for, unexplained, working
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.policy import Policy
from worker.domain.policy_documents import from_document, to_document
from worker.domain.receipt import Receipt, ShownPiece
from worker.sandbox.simulator.state import State
from worker.store.reading.receipts import receipt
from worker.store.runs import find_run

ROW = {"plan": "gold-4711", "history": [{"who": "agent", "text": "It left on Monday."}]}
SEEN = {
    "match": {"purpose": "answer", "contains": "plan: gold-4711\\n</shown_context_"},
    "do": {"merge": {"reply": "As a gold customer you wait for a day."}},
}
SHOWING = {"context": {"fields": ["plan"], "history": True}}


@pytest.fixture(autouse=True)
def _here(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


def showing(settings: Settings, preset: str = "ladder") -> Policy:
    own = {"acme": {"extends": preset, **SHOWING}}
    return policy_named(settings.model_copy(update={"policies": own}), "acme")


def answered(engine: Engine) -> list[Receipt]:
    with engine.connect() as connection:
        return [receipt(connection, row.id) for row in many(engine, "SELECT id FROM jobs")]


@pytest.mark.parametrize("lane", [Lane.REALTIME, Lane.BATCH])
def test_the_model_sees_it_and_the_receipt_shows_it(
    lane: Lane, engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given: an answer that only a model gives which was shown the row's column
    simulator[0].moods.replace([SEEN])
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, batches):
        run = hand_in(
            engine, settings, ["Where is it?"], policy=showing(settings, "single:haiku"),
            lane=lane, metadata=ROW,
        )  # fmt: skip
        if lane is Lane.BATCH:
            rounds(runtime, batches)
        else:
            drain(runtime)

    # then: the answer stands on it, and the receipt shows it to whoever may read text
    (found,) = answered(engine)
    assert found.result is not None
    assert found.result.reply == "As a gold customer you wait for a day."
    route, answer = found.attempts
    assert route.context == []
    assert answer.context == [
        ShownPiece(id="row", text="plan: gold-4711"),
        ShownPiece(id="thread", text="[agent] It left on Monday."),
    ]
    shown = say("show", "run/run-0", "--text").out
    assert "gold-4711" in shown
    assert "gold-4711" not in say("show", "run/run-0").out
    hidden = found.hidden().attempts[1].context
    assert [piece.text for piece in hidden] == [None, None]

    # then: it is explained by the record
    assert unexplained(engine, run) == []
    if lane is Lane.REALTIME:
        checked(engine, simulator)


def test_it_is_kept_once_for_a_message_and_erased_with_it(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given: a message that climbs, so that three attempts are shown the same, and another's
    low = {"match": {"purpose": "answer"}, "do": {"merge": {"confidence": 0.1}}}
    simulator[0].moods.replace([low])
    settings = settings_for(database_url, simulator[1])
    policy = replace(showing(settings), start=replace(policy_start(settings), otherwise="haiku"))
    for customer in ("c-1", "c-2"):
        hand_in(
            engine, settings, ["Where is it?"], name=customer, policy=policy, metadata=ROW,
            customer_id=customer,
        )  # fmt: skip
    with working(settings) as runtime:
        drain(runtime)
    assert one(engine, "SELECT count(*), count(context_digest) FROM attempts WHERE tier <> ''") == (
        6,
        6,
    )
    assert one(engine, "SELECT count(*), count(DISTINCT digest) FROM contexts") == (2, 1)

    # when
    assert say("forget", "--customer", "c-1", "--yes").code == 0

    # then: nothing says any more what was shown of this one, and the other's stays
    left = "SELECT count(*) FROM contexts AS c JOIN messages AS m ON m.id = c.message_id"
    assert one(engine, f"{left} WHERE m.erased_at IS NOT NULL")[0] == 0
    assert one(engine, f"{left} WHERE m.customer_id = 'c-2'")[0] == 1
    assert one(engine, "SELECT count(context_digest) FROM attempts")[0] == 3


def policy_start(settings: Settings) -> Any:
    return policy_named(settings, "ladder").start


def test_a_separate_check_is_shown_it_too(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    contains = "plan: gold-4711\\n</shown_context_"
    simulator[0].moods.replace(
        [
            {"match": {"purpose": "check", "contains": contains}, "do": {"text": "HIGH"}},
            {"match": {"purpose": "check"}, "do": {"text": "LOW"}},
        ]
    )
    settings = settings_for(database_url, simulator[1])
    hand_in(engine, settings, ["Where?"], policy=showing(settings, "escalate"), metadata=ROW)
    with working(settings) as runtime:
        drain(runtime)
    assert one(engine, "SELECT state, tier FROM jobs") == ("answered", "haiku")


def test_a_policy_that_shows_nothing_keeps_its_version(database_url: str) -> None:
    settings = settings_for(database_url, "http://127.0.0.1:1")
    own = settings.model_copy(update={"policies": {"mine": {"context": {}}}})
    assert "context" not in to_document(policy_named(own, "mine"))


def test_a_run_freezes_what_it_shows(engine: Engine, database_url: str) -> None:
    settings = settings_for(database_url, "http://127.0.0.1:1")
    hand_in(engine, settings, ["Where?"], policy=showing(settings))
    with engine.connect() as connection:
        frozen = from_document(find_run(connection, "run").policy)
    assert (frozen.context.fields, frozen.context.history) == (("plan",), True)
