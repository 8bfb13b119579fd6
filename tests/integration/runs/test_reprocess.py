"""Old messages answered anew: chosen, expected, made once, and nothing old is touched."""

import datetime as dt
import threading
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from models.vocabulary import Lane
from tests.support.cli import say
from tests.support.promises import do, one
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.config.settings import Settings
from worker.errors import UsageError
from worker.runs.reprocess import Reprocessed, ReprocessRequest, preview, reprocess
from worker.sandbox.simulator.state import State
from worker.store.audit import Actor

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(40)]
OLD = "SELECT * FROM {} WHERE job_id IN (SELECT id FROM jobs WHERE run_id = 1) ORDER BY 1, 2"


pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1])


def work_off(settings: Settings) -> None:
    with working(settings) as runtime:
        for _ in range(3):
            drain(runtime)
            make_due(runtime.engine)


def finished(engine: Engine, count: int, *, states: str = "answered") -> None:
    """A run `day` whose jobs have ended, with costs of a cent or two, and nothing else."""
    hand_in(engine, settings_for("", ""), BODIES[:count], name="day")
    do(
        engine,
        """
        UPDATE jobs SET state = (string_to_array(:states, ' '))[1 + id % :kinds], tier = 'haiku',
          finished_at = now(), cost = 0.01 + 0.01 * (id % 2)
        """,
        states=states,
        kinds=len(states.split()),
    )
    do(engine, "UPDATE runs SET state = 'finished', finished_at = now()")


def rows(engine: Engine, statement: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(statement)).all())


def test_a_reprocessing_answers_anew_and_touches_nothing_old(
    engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES[:12], name="day")
    work_off(settings)
    tables = ("results", "attempts", "calls")
    before = [rows(engine, OLD.format(table)) for table in tables]
    jobs = rows(engine, "SELECT * FROM jobs WHERE run_id = 1 ORDER BY id")
    # when
    said = say("reprocess", "--run", "day", "--name", "again", "--json")
    work_off(settings)
    # then
    assert (said.code, said.document["run"], said.document["jobs"]) == (0, "again", 12)
    assert [rows(engine, OLD.format(table)) for table in tables] == before
    assert rows(engine, "SELECT * FROM jobs WHERE run_id = 1 ORDER BY id") == jobs
    made = one(engine, "SELECT * FROM runs WHERE name = 'again'")
    assert (made.kind, made.parent_id, made.state, made.accepting) == (
        "reprocess",
        1,
        "finished",
        False,
    )
    assert made.selection["run"] == "day"
    pairs = rows(
        engine,
        "SELECT a.message_id = b.message_id AND r.job_id IS NOT NULL FROM jobs a"
        " JOIN jobs b ON b.origin_id = a.id LEFT JOIN results r ON r.job_id = b.id",
    )
    assert [row[0] for row in pairs] == [True] * 12
    audit = one(engine, "SELECT actor, target, affected, detail FROM audit_events")
    assert (audit.target, audit.affected, audit.detail["run"]) == ("run again", 12, "day")


def test_a_dry_run_counts_expects_and_changes_nothing(engine: Engine) -> None:
    # given
    finished(engine, 40, states="answered review")
    # when
    shown = say("reprocess", "--where", "state = review", "--dry-run")
    found = say("reprocess", "--where", "state = review", "--dry-run", "--json").document
    batch = say("reprocess", "--where", "state = review", "--lane", "batch", "--dry-run", "--json")
    # then
    assert shown.code == 0
    assert "20 messages would be answered anew" in shown.err
    assert "day/day-" in shown.out
    assert BODIES[0] not in shown.out + shown.err + str(found)
    assert (found["jobs"], found["run"], found["everything"], found["unfinished"]) == (
        20,
        None,
        False,
        0,
    )
    assert {row["state"] for row in found["sample"]} == {"review"}
    assert found["expected"]["usd"] == pytest.approx(0.40)
    assert (found["expected"]["low_usd"], found["expected"]["high_usd"]) == (0.40, 0.40)
    assert batch.document["expected"]["usd"] == pytest.approx(0.20)
    assert one(engine, "SELECT count(*) FROM runs")[0] == 1


def test_the_interval_widens_with_the_spread_of_the_costs(engine: Engine) -> None:
    # given
    finished(engine, 40)
    # when
    found = say("reprocess", "--where", "state = answered", "--dry-run", "--json").document
    # then
    expected = found["expected"]
    assert expected["usd"] == pytest.approx(0.60)
    assert 0.5 < expected["low_usd"] < 0.6 < expected["high_usd"] < 0.7
    assert "these jobs cost before under policy ladder" in expected["basis"]


def test_with_nothing_recorded_the_expectation_says_that_it_is_assumed(engine: Engine) -> None:
    # given
    finished(engine, 5)
    # when
    found = say("reprocess", "--run", "day", "--policy", "single:opus", "--dry-run", "--json")
    # then
    expected = found.document["expected"]
    assert expected["basis"].startswith("assumed, for no job has run under policy single:opus")
    assert 0 < expected["low_usd"] < expected["usd"] < expected["high_usd"]


def test_max_cost_refuses_what_is_expected_to_cost_more_and_caps_the_rest(engine: Engine) -> None:
    # given
    finished(engine, 40)
    # when
    refused = say("reprocess", "--run", "day", "--max-cost", "0.5")
    dry = say("reprocess", "--run", "day", "--max-cost", "0.5", "--dry-run", "--json")
    made = say("reprocess", "--run", "day", "--max-cost", "0.7", "--budget", "5", "--json")
    # then
    assert (refused.code, refused.err.count("more than the $0.5000 allowed")) == (4, 1)
    assert "more than the $0.5000 allowed" in dry.document["refused"]
    assert made.code == 0
    assert [row[0] for row in rows(engine, "SELECT cap FROM budgets ORDER BY run_id")] == [
        None,
        Decimal("0.7"),
    ]


def test_the_same_key_makes_one_run_however_many_ask_at_once(
    engine: Engine, settings: Settings
) -> None:
    # given
    finished(engine, 10)
    request = ReprocessRequest(where="state = answered", key="night-1", lane=Lane.BATCH)
    made: list[Reprocessed] = []

    def ask() -> None:
        with engine.begin() as connection:
            made.append(reprocess(connection, settings, Actor("a test"), request))

    # when
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # then
    assert sorted((m.jobs, m.repeated) for m in made) == [(10, False), *[(10, True)] * 3]
    assert one(engine, "SELECT count(*) FROM jobs WHERE lane = 'batch'")[0] == 10
    other = say("reprocess", "--where", "state = dead", "--key", "night-1")
    assert (other.code, "something else" in other.err) == (2, True)
    again = say("reprocess", "--where", "state=answered", "--key", "night-1", "--json")
    assert (again.code, again.document["repeated"], again.document["jobs"]) == (0, True, 10)


def test_a_filter_that_matches_nothing_or_everything_is_said(engine: Engine) -> None:
    finished(engine, 6)
    nothing = say("reprocess", "--where", "state = dead")
    assert (nothing.code, "Nothing is chosen" in nothing.err) == (0, True)
    assert one(engine, "SELECT count(*) FROM runs")[0] == 1
    everything = say("reprocess", "--where", "age < 7d")
    assert (everything.code, "leaves nothing out: all 6" in everything.err) == (0, True)


def test_unfinished_jobs_are_refused_and_the_mending_filter_works(engine: Engine) -> None:
    # given
    finished(engine, 6)
    do(engine, "UPDATE jobs SET state = 'routed', finished_at = NULL WHERE id % 3 = 0")
    # when
    refused = say("reprocess", "--where", "age < 7d")
    mended = say(
        "reprocess", "--json", "--where",
        "age < 7d and state in (answered, review, dead, cancelled)",
    )  # fmt: skip
    # then
    assert (refused.code, "2 of the 6 chosen jobs are not finished" in refused.err) == (1, True)
    assert (mended.code, mended.document["jobs"]) == (0, 4)


def test_a_message_answered_again_since_is_judged_by_its_latest_job(engine: Engine) -> None:
    # given: all in review, then answered again, and accepted this time
    finished(engine, 4, states="review")
    assert say("reprocess", "--where", "state = review").code == 0
    do(engine, "UPDATE jobs SET state = 'answered', finished_at = now() WHERE run_id > 1")
    # when
    second = say("reprocess", "--where", "state = review", "--json").document
    named = say("reprocess", "--run", "day", "--where", "state = review", "--json").document
    do(engine, "UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE run_id > 1")
    third = say("reprocess", "--where", "state = review", "--dry-run", "--json").document
    # then
    assert (second["run"], second["jobs"], second["superseded"]) == (None, 0, 4)
    assert named["jobs"] == 4
    assert (third["jobs"], third["superseded"]) == (4, 0)


def test_an_erased_message_is_not_answered(engine: Engine) -> None:
    finished(engine, 4)
    do(engine, "UPDATE messages SET erased_at = now(), body = '' WHERE id <= 3")
    made = say("reprocess", "--run", "day", "--json").document
    assert (made["jobs"], made["erased"]) == (1, 3)


def test_since_is_a_span_or_a_time(engine: Engine) -> None:
    finished(engine, 6)
    do(engine, "UPDATE jobs SET created_at = now() - interval '8 days' WHERE id <= 2")
    day = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).isoformat()
    for since in ("7d", day):
        assert say("reprocess", "--since", since, "--dry-run", "--json").document["jobs"] == 4
    wrong = say("reprocess", "--since", "last week")
    assert (wrong.code, "last week" in wrong.err) == (2, True)


def test_mistakes_are_sentences_with_exit_codes(engine: Engine) -> None:
    finished(engine, 1)
    typo = say("reprocess", "--where", "confidnce < 0.6")
    assert (typo.code, "did you mean confidence?" in typo.err, "^^^^^^^^^" in typo.err) == (
        2,
        True,
        True,
    )
    assert say("reprocess").code == 2
    assert say("reprocess", "--run", "dya").code == 2
    assert say("reprocess", "--run", "day", "--policy", "nope").code == 6


def test_what_one_policy_answered_is_answered_anew_under_it(engine: Engine) -> None:
    # given: two companies, and nothing under the policy of the installation
    finished(engine, 4)
    settings = settings_for("", "", policies={"acme": {}, "beta": {}})
    do(engine, "UPDATE runs SET policy_name = 'acme'")

    def under(**more: Any) -> str:
        with engine.connect() as connection:
            return preview(connection, settings, ReprocessRequest(run="day", **more)).policy.name

    # then
    assert (under(), under(policy="beta")) == ("acme", "beta")
    # a policy that is no more, and the one that everybody has
    for gone in ("gone", settings.policy.preset):
        do(engine, "UPDATE runs SET policy_name = :gone", gone=gone)
        assert under() == settings.policy.preset
    # and of several, none of them the default, somebody has to name one
    do(engine, "UPDATE runs SET policy_name = 'acme'")
    hand_in(engine, settings, BODIES[4:6], name="other", policy="beta")
    with engine.connect() as connection, pytest.raises(UsageError, match="under acme and beta"):
        preview(connection, settings, ReprocessRequest(since="7d"))
