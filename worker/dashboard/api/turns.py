"""Reviews in turn, as JSON: the next for whoever asks, which nobody else is given meanwhile."""

from typing import Any

from models.vocabulary import ReadingKind
from worker.dashboard.access.permissions import read_by
from worker.dashboard.api.endpoints import ApiCall
from worker.dashboard.api.reading import run_named
from worker.runs.review_turns import turn_document
from worker.store.queue.reading_leases import leave
from worker.store.reading.review_queue import ReviewScope


def next_one(call: ApiCall) -> dict[str, Any]:
    """The next best effort that waits, with its texts: whoever asks is in the audit first."""
    body, by = call.body, read_by(call.visitor, call.body.get("reader", ""))
    with call.engine.connect() as connection:
        run_id = run_named(connection, body["run"]).id if "run" in body else None
    scope = ReviewScope(run_id=run_id, reason=body.get("cause"))
    return turn_document(call.engine, call.actor, by, scope, body.get("skip"))


def leave_all(call: ApiCall) -> dict[str, Any]:
    """They read nothing any more."""
    by = read_by(call.visitor, call.body.get("reader", ""))
    return {"freed": leave(call.engine, ReadingKind.REVIEW, by)}
