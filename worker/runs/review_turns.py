"""Who judges what: the next item of a queue for people, for one of them at a time."""

import datetime as dt
from typing import Any

from sqlalchemy import Connection, Engine

from models.vocabulary import ReadingKind
from worker.errors import Missing
from worker.store.audit import Actor, audit_reading
from worker.store.queue.reading_leases import ReadBy, give_back, take
from worker.store.reading.audits import Blind, queue_of
from worker.store.reading.receipts import receipt
from worker.store.reading.review_queue import (
    Place,
    ReviewScope,
    count_reviews,
    next_review,
    place_of,
)

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


def turn_document(
    engine: Engine, actor: Actor, by: ReadBy, scope: ReviewScope, skip: int | None
) -> dict[str, Any]:
    """The next best effort that waits, with its texts, for a program: whoever asks is in the audit
    first. `skip` is the job after which to go on. Raises Missing where there is no such job."""
    with engine.connect() as connection:
        after = _after(connection, skip)
    place, until = take_review(engine, by, scope, after) or (None, None)
    with engine.connect() as connection:
        found = count_reviews(connection, scope, by.holder)
        job = receipt(connection, place[1]) if place is not None else None
    if job is not None:
        audit_reading(engine, actor, f"job {job.job}")
    return {
        "job": job.as_document() | {"text_shown": True} if job is not None else None,
        "until": until,
        "waiting": found.waiting,
        "read_by_others": found.read_by_others,
    }


def _after(connection: Connection, job_id: int | None) -> Place | None:
    """Where the queue goes on."""
    if job_id is None:
        return None
    place = place_of(connection, job_id)
    if place is None:
        raise Missing(f"There is no job {job_id}.")
    return place


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
