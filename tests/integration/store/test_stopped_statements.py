"""A statement that takes too long is stopped and named, and stops nothing else."""

import logging
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tests.support.promises import BODY, one
from tests.support.waiting import eventually
from tests.support.works import hand_in, settings_for, working
from worker.lanes.upkeep.housekeeping import Housekeeping
from worker.sandbox.simulator.state import State
from worker.store.engine import make_engine, was_stopped, worker_engine
from worker.store.queue.dispatch import Chunk
from worker.store.statistics import after_intake, after_submission

SLOW = text("SELECT pg_sleep(10)")


def too_slow(engine: Engine, *_: object) -> None:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = '20ms'"))
        connection.execute(SLOW)


def test_a_statement_that_runs_into_its_time_is_named(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_engine(database_url, pool_size=1, statement_s=0.02)
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(SLOW)
    engine.dispose()
    assert was_stopped(caught.value)
    (told,) = [r for r in caplog.records if r.getMessage() == "statement stopped"]
    assert (told.levelno, told.sql) == (logging.ERROR, "SELECT pg_sleep(10)")  # type: ignore[attr-defined]


def test_workers_have_a_time_and_commands_have_none(database_url: str, engine: Engine) -> None:
    asked = "SELECT current_setting('statement_timeout')"
    assert one(engine, asked)[0] == "0"
    worker = worker_engine(settings_for(database_url, "http://127.0.0.1:1"))
    assert one(worker, asked)[0] == "1min"
    worker.dispose()


def test_a_step_that_is_stopped_keeps_no_other_from_its_work(
    engine: Engine,
    database_url: str,
    simulator: tuple[State, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = settings_for(database_url, simulator[1])
    hand_in(engine, settings, BODY)
    monkeypatch.setattr("worker.lanes.upkeep.housekeeping.finish_runs", too_slow)
    published = list[Chunk]()
    with working(settings) as runtime:
        housekeeping = Housekeeping(runtime, ["routing", "haiku"], published.append)
        housekeeping.start()
        eventually(lambda: published)
        housekeeping.stop()


@pytest.mark.parametrize(("after", "table"), [(after_intake, "jobs"), (after_submission, "calls")])
def test_a_great_change_is_analysed_and_a_small_one_is_not(
    engine: Engine, after: Callable[..., None], table: str
) -> None:
    asked = f"SELECT reltuples FROM pg_class WHERE relname = '{table}'"
    with engine.begin() as connection:
        connection.execute(text(f"SELECT pg_clear_relation_stats('public', '{table}')"))
        after(connection, 999)
    assert one(engine, asked)[0] == -1
    with engine.begin() as connection:
        after(connection, 1_000)
    assert one(engine, asked)[0] == 0
