"""Lists of jobs, newest first, at a bounded cost whatever is asked for.

A filter that few jobs meet could look through the whole table. So a page looks at no more than
`WINDOW` jobs, says how far it came, and goes on from there when asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select, text
from sqlalchemy.orm import InstrumentedAttribute

from models.jobs import Job
from models.messages import Message
from models.results import Result
from models.runs import Run
from worker.domain.filters import Node
from worker.store.filter_sql import JOINED, condition

Chosen = Select[*tuple[Any, ...]]
WINDOW = 2_500


@dataclass(frozen=True, slots=True)
class Page:
    """Jobs, and where the next page begins (None at the end). `looked_at` is set where the page
    ends because it has looked at enough, rather than because it is full."""

    jobs: Sequence[dict[str, Any]]
    next: int | None
    looked_at: int | None = None


def list_jobs(
    connection: Connection, *, run_id: int | None, node: Node | None, before: int | None, limit: int
) -> Page:
    """A page of the jobs that meet a filter, of one run or of all. `before` is the `next` of the
    page before; it is a message's id within a run, and a job's id otherwise."""
    size = WINDOW if node is not None else limit + 1
    place = Job.id if run_id is None else Job.message_id
    window = _window(place, run_id, before, size).subquery("seen")
    seen, lowest = connection.execute(select(func.count(), func.min(window.c.place))).one()
    if not seen:
        return Page([], None)
    # A range of the same index: its rows lie together, and none is looked up one by one.
    wanted = _within(select(*COLUMNS, place.label("place")).select_from(JOINED), run_id, before)
    wanted = wanted.where(place >= lowest).order_by(place.desc()).limit(limit + 1)
    if node is not None:
        wanted = wanted.where(condition(node))
    # Left to itself, the planner hashes whole tables for a filter on reasons or findings.
    connection.execute(NO_WHOLE_TABLES)
    rows = [dict(row) for row in connection.execute(wanted).mappings()]
    connection.execute(AS_BEFORE)
    if len(rows) > limit:
        return Page(rows[:limit], rows[limit - 1]["place"])
    if node is None:
        return Page(rows, None)
    return Page(rows, lowest, seen) if seen == size else Page(rows, None)


def jobs_with_id(connection: Connection, external_id: str, limit: int) -> list[dict[str, Any]]:
    """Jobs of the message that is known by this id, newest first."""
    wanted = (
        select(*COLUMNS)
        .select_from(JOINED)
        .where(Message.external_id == external_id)
        .order_by(Job.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(wanted).mappings()]


def exists(connection: Connection, job_id: int) -> bool:
    """Whether there is a job with this id."""
    return connection.execute(select(Job.id).where(Job.id == job_id)).scalar() is not None


def _window(
    place: InstrumentedAttribute[int], run_id: int | None, before: int | None, size: int
) -> Chosen:
    """Places of the newest jobs, by an index alone: ids, or within a run those of its messages."""
    chosen = select(place.label("place")).order_by(place.desc()).limit(size)
    return _within(chosen, run_id, before)


def _within(chosen: Chosen, run_id: int | None, before: int | None) -> Chosen:
    """Of the run, and before the place where the last page ended."""
    place = Job.id if run_id is None else Job.message_id
    if run_id is not None:
        chosen = chosen.where(Job.run_id == run_id)
    return chosen.where(place < before) if before is not None else chosen


COLUMNS = (
    Job.id.label("job"),
    Job.run_id,
    Run.name.label("run"),
    Message.source,
    Message.external_id,
    Message.channel,
    Message.language,
    Job.state,
    func.coalesce(Result.tier, Job.tier).label("tier"),
    Job.difficulty,
    Result.confidence,
    Job.escalations,
    Job.attempts,
    Job.cost.label("cost_usd"),
    Job.reason,
    Job.created_at,
    Job.finished_at,
    Result.simulated,
)

NO_WHOLE_TABLES = text("SET LOCAL enable_seqscan = off")
AS_BEFORE = text("RESET enable_seqscan")
