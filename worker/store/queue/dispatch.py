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

from sqlalchemy import Connection, Engine, Row, text

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


def unmark_ended(connection: Connection) -> None:
    """Takes the mark from jobs that have ended, after the statement that ended them: they make
    room at once."""
    connection.execute(UNMARK_ENDED)


def _chunks(queue: str, ids: Sequence[int], size: int) -> Iterator[Chunk]:
    for start in range(0, len(ids), size):
        yield Chunk(queue, tuple(ids[start : start + size]))


TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")

FORGET_STALE = text("""
DELETE FROM dispatches WHERE job_id = ANY(ARRAY(
  SELECT job_id FROM dispatches WHERE dispatched_at < now() - make_interval(secs => :after)
  FOR UPDATE SKIP LOCKED))
""")

# Capacity of the live workers of each queue, less what is outstanding. Marks and the index of
# leases are of outstanding jobs alone, so this does not grow with the table.
ROOM = text("""
SELECT c.queue, (c.capacity * :factor - coalesce(d.jobs, 0) - o.jobs)::int AS room,
  c.capacity::int AS capacity
FROM (
  SELECT key AS queue, sum(value::int) AS capacity
  FROM workers, jsonb_each_text(capacity)
  WHERE seen_at > now() - make_interval(secs => :seen) AND NOT stopping
  GROUP BY key
) AS c
LEFT JOIN (SELECT queue, count(*) AS jobs FROM dispatches GROUP BY queue) AS d USING (queue)
CROSS JOIN LATERAL (
  SELECT count(*) AS jobs FROM jobs WHERE queue = c.queue AND lease_until IS NOT NULL) AS o
WHERE NOT EXISTS (
  SELECT FROM tiers t WHERE t.name IN (c.queue, 'everything')
    AND (t.paused OR (t.breaker = 'open' AND t.breaker_until > now())))
ORDER BY c.queue
""")

# One index range for each active run and queue with room, in the order of the runs' priority: jobs
# of paused and finished runs are never looked at. What is marked is still in that range, and is no
# more than the queues hold. A row's lock keeps a claim from taking what is being marked.
TAKE = text("""
WITH ready AS (
  SELECT q.queue, one.id FROM jsonb_to_recordset(CAST(:rooms AS jsonb)) AS q(queue text, room int)
  CROSS JOIN LATERAL (
    SELECT j.id
    FROM runs AS r CROSS JOIN LATERAL (
      SELECT id FROM jobs
      WHERE run_id = r.id AND queue = q.queue AND lease_until IS NULL AND available_at <= now()
        AND id NOT IN (SELECT job_id FROM dispatches)
      ORDER BY priority DESC, available_at, id
      LIMIT q.room FOR UPDATE SKIP LOCKED
    ) AS j
    WHERE r.state = 'active' AND r.finished_at IS NULL
    ORDER BY r.priority DESC, r.id LIMIT q.room
  ) AS one
)
INSERT INTO dispatches (job_id, queue) SELECT id, queue FROM ready RETURNING queue, job_id
""")

UNMARK = text("""
DELETE FROM dispatches WHERE job_id = ANY(ARRAY(
  SELECT job_id FROM dispatches WHERE job_id = ANY(:ids) FOR UPDATE SKIP LOCKED))
""")

# A statement of its own after the one that ends jobs, so that it sees marks of before its locks.
UNMARK_ENDED = text("""
DELETE FROM dispatches WHERE job_id = ANY(ARRAY(
  SELECT d.job_id FROM dispatches AS d CROSS JOIN LATERAL (
    SELECT finished_at FROM jobs WHERE id = d.job_id OFFSET 0) AS j
  WHERE j.finished_at IS NOT NULL FOR UPDATE OF d SKIP LOCKED))
""")
