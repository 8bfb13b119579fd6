"""Answers that may go out reach a webhook: all of them, signed, at least once, and nothing else."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from models.vocabulary import Verdict
from rung.webhooks import is_signed
from tests.support.promises import ME, do, many, one
from tests.support.wire import serving
from tests.support.works import drain, hand_in, settings_for, working
from worker.config.doors import DeliverSettings
from worker.config.settings import Settings
from worker.lanes.upkeep.deliverer import Deliverer, ReceiverSaid, wait_s
from worker.sandbox.simulator.state import State
from worker.store.actions import redeliveries
from worker.store.actions.reviews import Judged, give_verdict
from worker.store.queue import deliveries

SECRET = "whsec_c2VjcmV0IG9mIHRoZSBoZWxwZGVzaw=="
NAME = "helpdesk"
LOW = {"match": {"purpose": "answer"}, "do": {"merge": {"confidence": 0.1}}}


@dataclass(slots=True)
class Receiver:
    """A helpdesk that notes what it is told."""

    url: str = ""
    status: int = 200
    retry_after: str | None = None
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def data(self) -> list[dict[str, Any]]:
        """The answers that were posted."""
        return [json.loads(body)["data"] for _, body in self.posts]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            told.posts.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(told.status)
            if told.retry_after is not None:
                self.send_header("retry-after", told.retry_after)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as url:
        told.url = f"{url}/hook?token=hidden"
        yield told


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1])


@pytest.fixture
def deliverer(engine: Engine, receiver: Receiver) -> Iterator[Deliverer]:
    made = made_for(engine, receiver)
    yield made
    made.stop()


def made_for(engine: Engine, receiver: Receiver, *, simulated: bool = True) -> Deliverer:
    """A deliverer whose target is announced, without its thread."""
    target = DeliverSettings(
        url=SecretStr(receiver.url), secret=SecretStr(SECRET), simulated=simulated
    )
    deliveries.announce(engine, {NAME: simulated})
    return Deliverer(engine, {NAME: target})


def answered(engine: Engine, settings: Settings, bodies: list[str]) -> None:
    """Messages that were submitted and worked through."""
    hand_in(engine, settings, bodies)
    with working(settings) as runtime:
        drain(runtime)


def states(engine: Engine) -> list[tuple[Any, ...]]:
    rows = many(engine, "SELECT job_id, state, tries, error FROM deliveries ORDER BY 1")
    return [tuple(row) for row in rows]


def test_every_accepted_answer_is_posted_once_and_signed(
    engine: Engine, settings: Settings, deliverer: Deliverer, receiver: Receiver
) -> None:
    # given
    answered(engine, settings, ["Where is my card?", "How do I close my account?"])
    # when
    assert deliverer.deliver_due() == 2
    assert deliverer.deliver_due() == 0
    # then
    assert states(engine) == [(1, "delivered", 1, None), (2, "delivered", 1, None)]
    replies = dict(many(engine, "SELECT job_id, reply FROM results"))
    assert {data["job"]: data["send"] for data in receiver.data} == replies
    assert all(data["simulated"] and data["verdict"] == "accepted" for data in receiver.data)
    for headers, body in receiver.posts:
        at, named = int(headers["webhook-timestamp"]), headers["webhook-id"]
        assert is_signed(SECRET, named, at, body, headers["webhook-signature"], at)
        assert headers["idempotency-key"] == named.partition(".")[0]


def test_simulated_answers_go_nowhere_unless_asked_for(
    engine: Engine, settings: Settings, receiver: Receiver
) -> None:
    deliverer = made_for(engine, receiver, simulated=False)
    answered(engine, settings, ["Where is my card?"])
    assert deliverer.deliver_due() == 0
    assert (states(engine), receiver.posts) == ([], [])
    deliverer.stop()


def test_what_waits_for_a_person_goes_out_with_the_verdict_and_as_it_says(
    engine: Engine,
    settings: Settings,
    deliverer: Deliverer,
    receiver: Receiver,
    simulator: tuple[State, str],
) -> None:
    # given
    simulator[0].moods.replace([LOW])
    answered(engine, settings, ["one", "two", "three"])
    assert deliverer.deliver_due() == 0
    # when
    give_verdict(engine, ME, Judged(job_id=1, verdict=Verdict.ACCEPT))
    give_verdict(engine, ME, Judged(job_id=2, verdict=Verdict.EDIT, reply="Our own words."))
    give_verdict(engine, ME, Judged(job_id=3, verdict=Verdict.REJECT, reason="wrong"))
    deliverer.deliver_due()
    # then
    best = one(engine, "SELECT reply FROM results WHERE job_id = 1")[0]
    assert {data["job"]: data["send"] for data in receiver.data} == {1: best, 2: "Our own words."}


def test_a_later_word_is_another_delivery_and_a_rejection_takes_back_what_waits(
    engine: Engine,
    settings: Settings,
    deliverer: Deliverer,
    receiver: Receiver,
    simulator: tuple[State, str],
) -> None:
    simulator[0].moods.replace([LOW])
    answered(engine, settings, ["one"])
    give_verdict(engine, ME, Judged(job_id=1, verdict=Verdict.ACCEPT))
    deliverer.deliver_due()
    give_verdict(engine, ME, Judged(job_id=1, verdict=Verdict.EDIT, reply="Better."))
    deliverer.deliver_due()
    give_verdict(engine, ME, Judged(job_id=1, verdict=Verdict.ACCEPT))
    give_verdict(engine, ME, Judged(job_id=1, verdict=Verdict.REJECT, reason="no"))
    deliverer.deliver_due()
    assert [headers["webhook-id"] for headers, _ in receiver.posts] == ["1.1", "1.2"]
    assert receiver.data[1]["send"] == "Better."
    assert states(engine)[0][1] == "withdrawn"


def test_a_receiver_out_of_order_is_tried_again_for_a_day_and_then_seen_as_dead(
    engine: Engine,
    settings: Settings,
    deliverer: Deliverer,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answered(engine, settings, ["one"])
    receiver.status = 503
    deliverer.deliver_due()
    assert states(engine) == [(1, "waiting", 1, "HTTP 503")]
    assert deliverer.deliver_due() == 0, "not before its time"
    do(engine, "UPDATE deliveries SET next_try_at = now(), created_at = now() - interval '25 h'")
    deliverer.deliver_due()
    assert states(engine) == [(1, "dead", 2, "HTTP 503")]
    with engine.connect() as connection:
        (line,) = deliveries.standing(connection)
    assert (line.waiting, line.dead) == (0, 1)
    # and what is dead can be sent again
    receiver.status = 204
    assert redeliveries.replay(engine, ME, NAME, dead=True) == 1
    deliverer.deliver_due()
    assert states(engine)[0][1] == "delivered"
    assert len({headers["webhook-id"] for headers, _ in receiver.posts}) == 1
    assert "hidden" not in caplog.text + str([vars(record) for record in caplog.records])


def test_nobody_at_the_address_and_a_receiver_that_is_gone(
    engine: Engine, settings: Settings, deliverer: Deliverer, receiver: Receiver
) -> None:
    answered(engine, settings, ["one"])
    nowhere = DeliverSettings(url=SecretStr("http://127.0.0.1:1/"))
    other = Deliverer(engine, {NAME: nowhere})
    other.deliver_due()
    other.stop()
    assert states(engine) == [(1, "waiting", 1, "ConnectError")]
    do(engine, "UPDATE deliveries SET next_try_at = now()")
    receiver.status = 410
    deliverer.deliver_due()
    with engine.connect() as connection:
        (line,) = deliveries.standing(connection)
    assert (line.paused_by, "gone" in line.paused_reason, line.waiting) == ("rung", True, 1)


def test_a_paused_target_waits_and_loses_nothing(
    engine: Engine, settings: Settings, deliverer: Deliverer, receiver: Receiver
) -> None:
    assert deliveries.pause(engine, ME, NAME, "moving")
    assert not deliveries.pause(engine, ME, NAME, "again")
    answered(engine, settings, ["one"])
    assert deliverer.deliver_due() == 0
    assert deliveries.resume(engine, ME, NAME)
    assert not deliveries.resume(engine, ME, NAME)
    assert deliverer.deliver_due() == 1
    assert len(receiver.posts) == 1
    assert (
        one(engine, "SELECT count(*) FROM audit_events WHERE target = 'delivery helpdesk'")[0] == 2
    )


def test_two_workers_never_have_the_same_delivery_and_a_dead_one_leaves_it(
    engine: Engine, settings: Settings, deliverer: Deliverer
) -> None:
    answered(engine, settings, ["one", "two", "three"])
    first = deliveries.take(engine, [NAME], 2)
    second = deliveries.take(engine, [NAME], 2)
    assert sorted(taken.job_id for taken in (*first, *second)) == [1, 2, 3]
    assert deliveries.take(engine, [NAME], 9) == []
    do(engine, "UPDATE deliveries SET next_try_at = now() - interval '1 s'")
    assert len(deliveries.take(engine, [NAME], 9)) == 3


def test_which_status_says_that_an_answer_was_taken() -> None:
    told = {status: ReceiverSaid(status, None).is_success for status in (199, 200, 299, 300)}
    assert told == {199: False, 200: True, 299: True, 300: False}


def test_what_was_forgotten_is_not_sent(
    engine: Engine, settings: Settings, deliverer: Deliverer, receiver: Receiver
) -> None:
    answered(engine, settings, ["one"])
    do(engine, "UPDATE messages SET erased_at = now()")
    deliverer.deliver_due()
    assert (states(engine)[0][1], receiver.posts) == ("withdrawn", [])


def test_targets_that_left_the_configuration_get_nothing_more(
    engine: Engine, settings: Settings, deliverer: Deliverer
) -> None:
    deliveries.announce(engine, {"another": True})
    answered(engine, settings, ["one"])
    assert [row.target for row in many(engine, "SELECT target FROM deliveries")] == ["another"]
    deliveries.announce(engine, {})
    with engine.connect() as connection:
        assert not any(line.enabled for line in deliveries.standing(connection))


@pytest.mark.parametrize(
    ("tries", "retry_after", "least", "most"),
    [
        (1, None, 4.5, 5.5),
        (2, None, 13.5, 16.5),
        (99, None, 3_239, 3_961),
        (1, "60", 60, 60),
        (1, "999999", 3_600, 3_600),
        (1, "soon", 4.5, 5.5),
    ],
)
def test_tries_are_further_and_further_apart(
    tries: int, retry_after: str | None, least: float, most: float
) -> None:
    for jitter in (0.0, 0.5, 1.0):
        assert least <= wait_s(tries, retry_after, jitter) <= most
    ends = [wait_s(tries, retry_after, jitter) for jitter in (0.0, 1.0)]
    assert ends == [pytest.approx(least, rel=0.01), pytest.approx(most, rel=0.01)], "by chance"
