"""A step that no worker gets done is seen by everybody who looks; so are stopped statements."""

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.promises import do, one
from tests.support.waiting import eventually
from tests.support.works import settings_for
from tests.support.works import working as working_with
from worker.lanes.batch.lane import BatchLane
from worker.lanes.upkeep.housekeeping import Housekeeping
from worker.sandbox.simulator.state import State
from worker.store.queue.presence import Presence, beat
from worker.store.queue.rounds import LATE_S, late, report

ME = Presence("w1", {"haiku": 4})


@pytest.fixture
def working(engine: Engine) -> None:
    """A worker that has been there for long."""
    beat(engine, ME, {})
    do(engine, "UPDATE workers SET started_at = now() - interval '1 hour'")


def age(engine: Engine, seconds: float) -> None:
    do(engine, f"UPDATE step_rounds SET done_at = now() - interval '{seconds} s'")


def seen(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [one.step for one in late(connection)]


@pytest.mark.usefixtures("working")
def test_a_step_is_late_a_minute_beyond_its_pace(engine: Engine) -> None:
    report(engine, {"rescue": 15.0}, 0)
    assert seen(engine) == []
    age(engine, LATE_S + 14)
    assert seen(engine) == []
    age(engine, LATE_S + 16)
    assert seen(engine) == ["rescue"]
    with engine.connect() as connection:
        assert late(connection)[0].seconds == pytest.approx(LATE_S + 1, abs=1)
    # Another worker does it
    report(engine, {"rescue": 15.0}, 0)
    assert seen(engine) == []


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    "nobody",
    [
        "UPDATE workers SET seen_at = now() - interval '11 s'",
        "UPDATE workers SET stopping = true",
        "UPDATE workers SET started_at = now() - interval '70 s'",
    ],
)
def test_where_no_worker_is_nothing_is_late(engine: Engine, nobody: str) -> None:
    report(engine, {"rescue": 15.0}, 0)
    age(engine, 3600)
    assert seen(engine) == ["rescue"]
    do(engine, nobody)
    assert seen(engine) == []


def test_every_step_of_a_worker_is_written_down(
    database_url: str,
    engine: Engine,
    simulator: tuple[State, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = settings_for(database_url, simulator[1])
    with working_with(settings) as runtime:
        lane, house = BatchLane(runtime), Housekeeping(runtime, ["routing"], lambda _: None)
        expected = runtime.rounds.news()
        lane.start()
        house.start()
        names = "SELECT coalesce(array_agg(step), '{}') FROM step_rounds"
        found = eventually(
            lambda: {*one(engine, names)[0]} >= {*expected} and one(engine, names)[0]
        )
        lane.stop()
        house.stop()
    assert {"dispatch", "rescue", "finish runs", "mind look-ups", "probe look-ups"} <= {*found}
    assert one(engine, "SELECT every_s FROM step_rounds WHERE step = 'rescue'")[0] == 15
    assert "failed" not in caplog.text


@pytest.mark.usefixtures("working")
def test_status_names_it(engine: Engine, configured: None) -> None:
    report(engine, {"submit batches": 30.0}, 0)
    age(engine, 600)
    said = say("status")
    assert "No worker gets this done, for 10 min now: submit batches" in said.err


def test_stopped_statements_add_up(engine: Engine) -> None:
    report(engine, {}, 2)
    report(engine, {}, 0)
    report(engine, {"beat": 1.0}, 3)
    assert one(engine, "SELECT id, statements FROM stopped_statements") == (1, 5)
