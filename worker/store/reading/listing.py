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
GROUPED = 2_500
"""Dead letters or reviews that are grouped by cause: the newest."""


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


def attention(
    connection: Connection,
    state: str,
    run_id: int | None,
    reason: str | None,
    before: tuple[int, int] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Dead letters, or what waits for a verdict, newest run first, by their own small index."""
    values = {
        "run": run_id,
        "reason": reason,
        "before_run": before[0] if before else None,
        "before_job": before[1] if before else None,
        "limit": limit,
        # Only a cause has to be looked for; the planner reads a small limit from the index's end.
        "window": limit if reason is None else GROUPED,
    }
    return [dict(row) for row in connection.execute(ATTENTION[state], values).mappings()]


def causes(connection: Connection, state: str, run_id: int | None) -> list[dict[str, Any]]:
    """How many of the newest `GROUPED` for each run and reason, most frequent first."""
    values = {"run": run_id, "window": GROUPED}
    return [dict(row) for row in connection.execute(CAUSES[state], values).mappings()]


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

# The state is written out: so the partial index serves, and the planner knows how many there are.
ATTENTION_OF = """
SELECT j.id AS job, j.run_id, r.name AS run, m.source, m.external_id, m.channel, j.tier,
  j.attempts, j.reason, j.cost AS cost_usd, j.finished_at, s.confidence, s.job_id IS NOT NULL AS
  answered, v.verdict, v.reviewer, now() AS now
FROM (
  SELECT * FROM jobs WHERE state = '{state}'
    AND (CAST(:run AS bigint) IS NULL OR run_id = :run)
    AND (CAST(:before_run AS bigint) IS NULL OR (run_id, id) < (:before_run, :before_job))
  ORDER BY run_id DESC, id DESC LIMIT :window) AS j
JOIN runs AS r ON r.id = j.run_id JOIN messages AS m ON m.id = j.message_id
LEFT JOIN results AS s ON s.job_id = j.id
LEFT JOIN LATERAL (
  SELECT verdict, reviewer FROM reviews WHERE job_id = j.id ORDER BY id DESC LIMIT 1) AS v ON true
WHERE CAST(:reason AS text) IS NULL OR j.reason = :reason
ORDER BY j.run_id DESC, j.id DESC LIMIT :limit
"""
CAUSES_OF = """
SELECT j.run_id, r.name AS run, r.state AS run_state, j.reason, count(*) AS jobs,
  min(j.finished_at) AS since, max(j.finished_at) AS until, now() AS now
FROM (
  SELECT run_id, reason, finished_at FROM jobs
  WHERE state = '{state}'
    AND (CAST(:run AS bigint) IS NULL OR run_id = :run)
  ORDER BY run_id DESC, id DESC LIMIT :window) AS j
JOIN runs AS r ON r.id = j.run_id
GROUP BY 1, 2, 3, 4 ORDER BY jobs DESC, 1 DESC, 4
"""
ATTENTION = {state: text(ATTENTION_OF.format(state=state)) for state in ("dead", "review")}
CAUSES = {state: text(CAUSES_OF.format(state=state)) for state in ("dead", "review")}
