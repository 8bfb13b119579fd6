"""How runs, queues and tiers stand. Reads counters and the small indexes of what is outstanding:
nothing here grows with the table."""

from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import EVERYTHING
from worker.domain.hold_words import pause_words
from worker.store.queue.lookup_failures import failing_lookups
from worker.store.reading.queue_holds import queue_holds


def troubles(connection: Connection) -> list[str]:
    """Why queues stand still or are slow, in sentences: pauses, holds, breakers, canaries, and
    look-ups that bring nothing."""
    failing = failing_lookups(connection)
    return [*(hold.words for hold in queue_holds(connection)), *(one.words for one in failing)]


def batches_of(connection: Connection, run_id: int) -> list[dict[str, Any]]:
    """Message Batches under way that hold jobs of a run, oldest first. Claude says nothing of a
    batch before it has ended, so its age is all the progress there is."""
    return [dict(row) for row in connection.execute(BATCHES, {"run": run_id}).mappings()]


def queues(connection: Connection, names: list[str]) -> list[dict[str, Any]]:
    """Each queue: waiting, dispatched, in flight, workers, paused and why."""
    found = {row["queue"]: dict(row) for row in connection.execute(QUEUES).mappings()}
    waiting: dict[str, int] = {row[0]: row[1] for row in connection.execute(WAITING)}
    troubles = {row.name: row for row in connection.execute(TIERS)}
    return [
        {
            "queue": name,
            # Two statements, so two moments: what was claimed between them is not waiting.
            "waiting": max(int(waiting.get(name, 0)) - found.get(name, {}).get("leased", 0), 0),
            "in_flight": found.get(name, {}).get("leased", 0),
            "workers": found.get(name, {}).get("workers", 0),
            **_trouble(troubles.get(name)),
        }
        for name in names
    ]


def today(connection: Connection) -> dict[str, Any] | None:
    """The budget of the current UTC day; None before its first claim."""
    row = connection.execute(TODAY).mappings().one_or_none()
    return dict(row) if row is not None else None


def paused_everything(connection: Connection) -> str | None:
    """By whom everything is paused, since when and why; None when it is not."""
    row = connection.execute(PAUSED_ALL).one_or_none()
    if row is None:
        return None
    return pause_words(
        EVERYTHING, by=row.paused_by, since=row.paused_at, reason=row.paused_reason, now=row.now
    )


def _trouble(row: Row[Any] | None) -> dict[str, Any]:
    return {
        "paused": bool(row is not None and row.paused),
        "paused_reason": row.paused_reason if row is not None and row.paused else None,
        "paused_by": row.paused_by if row is not None and row.paused else None,
        "paused_at": row.paused_at if row is not None and row.paused else None,
        "breaker": row.breaker if row is not None else "closed",
        "breaker_until": row.breaker_until if row is not None else None,
        "breaker_reason": row.breaker_reason if row is not None else None,
        "held_s": max(row.held_s or 0.0, 0.0) if row is not None else 0.0,
        "held_reason": row.held_reason if row is not None and (row.held_s or 0) > 0 else None,
    }


QUEUES = text("""
SELECT coalesce(l.queue, w.queue) AS queue, coalesce(l.leased, 0) AS leased,
  coalesce(w.workers, 0) AS workers
FROM (
  SELECT queue, count(*) AS leased FROM (
    SELECT queue FROM jobs WHERE lease_until IS NOT NULL ORDER BY queue, lease_until OFFSET 0) AS j
  GROUP BY 1) AS l
FULL JOIN (
  SELECT key AS queue, count(*) AS workers FROM workers, jsonb_each(capacity)
  WHERE seen_at > now() - interval '10 seconds' AND NOT stopping GROUP BY 1) AS w USING (queue)
""")

WAITING = text("""
SELECT CASE c.state WHEN 'queued' THEN 'routing' ELSE c.tier END, sum(c.jobs)::bigint
FROM run_counts AS c JOIN runs AS r ON r.id = c.run_id
WHERE r.finished_at IS NULL AND c.state IN ('queued', 'routed') GROUP BY 1
""")

TODAY = text("""
SELECT day, spent AS spent_usd, reserved AS reserved_usd, cap AS budget_usd,
  warned_percent AS budget_warned_percent
FROM budgets WHERE day = (now() AT TIME ZONE 'UTC')::date
""")
TIERS = text("SELECT *, extract(epoch FROM held_until - now())::float8 AS held_s FROM tiers")
PAUSED_ALL = text("""
SELECT paused_reason, paused_by, paused_at, now() AS now FROM tiers
WHERE name = 'everything' AND paused
""")
BATCHES = text("""
SELECT id AS batch, state, stage, tier, requests, error, submitted_at,
  extract(epoch FROM now() - coalesce(submitted_at, created_at))::float8 AS age_s
FROM message_batches AS b
WHERE state IN ('intended', 'submitted', 'ended') AND EXISTS (
  SELECT FROM (SELECT job_id FROM attempts WHERE batch_id = b.id OFFSET 0) AS a
  CROSS JOIN LATERAL (SELECT run_id FROM jobs WHERE id = a.job_id OFFSET 0) AS j
  WHERE j.run_id = :run OFFSET 0)
ORDER BY id LIMIT 200
""")
