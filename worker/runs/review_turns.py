"""Who judges what: the next item of a queue for people, for one of them at a time."""

import datetime as dt

from sqlalchemy import Engine

from models.vocabulary import ReadingKind
from worker.store.queue.reading_leases import ReadBy, give_back, take
from worker.store.reading.audits import Blind, queue_of
from worker.store.reading.review_queue import Place, ReviewScope, next_review

TRIES = 20
"""So many may be taken by others between a look and the hand on it."""


def take_review(
    engine: Engine, by: ReadBy, scope: ReviewScope, after: Place | None = None
) -> tuple[Place, dt.datetime] | None:
    """The next best effort that waits and that nobody else reads, theirs from now on, with the end
    of their lease. None at the end."""
    for _ in range(TRIES):
        with engine.begin() as connection:
            place = next_review(connection, scope, after, by.holder)
            if place is None:
                give_back(connection, ReadingKind.REVIEW, by)
                return None
            until = take(connection, ReadingKind.REVIEW, (place[1], 0), by)
            if until is not None:
                return place, until
    return None


def take_audit(engine: Engine, by: ReadBy, run_id: int | None = None) -> Blind | None:
    """The next answer that this person may judge and that nobody else reads, theirs from now on.
    None at the end."""
    for _ in range(TRIES):
        with engine.begin() as connection:
            found = queue_of(connection, by.name, run_id, holder=by.holder)
            if not found:
                give_back(connection, ReadingKind.AUDIT, by)
                return None
            one = found[0]
            if take(connection, ReadingKind.AUDIT, (one.job_id, one.fence), by) is not None:
                return one
    return None
