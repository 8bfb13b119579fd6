"""A routine goes on, whatever a step does."""

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from worker.lanes.realtime.inbox import Inbox
from worker.lanes.routine import Routine


def test_a_step_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    inbox, done = Inbox[int](0, 1), list[int]()

    def step(group: list[int]) -> None:
        done.extend(group)
        if group == [1]:
            raise ZeroDivisionError
        if group == [2]:
            raise OperationalError("SELECT", {}, psycopg.OperationalError("gone"))

    routine = Routine("a routine", inbox.take, step)
    routine.start()
    for number in (1, 2, 3):
        inbox.put(number)
    inbox.close()
    routine.join(10)
    assert done == [1, 2, 3]
    assert "a routine failed" in caplog.text
    assert "postgres away, a routine waits" in caplog.text


def test_one_that_never_started_has_no_end_to_wait_for() -> None:
    Routine("never", lambda: False, lambda _: None).join(10)
