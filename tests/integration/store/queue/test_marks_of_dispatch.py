"""Marks of dispatch: they go with what has ended, and are not missed where a crash empties them."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from tests.support.promises import BODY, ME, checked, chunk_of, do, many, one, requests
from tests.support.works import drain, hand_in, settings_for, working
from worker.domain.backlog import Record
from worker.sandbox.simulator.state import State
from worker.store.actions.changes import CANCEL, apply
from worker.store.actions.erasure import erase, of_external_id
from worker.store.actions.selection import whole
from worker.store.queue.copy_rows import packed_rows
from worker.store.queue.intake import add_in
from worker.store.queue.run_intake import close_intake
from worker.store.runs import RunRef

MARK = "INSERT INTO dispatches (job_id, queue) SELECT id, queue FROM jobs WHERE queue IS NOT NULL"
MARKED = "SELECT j.run_id FROM dispatches AS d JOIN jobs AS j ON j.id = d.job_id"


def cancelled(engine: Engine, run: RunRef) -> None:
    do(engine, MARK)
    apply(engine, ME, CANCEL, whole(run))


def erased(engine: Engine, run: RunRef) -> None:
    do(engine, MARK)
    erase(engine, ME, of_external_id(f"{run.name}-0", None))


def submitted_after_its_cancel(engine: Engine, run: RunRef) -> None:
    apply(engine, ME, CANCEL, whole(run))
    with engine.begin() as connection:
        after = [Record(line=1, external_id="after", body="after")]
        add_in(connection, run, packed_rows(after, None), False, 0)
    do(engine, MARK)
    with engine.begin() as connection:
        close_intake(connection, run, 0, 0)


@pytest.mark.parametrize("end", [cancelled, erased, submitted_after_its_cancel])
def test_what_ends_takes_its_mark_along(
    engine: Engine, end: Callable[[Engine, RunRef], None]
) -> None:
    # given two jobs that were handed to workers
    run = hand_in(engine, settings_for("", ""), ["one"], name="one")
    other = hand_in(engine, settings_for("", ""), ["two"], name="two")
    # when one of them ends
    end(engine, run)
    # then the other alone counts as outstanding
    assert many(engine, MARKED) == [(other.id,)]


def test_what_a_crash_of_postgres_forgets_is_dispatched_again_and_asked_once(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given a job that was handed to a worker, and a table that no crash leaves as it was
    assert one(engine, "SELECT relpersistence FROM pg_class WHERE relname = 'dispatches'") == ("u",)
    settings = settings_for(database_url, simulator[1])
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        queue, ids = chunk_of(runtime)
        # when the marks are gone
        do(engine, "TRUNCATE dispatches")
        again = chunk_of(runtime)
        # then it is handed out once more, and only one of the deliveries finds it
        assert again == (queue, ids)
        runtime.work(*again)
        runtime.work(queue, ids)
        assert requests(simulator) == 1
        drain(runtime)
    checked(engine, simulator)
