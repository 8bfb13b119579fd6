"""Dispatch: publish ids, few at a time.

A delivery is a hint. What is dispatched and not claimed within `redispatch_s` is dispatched again,
so a lost, flushed or restarted Redis costs that delay and nothing else. Queues stay shallow: no
more is outstanding (dispatched or leased) than the live workers of a queue can hold twice over, so
pause, cancel and priority act within seconds.

Promises: anyone may call this in any number of copies (an advisory lock lets one at a time
through); a job is published only after its mark is committed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Row, text

from worker.store.rows import as_json

OUTSTANDING_FACTOR = 2
DISPATCH_LOCK = 0x52554E48


@dataclass(frozen=True, slots=True)
class Chunk:
    """Job ids for one Celery task."""

    queue: str
    ids: tuple[int, ...]


def dispatch(
    engine: Engine, *, chunk: int, redispatch_s: float, workers_seen_s: float = 10
) -> list[Chunk]:
    """Marks ready jobs as dispatched and returns them in chunks, for the caller to publish."""
    with engine.begin() as connection:
        if not connection.execute(TRY_LOCK, {"key": DISPATCH_LOCK}).scalar_one():
            return []
        connection.execute(FORGET_STALE, {"after": redispatch_s})
        rows = connection.execute(
            ROOM, {"seen": workers_seen_s, "factor": OUTSTANDING_FACTOR}
        ).all()
        free = ((row.queue, _whole_chunks(row, chunk)) for row in rows)
        rooms = [{"queue": queue, "room": room} for queue, room in free if room]
        taken = connection.execute(TAKE, {"rooms": as_json(rooms)}).all() if rooms else []
    by_queue: dict[str, list[int]] = {}
    for queue, job_id in taken:
        by_queue.setdefault(queue, []).append(job_id)
    return [part for queue, ids in by_queue.items() for part in _chunks(queue, ids, chunk)]


def _whole_chunks(row: Row[Any], chunk: int) -> int:
    """Room for whole chunks: a slow queue whose room comes free job by job would otherwise fill the
    worker's threads with small ones, and keep the other queues' chunks waiting."""
    size = max(min(chunk, int(row.capacity)), 1)
    return max(int(row.room) // size * size, 0)


def undo(engine: Engine, chunks: Sequence[Chunk]) -> None:
    """Takes the mark back from chunks that could not be published. Had one been delivered after
    all, the second delivery would find its jobs claimed."""
    ids = [job_id for chunk in chunks for job_id in chunk.ids]
    with engine.begin() as connection:
        connection.execute(UNMARK, {"ids": ids})


def _chunks(queue: str, ids: Sequence[int], size: int) -> Iterator[Chunk]:
    for start in range(0, len(ids), size):
        yield Chunk(queue, tuple(ids[start : start + size]))


TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")

FORGET_STALE = text("""
UPDATE jobs SET dispatched_at = NULL WHERE id = ANY(ARRAY(
  SELECT id FROM jobs
  WHERE dispatched_at < now() - make_interval(secs => :after)
  ORDER BY dispatched_at LIMIT 10000 FOR UPDATE SKIP LOCKED))
""")

# Capacity of the live workers of each queue, less what is outstanding. Both partial indexes hold
# only outstanding jobs, so this does not grow with the table.
ROOM = text("""
SELECT c.queue, (c.capacity * :factor - coalesce(o.outstanding, 0))::int AS room,
  c.capacity::int AS capacity
FROM (
  SELECT key AS queue, sum(value::int) AS capacity
  FROM workers, jsonb_each_text(capacity)
  WHERE seen_at > now() - make_interval(secs => :seen) AND NOT stopping
  GROUP BY key
) AS c
LEFT JOIN LATERAL (
  SELECT count(*) AS outstanding FROM (
    SELECT 1 FROM jobs WHERE queue = c.queue AND dispatched_at IS NOT NULL
    UNION ALL
    SELECT 1 FROM jobs WHERE queue = c.queue AND lease_until IS NOT NULL) AS held
) AS o ON true
WHERE NOT EXISTS (
  SELECT FROM tiers t WHERE t.name IN (c.queue, 'everything')
    AND (t.paused OR (t.breaker = 'open' AND t.breaker_until > now())))
ORDER BY c.queue
""")

# One index range for each active run and queue with room, in the order of the runs' priority: jobs
# of paused and finished runs are never looked at.
TAKE = text("""
WITH ready AS (
  SELECT one.id FROM jsonb_to_recordset(CAST(:rooms AS jsonb)) AS q(queue text, room int)
  CROSS JOIN LATERAL (
    SELECT j.id
    FROM runs AS r CROSS JOIN LATERAL (
      SELECT id FROM jobs
      WHERE run_id = r.id AND queue = q.queue AND lease_until IS NULL AND dispatched_at IS NULL
        AND available_at <= now()
      ORDER BY priority DESC, available_at, id
      LIMIT q.room FOR UPDATE SKIP LOCKED
    ) AS j
    WHERE r.state = 'active' AND r.finished_at IS NULL
    ORDER BY r.priority DESC, r.id LIMIT q.room
  ) AS one
)
UPDATE jobs SET dispatched_at = now() WHERE id = ANY(ARRAY(SELECT id FROM ready))
RETURNING queue, id
""")

UNMARK = text(
    "UPDATE jobs SET dispatched_at = NULL WHERE id = ANY(:ids) AND dispatched_at IS NOT NULL"
)
