"""Reviews in turn, as JSON: the next for whoever asks, which nobody else is given meanwhile."""

from typing import Any

from sqlalchemy import Connection

from models.vocabulary import ReadingKind
from worker.dashboard.access.permissions import read_by
from worker.dashboard.api.endpoints import ApiCall
from worker.dashboard.api.reading import run_named
from worker.errors import Missing
from worker.runs.review_turns import take_review
from worker.store.audit import audit_reading
from worker.store.queue.reading_leases import leave
from worker.store.reading.receipts import receipt
from worker.store.reading.review_queue import Place, ReviewScope, count_reviews, place_of


def next_one(call: ApiCall) -> dict[str, Any]:
    """The next best effort that waits, with its texts: whoever asks is in the audit first."""
    body, by = call.body, read_by(call.visitor, call.body.get("reader", ""))
    with call.engine.connect() as connection:
        run_id = run_named(connection, body["run"]).id if "run" in body else None
        after = _after(connection, body.get("skip"))
    scope = ReviewScope(run_id=run_id, reason=body.get("cause"))
    place, until = take_review(call.engine, by, scope, after) or (None, None)
    with call.engine.connect() as connection:
        found = count_reviews(connection, scope, by.holder)
        job = receipt(connection, place[1]) if place is not None else None
    if job is not None:
        audit_reading(call.engine, call.actor, f"job {job.job}")
    return {
        "job": job.as_document() | {"text_shown": True} if job is not None else None,
        "until": until,
        "waiting": found.waiting,
        "read_by_others": found.read_by_others,
    }


def _after(connection: Connection, job_id: int | None) -> Place | None:
    """Where the queue goes on. Raises Missing where there is no such job."""
    if job_id is None:
        return None
    place = place_of(connection, job_id)
    if place is None:
        raise Missing(f"There is no job {job_id}.")
    return place


def leave_all(call: ApiCall) -> dict[str, Any]:
    """They read nothing any more."""
    by = read_by(call.visitor, call.body.get("reader", ""))
    return {"freed": leave(call.engine, ReadingKind.REVIEW, by)}
