"""What people chose jobs by says who somebody is: it goes with what is erased."""

import pytest
from sqlalchemy import Engine

from tests.integration.store.actions.test_erasure import PLANTED, holding
from tests.support.cli import say
from tests.support.promises import do, many
from tests.support.works import hand_in, settings_for
from worker.config.nightly import NightlySettings
from worker.config.settings import Settings
from worker.domain.named_in_filters import fingerprint
from worker.runs.nights import fire_now
from worker.store.audit import Actor

MINE = fingerprint("c-77")
BEFORE = [
    "customer = c-77 and state = queued",
    "customer in (c-1, c-77)",
    f"subject contains {PLANTED} or metadata.order = {PLANTED}",
]
"""By which jobs were cancelled, and answered anew twice."""
WORDS = "SELECT coalesce(detail ->> 'where', target) FROM audit_events WHERE action <> :after"
CHOSEN = "SELECT selection ->> 'where' FROM runs WHERE selection IS NOT NULL ORDER BY id"


def again(engine: Engine, where: str, name: str) -> None:
    """A reprocessing, whose jobs end at once."""
    do(engine, "UPDATE jobs SET state = 'cancelled', finished_at = now()")
    said = say("reprocess", "--where", where, "--name", name)
    assert said.code == 0, said.err
    do(engine, "UPDATE jobs SET state = 'cancelled', finished_at = now()")


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, "http://127.0.0.1:1")


@pytest.fixture(autouse=True)
def _chosen(engine: Engine, database_url: str, configured: None) -> None:
    """Somebody's message and another's, and what people did to them."""
    settings = settings_for(database_url, "http://127.0.0.1:1")
    told = {"subject": f"About {PLANTED.upper()}", "metadata": {"order": PLANTED}}
    hand_in(engine, settings, ["Where is it?"], name="mine", customer_id="c-77", **told)
    hand_in(engine, settings, ["And mine?"], name="other", customer_id="c-1")
    assert say("cancel", "--where", BEFORE[0], "--yes").code == 0
    for number, where in enumerate(BEFORE[1:]):
        again(engine, where, f"again-{number}")
    assert holding(engine) == {"messages", "audit_events", "runs"}


def test_who_is_forgotten_is_in_no_filter(engine: Engine) -> None:
    # when
    assert say("forget", "--customer", "c-77", "--yes").code == 0
    # then their names are gone, and another's is there
    assert holding(engine) == holding(engine, "c-77") == set()
    left = {row[0] for row in many(engine, WORDS, after="forget")}
    assert f"customer = {MINE} and state = queued" in left
    assert f"customer in (c-1, {MINE})" in left
    assert next(row[0] for row in many(engine, CHOSEN)) == f"customer in (c-1, {MINE})"


def test_another_customers_erasure_leaves_them(engine: Engine) -> None:
    assert say("forget", "--customer", "c-1", "--yes").code == 0
    assert holding(engine) == {"messages", "audit_events", "runs"}
    assert holding(engine, "c-1 ") == holding(engine, "c-1,") == set()


def test_an_id_goes_where_ids_go(engine: Engine) -> None:
    # given
    again(engine, "external_id = mine-0", "third")
    # then
    assert say("forget", "--customer", "c-77", "--yes").code == 0
    assert "audit_events" in holding(engine, "mine-0")
    assert say("forget", "--external-id", "mine-0", "--ids", "--yes").code == 0
    assert holding(engine, "mine-0") == set()


def test_a_purge_takes_the_names_of_its_time_and_no_later_ones(engine: Engine) -> None:
    # given all of it long ago, but for one event
    do(engine, "UPDATE messages SET created_at = now() - interval '40 days'")
    do(engine, "UPDATE audit_events SET at = now() - interval '31 days'")
    do(engine, "UPDATE runs SET created_at = now() - interval '31 days'")
    again(engine, "customer = c-77", "late")
    # when
    assert say("purge", "--older-than", "30d", "--yes").code == 0
    # then
    assert holding(engine) == set()
    left = {row[0] for row in many(engine, WORDS, after="purge")}
    both = f"customer in ({fingerprint('c-1')}, {MINE})"
    assert {both, "customer = c-77"} <= left


def test_nor_is_it_in_the_nights_of_schedules(engine: Engine, settings: Settings) -> None:
    # given a night that chose by somebody's name, and one that chose by another's
    for name, customer in (("nightly", "c-77"), ("weekly", "c-1")):
        do(engine, "UPDATE jobs SET state = 'cancelled', finished_at = now()")
        nightly = {"cron": "0 2 * * *", "timezone": "UTC", "where": f"customer = {customer}"}
        schedule = {name: NightlySettings.model_validate(nightly)}
        fire_now(engine, settings.model_copy(update={"schedule": schedule}), name, Actor("ada"))
    do(engine, "UPDATE jobs SET state = 'cancelled', finished_at = now()")
    assert "firings" in holding(engine, "c-77")
    # when
    assert say("forget", "--customer", "c-77", "--yes").code == 0
    # then
    assert holding(engine, "c-77") == set()
    kept = [row[0] for row in many(engine, "SELECT selection ->> 'where' FROM firings ORDER BY 1")]
    assert kept == ["customer = c-1", f"customer = {MINE}"]


def test_a_night_of_another_time_keeps_what_it_chose_by(engine: Engine, settings: Settings) -> None:
    # given
    do(engine, "UPDATE jobs SET state = 'cancelled', finished_at = now()")
    nightly = {"cron": "0 2 * * *", "timezone": "UTC", "where": "customer = c-77"}
    schedule = {"nightly": NightlySettings.model_validate(nightly)}
    fire_now(engine, settings.model_copy(update={"schedule": schedule}), "nightly", Actor("ada"))
    do(engine, "UPDATE messages SET created_at = now() - interval '40 days'")
    do(engine, "UPDATE jobs SET state = 'cancelled', finished_at = now()")
    # when what is older than a month is purged, the night was yesterday's
    assert say("purge", "--older-than", "30d", "--yes").code == 0
    # then
    assert "firings" in holding(engine, "c-77")


def test_whose_name_a_run_bears_is_said_and_stays(engine: Engine) -> None:
    # given
    do(engine, "UPDATE runs SET name = 'c-77-in-may' WHERE name = 'mine'")
    do(engine, "UPDATE runs SET name = 'c-777' WHERE name = 'other'")
    do(engine, "UPDATE runs SET key = 'of C-77' WHERE name = 'again-0'")
    # when
    done = say("forget", "--customer", "c-77", "--yes", "--json")
    # then
    assert done.document["runs_named"] == ["c-77-in-may", "again-0"]
    assert "The name or key of runs c-77-in-may and again-0 holds it and stays" in done.err
    assert holding(engine, "c-77") == {"runs"}
