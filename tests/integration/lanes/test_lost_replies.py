"""A backend of Postgres ends, once at each place, under what workers, people and intakes do: done
again, as whoever met the outage does it, each comes to what it would have come to without."""

import datetime as dt
import io
import json
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from models.vocabulary import Lane, Verdict
from tests.integration.lanes.upkeep.test_deliver import LOW, Receiver, made_for, receiver
from tests.integration.lanes.upkeep.test_notify import Webhook, noted, posting_to, webhook
from tests.support.each_place import REPLIES, EachPlace
from tests.support.nights import night, night_settings, rounds
from tests.support.promises import BODY, ME, checked, do, many, one, requests
from tests.support.works import drain, hand_in, make_due, working
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.intake.handover import Handover
from worker.intake.reader import ReadingOptions
from worker.intake.terms import terms_for
from worker.lanes.realtime import recorder, unheard
from worker.lanes.upkeep.notifier import Notifier
from worker.sandbox.simulator.state import State
from worker.store.actions import changes
from worker.store.actions.reviews import Judged, give_verdict
from worker.store.actions.selection import whole
from worker.store.engine import make_engine
from worker.store.queue.expire import expire

__all__ = ["receiver", "webhook"]
OPEN = "SELECT count(*) FROM jobs WHERE finished_at IS NULL"
STATES = "SELECT state, count(*) FROM jobs GROUP BY 1"
LEDGER = "SELECT count(*), count(DISTINCT (job_id, purpose)) FROM calls WHERE state = 'done'"


@pytest.fixture
def beside(database_url: str) -> Iterator[Engine]:
    """An engine that nobody ends a backend of."""
    made = make_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def settings(
    database_url: str, simulator: tuple[State, str], monkeypatch: pytest.MonkeyPatch
) -> Settings:
    monkeypatch.setattr(unheard, "OUTAGE_WAIT_S", 0.01)
    monkeypatch.setattr(recorder, "RETRY_S", 0.01)
    return night_settings(database_url, simulator[1], canary={"enabled": True})


def test_routing_and_canaries_whose_replies_are_lost(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    with working(settings) as runtime:
        hand_in(engine, settings, BODY * 8, policy="route")
        story = EachPlace(runtime.engine, engine, REPLIES)

        def step() -> None:
            do(engine, "UPDATE dispatches SET dispatched_at = now() - interval '61 seconds'")
            make_due(engine)
            drain(runtime)

        story.until_done(step)
        for _ in range(5):
            if one(engine, OPEN)[0]:
                step()
    assert len(story.ended) > 8, story.ended
    assert many(engine, STATES) == [("answered", 8)]
    checked(engine, simulator)
    # one label serves all, and each message is answered once
    assert one(engine, LEDGER) == (requests(simulator), 9)
    assert requests(simulator) == 9
    assert many(engine, "SELECT good, bad FROM canaries ORDER BY 1") == [(1, 0), (5, 0)]


def test_batches_whose_replies_are_lost(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    with night(settings) as (runtime, lane):
        hand_in(engine, settings, BODY * 3, policy="route", lane=Lane.BATCH)
        story = EachPlace(runtime.engine, engine, REPLIES)
        story.until_done(lambda: rounds(runtime, lane))
    assert len(story.ended) > 15, story.ended
    assert many(engine, STATES) == [("answered", 3)]
    assert one(engine, LEDGER) == (6, 6)
    assert sum(simulator[0].counts.batch_items.values()) == 6
    assert many(engine, "SELECT state, error FROM message_batches") == [("recorded", None)] * 2


def test_an_expiry_and_a_cancel_that_are_repeated(
    engine: Engine, beside: Engine, settings: Settings
) -> None:
    first = hand_in(engine, settings, BODY * 2, name="first")
    story = EachPlace(engine, beside)
    story.until_done(lambda: changes.apply(engine, ME, changes.CANCEL, whole(first)))
    assert len(story.ended) > 6, story.ended
    hand_in(engine, settings, BODY * 2, name="second")
    story.until_done(lambda: expire(engine, dt.timedelta(0)))
    assert sorted(many(engine, STATES)) == [("cancelled", 2), ("dead", 2)]
    assert one(engine, "SELECT max(affected) FROM audit_events")[0] == 2
    assert one(engine, "SELECT state FROM runs WHERE name = 'first'")[0] == "cancelled"


def test_deliveries_arrive_all_the_same_and_are_known_by_their_ids(
    engine: Engine, beside: Engine, settings: Settings, receiver: Receiver
) -> None:
    deliverer = made_for(engine, receiver)
    hand_in(engine, settings, BODY * 2, policy="single:haiku")
    with working(settings) as runtime:
        drain(runtime)
    story = EachPlace(engine, beside)

    def step() -> None:
        do(beside, "UPDATE deliveries SET next_try_at = now() WHERE state = 'waiting'")
        deliverer.deliver_due()

    story.until_done(step)
    assert len(story.ended) > 8, story.ended
    assert many(engine, "SELECT state, revision FROM deliveries") == [("delivered", 1)] * 2
    assert {headers["webhook-id"] for headers, _ in receiver.posts} == {"1.1", "2.1"}


def test_a_verdict_that_is_given_again_counts_once(
    engine: Engine, beside: Engine, settings: Settings, simulator: tuple[State, str],
    receiver: Receiver,
) -> None:  # fmt: skip
    made_for(engine, receiver)
    simulator[0].moods.replace([LOW])
    hand_in(engine, settings, BODY, policy="single:haiku")
    with working(settings) as runtime:
        drain(runtime)
    story = EachPlace(engine, beside)
    mine = Judged(job_id=1, verdict=Verdict.ACCEPT, known=0)
    story.until_done(lambda: give_verdict(engine, ME, mine))
    assert len(story.ended) > 6, story.ended
    assert many(engine, "SELECT DISTINCT verdict, reviewer FROM reviews") == [("accept", ME.name)]
    assert many(engine, "SELECT state FROM deliveries") == [("waiting",)]


def test_a_notice_is_heard_once(engine: Engine, beside: Engine, webhook: Webhook) -> None:
    for key in "1234":
        noted(engine, key)
    story = EachPlace(engine, beside)
    story.until_done(Notifier(engine, posting_to(webhook.url)).send_all)
    assert len(story.ended) == 6, story.ended
    # what was taken, and nobody heard of it, was given back
    assert sorted(told["id"] for told in webhook.posted) == [1, 2, 3, 4]
    assert many(engine, "SELECT DISTINCT tries FROM notices") == [(1,)]


@pytest.mark.parametrize("key", ["backlog-1", None])
def test_a_file_that_is_submitted_again_adds_nothing_twice(
    key: str | None, engine: Engine, beside: Engine, settings: Settings
) -> None:
    rows = "".join(
        json.dumps({"external_id": f"m{n}", "body": f"Where is {n}?"}) + "\n"
        for n in (*range(20), 3)
    )
    terms = terms_for(
        settings, policy_named(settings, None), lane=None, budget=None, usual_name="day",
        name="day" if key else None, source=None, priority=0, deadline=None, key=key, again=False,
    )  # fmt: skip
    story = EachPlace(engine, beside, REPLIES)

    def step() -> None:
        file = ("day.jsonl", io.BytesIO(rows.encode()))
        Handover(terms, ReadingOptions(), engine, by=ME).take([file])

    story.until_done(step)
    assert len(story.ended) >= 3, story.ended
    assert many(engine, STATES) == [("queued", 20)]
    assert one(engine, "SELECT count(*), count(DISTINCT external_id) FROM messages") == (20, 20)
    assert one(engine, "SELECT count(DISTINCT run_id) FROM jobs")[0] == 1
