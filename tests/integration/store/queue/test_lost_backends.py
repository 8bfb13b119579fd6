"""A backend of Postgres is ended at each statement of a story in turn, and after each COMMIT: what
was begun goes on, nothing is paid twice, and every count is right."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from tests.support.lost_backends import LostBackend
from tests.support.promises import BODY, checked, chunk_of, crashed_claim, do, many, one, requests
from tests.support.works import drain, hand_in, make_due, presence_beat, settings_for, working
from worker.config.settings import Settings
from worker.lanes.realtime import recorder, unheard
from worker.lanes.realtime.runtime import Runtime
from worker.lanes.upkeep.housekeeping import dispatch_and_publish
from worker.sandbox.simulator.state import State
from worker.store.engine import is_outage
from worker.store.queue.dispatch import Chunk
from worker.store.queue.rescue import rescue

Act = Callable[[], object]
HERE, RECORDER = threading.main_thread().name, "recorder"
MOST = 60
LEFT = """
SELECT r.name, j.state, j.reason FROM jobs AS j JOIN runs AS r ON r.id = j.run_id
WHERE j.state <> 'answered'
"""
REFUSE = """
CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (SELECT count(*) FROM added) > 1 THEN RAISE EXCEPTION 'no' USING ERRCODE = '22023'; END IF;
  RETURN NULL; END $$
"""
DUPLICATES = "SELECT job_id FROM attempts WHERE outcome = 'accepted' GROUP BY 1 HAVING count(*) > 1"


def claim(runtime: Runtime) -> Act:
    """A delivery of what is to be answered; what ends is a backend of the claim's."""
    runtime.work(*chunk_of(runtime))
    queue, ids = chunk_of(runtime)
    return lambda: runtime.work(queue, ids)


def spoilt(runtime: Runtime) -> Act:
    """As `claim`, where a group of results is refused, and each alone is not."""
    do(runtime.engine, REFUSE)
    do(runtime.engine, "CREATE OR REPLACE TRIGGER refuse AFTER INSERT ON results REFERENCING"
        " NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse()")  # fmt: skip
    return claim(runtime)


def dispatching(runtime: Runtime) -> Act:
    """A round of dispatch, as housekeeping makes it; what it published is delivered."""

    def act() -> None:
        brought = list[Chunk]()
        once_more(lambda: dispatch_and_publish(runtime, brought.append))
        for chunk in brought:
            runtime.work(chunk.queue, chunk.ids)

    return act


def undoing(runtime: Runtime) -> Act:
    """Dispatch, where Redis refuses."""

    def refuse(_: Chunk) -> None:
        raise ConnectionError

    return lambda: once_more(lambda: dispatch_and_publish(runtime, refuse))


def rescuing(runtime: Runtime) -> Act:
    """What a dead worker held is given back, in the round of housekeeping after."""
    runtime.work(*chunk_of(runtime))
    crashed_claim(runtime)
    do(runtime.engine, "UPDATE jobs SET lease_until = now() - interval '1 second'"
        " WHERE lease_until IS NOT NULL")  # fmt: skip
    return lambda: [once_more(lambda: rescue(runtime.engine, 180)) for _ in range(2)]


def once_more(step: Act) -> None:
    """As housekeeping does: an outage is for the next round."""
    try:
        step()
    except DBAPIError as error:
        if not is_outage(error):
            raise


STORIES: dict[str, tuple[Callable[[Runtime], Act], str, int]] = {
    "claim": (claim, HERE, 6),
    "record": (claim, RECORDER, 8),
    "record singly": (spoilt, RECORDER, 8),
    "dispatch": (dispatching, HERE, 5),
    "undo": (undoing, HERE, 7),
    "rescue": (rescuing, HERE, 10),
}
"""What is told, whose statements are counted, and how many places there are at least."""


@pytest.fixture
def settings(
    database_url: str, simulator: tuple[State, str], monkeypatch: pytest.MonkeyPatch
) -> Settings:
    monkeypatch.setattr(unheard, "OUTAGE_WAIT_S", 0.01)
    monkeypatch.setattr(recorder, "RETRY_S", 0.01)
    return settings_for(database_url, simulator[1])


@pytest.mark.parametrize("story", STORIES)
def test_the_story_goes_on_whichever_statement_the_backend_ended_at(
    story: str, engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    tell, thread, least = STORIES[story]
    places = list[str]()
    with working(settings) as runtime:
        for point in range(1, MOST):
            # given
            hand_in(engine, settings, BODY * 2, name=f"run-{point}", policy="escalate")
            presence_beat(runtime)
            act = tell(runtime)
            lost = LostBackend(runtime.engine, engine, point=point, thread=thread)
            # when
            with lost.watching():
                act()
            # then everything goes on: what was marked is dispatched again, what waits is due
            do(engine, "UPDATE dispatches SET dispatched_at = now() - interval '61 seconds'")
            for _ in range(4):
                if many(engine, LEFT):
                    make_due(engine)
                    drain(runtime)
            assert many(engine, LEFT) == [], lost.at
            checked(engine, simulator)
            if lost.at is None:
                break
            places.append(lost.at)
    assert lost.at is None
    assert len(places) >= least, places
    assert many(engine, DUPLICATES) == []
    assert many(engine, "SELECT job_id FROM attempts WHERE 'unstorable' = ANY(reasons)") == []
    ledger, rescued = one(
        engine, "SELECT count(*), count(*) FILTER (WHERE state = 'lost') FROM calls"
    )
    dead = 2 * (len(places) + 1) if story == "rescue" else 0
    assert (rescued, ledger - rescued) == (dead, requests(simulator))
