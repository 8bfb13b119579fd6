"""People are told that a run is over, with what came of it: by webhook and by mail."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.mailbox import Mailbox, mail_server
from tests.support.promises import BODY, do, one
from tests.support.works import drain, hand_in, settings_for, working
from worker.config.doors import NotifySettings
from worker.config.loading import load_settings
from worker.errors import ConfigurationError, UsageError
from worker.intake.terms import mail_addresses
from worker.lanes.upkeep.couriers import couriers_of
from worker.lanes.upkeep.notifier import TRIES, Notifier
from worker.sandbox.simulator.state import State
from worker.store.queue.notices import note
from worker.store.queue.run_ends import finish_runs


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


def mailing(mailbox: Mailbox, **more: Any) -> NotifySettings:
    server = {"smtp_host": "127.0.0.1", "smtp_port": mailbox.port, "smtp_tls": "none"}
    return NotifySettings.model_validate({**server, **more})


def sender(engine: Engine, settings: NotifySettings) -> Notifier:
    return Notifier(engine, couriers_of(settings))


def test_the_end_of_a_run_is_noted_once_with_what_came_of_it(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given
    settings = settings_for(database_url, simulator[1], policy={"preset": "single:haiku"})
    hand_in(engine, settings, BODY * 3, name="day")
    assert finish_runs(engine) == []
    # when
    with working(settings) as runtime:
        drain(runtime)
    assert finish_runs(engine) == []
    # then
    (notice,) = [one(engine, "SELECT * FROM notices WHERE kind = 'finished'")]
    spent, simulated = one(
        engine,
        "SELECT b.spent, bool_or(s.simulated) FROM budgets b JOIN run_spend s"
        " ON s.run_id = b.run_id GROUP BY 1",
    )
    states = dict(
        one(
            engine,
            "SELECT jsonb_object_agg(state, n) FROM"
            " (SELECT state, count(*) AS n FROM jobs GROUP BY 1) AS c",
        )[0]
    )
    told = {name: notice.detail[name] for name in ("answered", "review", "dead", "cancelled")}
    assert told == {name: states.get(name, 0) for name in told}
    assert sum(told.values()) == 3
    assert float(notice.detail["spent"]) == float(spent) > 0
    assert notice.detail["simulated"] is simulated is True
    assert notice.words.startswith("SIMULATED")
    assert "rung results day -o answers.csv" in notice.words
    assert ("rung review day" in notice.words) == bool(told["review"])


def test_a_run_that_was_taken_up_again_ends_again(engine: Engine) -> None:
    do(
        engine,
        "INSERT INTO runs (name, policy, policy_name, policy_version, accepting)"
        " VALUES ('a', '{}', 'p', 'v', false)",
    )
    assert finish_runs(engine) == ["a"]
    do(engine, "UPDATE runs SET state = 'active', finished_at = NULL")
    assert finish_runs(engine) == ["a"]
    assert one(engine, "SELECT count(*) FROM notices WHERE kind = 'finished'")[0] == 2


def finished(engine: Engine, *asked: str) -> None:
    with engine.begin() as connection:
        words = "run day is finished: 2 answered"
        note(connection, "finished", key="1", target="run day", words=words, asked=list(asked))


def test_mail_goes_to_all_who_are_told_and_to_those_whom_the_run_names(
    engine: Engine, mailbox: Mailbox
) -> None:
    finished(engine, "lead@example.com", "ops@example.com")
    settings = mailing(mailbox, email_to=["ops@example.com"], email_from="rung@example.com")
    assert (sender(engine, settings).send_all(), sender(engine, settings).send_all()) == (1, 0)
    assert mailbox.recipients == [["ops@example.com", "lead@example.com"]]
    (mail,) = mailbox.mails
    assert (mail["Subject"], mail["From"]) == ("Rung: finished, run day", "rung@example.com")
    assert "2 answered" in str(mail.get_payload())


@pytest.mark.parametrize(
    ("kind", "asked", "told"),
    [
        ("finished", [], None),
        ("finished", ["lead@example.com"], ["lead@example.com"]),
        ("paused", ["lead@example.com"], ["ops@example.com"]),
    ],
)
def test_where_ends_are_not_wanted_only_those_hear_who_asked(
    engine: Engine, mailbox: Mailbox, kind: str, asked: list[str], told: list[str] | None
) -> None:
    with engine.begin() as connection:
        note(connection, kind, key="1", target="run day", words="words", asked=asked)
    settings = mailing(mailbox, email_to=["ops@example.com"], finished=False)
    sender(engine, settings).send_all()
    assert mailbox.recipients == ([] if told is None else [told])


@pytest.mark.parametrize(
    ("answer", "tries"), [(b"451 later", TRIES), (b"554 never", 1), (b"250 taken", 1)]
)
def test_a_server_that_says_later_is_asked_again(
    engine: Engine,
    mailbox: Mailbox,
    answer: bytes,
    tries: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    mailbox.answer = answer
    finished(engine)
    settings = mailing(mailbox, email_to=["ops@example.com"], smtp_user="u", smtp_password="hidden")
    with caplog.at_level(logging.INFO):
        for _ in range(2 * TRIES):
            sender(engine, settings.model_copy(update={"smtp_user": None})).send_all()
            do(engine, "UPDATE notice_mails SET next_try_at = now()")
    assert one(engine, "SELECT tries FROM notice_mails") == (tries,)
    assert one(engine, "SELECT tries, ended_at FROM notices") == (0, None)
    assert "hidden" not in caplog.text


def test_a_server_that_is_away_is_tried_later(engine: Engine) -> None:
    finished(engine)
    away = mailing(Mailbox(port=1), email_to=["ops@example.com"])
    assert sender(engine, away).send_all() == 0
    assert one(engine, "SELECT tries, ended_at, error FROM notice_mails") == (
        *(1, None, "ConnectionRefusedError"),
    )


def test_old_news_is_not_mailed(engine: Engine, mailbox: Mailbox) -> None:
    finished(engine)
    do(engine, "UPDATE notices SET at = now() - interval '2 hours'")
    assert sender(engine, mailing(mailbox, email_to=["ops@example.com"])).send_all() == 0
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("address", "ok"),
    [
        ("lead@example.com", True),
        ("lead", False),
        ("a@b.c, d@e.f", False),
        ("a@b.c\nBcc: d@e.f", False),
        ("a b@c.d", False),
    ],
)
def test_a_run_names_addresses_and_nothing_else(address: str, ok: bool) -> None:
    settings = mailing(Mailbox(port=25))
    if ok:
        assert mail_addresses(settings, [address]) == (address,)
        return
    with pytest.raises(UsageError, match="is no mail address"):
        mail_addresses(settings, [address])


def test_without_a_mail_server_nobody_is_promised_a_mail(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no mail server is set") as refused:
        mail_addresses(NotifySettings(), ["lead@example.com"])
    assert "smtp_host" in str(refused.value.mend)
    with pytest.raises(ConfigurationError, match="email_to needs smtp_host"):
        load_settings({"RUNG_NOTIFY__EMAIL_TO": '["lead@example.com"]'}, tmp_path)
