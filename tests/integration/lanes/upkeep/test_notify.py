"""People are told of trouble by a webhook: once each, without text, and never for ever."""

import datetime as dt
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.promises import BODY, do, one
from tests.support.waiting import eventually
from tests.support.wire import serving
from tests.support.works import drain, hand_in, settings_for, working
from worker.config.doors import NotifySettings
from worker.config.loading import load_settings
from worker.errors import ConfigurationError
from worker.lanes.upkeep.couriers import Courier, couriers_of, plain_in_slack, subject_of
from worker.lanes.upkeep.deadlines import watch_deadlines
from worker.lanes.upkeep.housekeeping import Housekeeping
from worker.lanes.upkeep.notifier import AGAIN_AFTER_S, TRIES, Notifier
from worker.sandbox.simulator.state import State
from worker.store.queue.notices import TakenNotice, note


@dataclass
class Webhook:
    """What was posted, and what is to be answered: a status, or None to hang up."""

    url: str = ""
    status: int | None = 200
    location: str | None = None
    posted: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    """Requests of any kind."""


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with _served(Webhook()) as found:
        yield found


@contextmanager
def _served(webhook: Webhook) -> Iterator[Webhook]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            webhook.asked += 1

        def do_POST(self) -> None:
            webhook.asked += 1
            body = self.rfile.read(int(self.headers["content-length"]))
            webhook.posted.append(json.loads(body))
            if webhook.status is None:
                self.close_connection = True
                return
            self.send_response(webhook.status)
            self.send_header("content-length", "0")
            if webhook.location is not None:
                self.send_header("location", webhook.location)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with serving(Handler) as url:
        webhook.url = f"{url}/hook?token=hidden"
        yield webhook


def posting_to(url: str, **more: Any) -> list[Courier]:
    return couriers_of(NotifySettings.model_validate({"url": url, **more}))


def noted(engine: Engine, key: str = "1") -> None:
    with engine.begin() as connection:
        note(
            connection,
            "paused",
            key=key,
            target="haiku",
            words="The queue haiku is paused: 401.",
            reason="401",
        )


def kinds(webhook: Webhook) -> list[str]:
    return [document["kind"] for document in webhook.posted]


def test_an_event_is_told_once_however_many_send(engine: Engine, webhook: Webhook) -> None:
    # Given an event that two workers noted, and three that send
    noted(engine)
    noted(engine)
    senders = [Notifier(engine, posting_to(webhook.url)) for _ in range(3)]
    threads = [threading.Thread(target=sender.send_all) for sender in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Then it is posted once, as JSON with what a chat program and a program need
    (document,) = webhook.posted
    assert set(document) == {"id", "kind", "target", "text", "detail", "at"}
    assert document["text"] == "Rung: The queue haiku is paused: 401."
    assert (document["kind"], document["target"]) == ("paused", "haiku")
    assert document["detail"] == {"reason": "401"}
    assert senders[0].send_all() == 0


def test_what_is_refused_is_tried_again_and_given_up(
    engine: Engine, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a webhook that is out of order
    webhook.status = 503
    noted(engine)
    sender = Notifier(engine, posting_to(webhook.url))
    # When much time goes by
    with caplog.at_level(logging.WARNING):
        for _ in range(3 * TRIES):
            sender.send_all()
            do(engine, "UPDATE notices SET next_try_at = now()")
    # Then it was tried three times, every failure was logged, and it is over
    assert len(webhook.posted) == TRIES
    told = [record for record in caplog.records if record.msg == "notice not sent"]
    waits = [vars(record)["again_in_s"] for record in told]
    assert waits == [AGAIN_AFTER_S, 2 * AGAIN_AFTER_S, None]
    assert one(engine, "SELECT tries, error, ended_at IS NOT NULL FROM notices") == (
        TRIES,
        "HTTP 503",
        True,
    )
    # And its address, which may hold a secret, is in no log
    assert "hidden" not in caplog.text + str([vars(record) for record in caplog.records])


@pytest.mark.parametrize("status", [404, None])
def test_what_may_have_arrived_or_never_will_is_not_repeated(
    engine: Engine, webhook: Webhook, status: int | None
) -> None:
    webhook.status = status
    noted(engine)
    sender = Notifier(engine, posting_to(webhook.url))
    sender.send_all()
    do(engine, "UPDATE notices SET next_try_at = now()")
    sender.send_all()
    assert len(webhook.posted) == 1


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_receiver_does_not_lead_a_worker_elsewhere(
    engine: Engine, webhook: Webhook, status: int
) -> None:
    with _served(Webhook()) as inside:
        webhook.status, webhook.location = status, inside.url
        noted(engine)
        assert Notifier(engine, posting_to(webhook.url)).send_all() == 0
        assert inside.asked == 0
    assert one(engine, "SELECT error FROM notices") == (f"HTTP {status}",)


def test_a_webhook_that_comes_back_hears_of_it(engine: Engine, webhook: Webhook) -> None:
    # Given nobody who listens
    noted(engine)
    assert Notifier(engine, posting_to("http://127.0.0.1:1/")).send_all() == 0
    assert one(engine, "SELECT tries, error, ended_at FROM notices") == (
        1,
        "ConnectionRefusedError",
        None,
    )
    # When the webhook is there again, and the wait is over
    sender = Notifier(engine, posting_to(webhook.url))
    assert sender.send_all() == 0
    do(engine, "UPDATE notices SET next_try_at = now()")
    # Then it hears of the event
    assert sender.send_all() == 1
    assert kinds(webhook) == ["paused"]


def test_old_news_is_not_sent(engine: Engine, webhook: Webhook) -> None:
    noted(engine)
    do(engine, "UPDATE notices SET at = now() - interval '2 hours'")
    assert Notifier(engine, posting_to(webhook.url)).send_all() == 0


def test_ends_of_runs_are_not_sent_where_nobody_wants_them(
    engine: Engine, webhook: Webhook
) -> None:
    with engine.begin() as connection:
        note(connection, "finished", key="f", target="run day", words="It has ended.")
    assert Notifier(engine, posting_to(webhook.url, finished=False)).send_all() == 0
    assert webhook.posted == []


def test_a_deadline_at_risk_is_noted_once(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # Given a run with most of its time gone by, and nothing done
    settings = settings_for(database_url, simulator[1])
    hand_in(engine, settings, BODY * 3)
    do(
        engine,
        "UPDATE runs SET created_at = now() - interval '1 h', deadline = now() + interval '5 m'",
    )
    # When housekeeping looks twice
    assert [watch_deadlines(engine, settings) for _ in range(2)] == [1, 0]
    # Then there is one notice
    kind, target, words = one(engine, "SELECT kind, target, words FROM notices")
    assert (kind, target) == ("deadline_at_risk", "run run")
    assert words.endswith("half of the time is over, and none of 3 jobs is done.")


def test_housekeeping_tells_of_a_pause_without_text(
    engine: Engine, database_url: str, simulator: tuple[State, str], webhook: Webhook
) -> None:
    # Given a worker with a webhook, and a key that Claude refuses
    planted = "zanzibar-4711"
    settings = settings_for(
        database_url,
        simulator[1],
        policy={"preset": "single:haiku"},
        notify={"url": webhook.url},
    )
    simulator[0].moods.replace([{"do": {"status": 401}}])
    hand_in(engine, settings, [f"Where is {planted}?"])
    with working(settings) as runtime:
        housekeeping = Housekeeping(runtime, ["routing", "haiku"], lambda _: None)
        # When it meets the refusal (before housekeeping, which dispatches too, takes the job)
        drain(runtime)
        housekeeping.start()
        # Then the webhook hears that the tier is paused, and why
        eventually(lambda: kinds(webhook) == ["paused"])
        housekeeping.stop()
    (document,) = webhook.posted
    assert document["target"] == "haiku"
    assert "401" in document["text"]
    assert planted not in json.dumps(webhook.posted)


def test_only_a_web_address_is_taken_and_it_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings({"RUNG_NOTIFY__URL": "file:///etc/passwd"}, tmp_path)
    assert "https://" in str(refused.value)
    assert "passwd" not in str(refused.value)


def test_slack_is_known_by_its_address_and_gets_the_text_alone(
    engine: Engine, webhook: Webhook
) -> None:
    slack = NotifySettings.model_validate({"url": "https://hooks.slack.com/services/T/B/x"})
    assert slack.posts_text_alone
    assert not NotifySettings.model_validate({"url": webhook.url}).posts_text_alone
    noted(engine)
    Notifier(engine, posting_to(webhook.url, format="slack")).send_all()
    assert webhook.posted == [{"text": "Rung: The queue haiku is paused: 401."}]


def test_a_runs_name_calls_nobody_in_slack_and_adds_no_header_to_a_mail() -> None:
    assert plain_in_slack("<!channel> & <https://evil.example|resume>") == (
        "&lt;!channel&gt; &amp; &lt;https://evil.example|resume&gt;"
    )
    at, target = dt.datetime(2026, 11, 1, tzinfo=dt.UTC), "run a\r\nBcc: all@evil.example"
    notice = TakenNotice(id=1, kind="paused", target=target, words="", detail={}, at=at, tries=1)
    assert subject_of(notice) == "Rung: paused, run a Bcc: all@evil.example"


def test_in_slack_words_are_plain(engine: Engine, webhook: Webhook) -> None:
    with engine.begin() as connection:
        note(connection, "paused", key="1", target="run x", words="Run <!here> is paused: 1 > 0.")
    Notifier(engine, posting_to(webhook.url, format="slack")).send_all()
    assert webhook.posted == [{"text": "Rung: Run &lt;!here&gt; is paused: 1 &gt; 0."}]
