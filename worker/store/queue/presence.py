"""Heartbeats: which workers are alive, and what each may hold in flight."""

import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from sqlalchemy import Connection, Engine, text

from worker.store.audit import RUNG, audit

FORGET_AFTER_S = 3600


@dataclass(frozen=True, slots=True)
class Presence:
    """A worker process, and its calls in flight by queue."""

    worker_id: str
    capacity: Mapping[str, int]


def beat(
    engine: Engine,
    me: Presence,
    in_flight: Mapping[str, int],
    in_hand: Mapping[str, int] | None = None,
) -> None:
    """Renews the worker's row. `in_hand` counts jobs delivered to it and not claimed yet."""
    values = {
        "id": me.worker_id,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "version": version("rung"),
        "capacity": json.dumps(me.capacity),
        "in_flight": json.dumps(in_flight),
        "in_hand": json.dumps(in_hand or {}),
    }
    with engine.begin() as connection:
        connection.execute(BEAT, values)
        connection.execute(FORGET, {"after": FORGET_AFTER_S})


def leave(engine: Engine, me: Presence) -> None:
    """Takes the worker off the list, at the end of a clean stop."""
    with engine.begin() as connection:
        connection.execute(LEAVE, {"id": me.worker_id})


def unclaimed(
    engine: Engine, worker_id: str, queues: Sequence[str], overdue_s: float
) -> dict[str, int]:
    """Jobs by queue that were dispatched over `overdue_s` ago, and that neither are claimed nor
    are in the hand of another live worker."""
    values = {"worker": worker_id, "queues": list(queues), "overdue": overdue_s}
    with engine.begin() as connection:
        return {row.queue: row.jobs for row in connection.execute(UNCLAIMED, values)}


def note(engine: Engine, worker_id: str, words: str) -> None:
    """Says what is wrong with a worker that is about to end itself."""
    with engine.begin() as connection:
        connection.execute(NOTE, {"id": worker_id, "words": words})
        audit(connection, RUNG, "watchdog", worker_id, 1, reason=words)


def noted(connection: Connection) -> list[tuple[str, str]]:
    """Workers with something wrong, and what; forgotten after an hour."""
    return [(row.id, row.note) for row in connection.execute(NOTED)]


def live_queues(engine: Engine) -> int:
    """How many (worker, queue) pairs are alive."""
    with engine.begin() as connection:
        return int(connection.execute(LIVE_QUEUES).scalar_one())


def workers_of(engine: Engine, pid: int) -> list[str]:
    """Ids of the workers that were this process of this host; takes them off the list."""
    values = {"host": socket.gethostname(), "pid": pid}
    with engine.begin() as connection:
        return list(connection.execute(TAKE_OFF, values).scalars())


BEAT = text("""
INSERT INTO workers AS w (id, host, pid, version, capacity, in_flight, in_hand)
VALUES (:id, :host, :pid, :version, CAST(:capacity AS jsonb), CAST(:in_flight AS jsonb),
  CAST(:in_hand AS jsonb))
ON CONFLICT (id) DO UPDATE SET in_flight = excluded.in_flight, in_hand = excluded.in_hand,
  seen_at = now(),
  last_claim_at = CASE WHEN w.in_flight IS DISTINCT FROM excluded.in_flight THEN now()
    ELSE w.last_claim_at END
""")
# A worker of the version before takes no mark away when it claims.
UNCLAIMED = text("""
SELECT queue, jobs FROM (
  SELECT d.queue, d.jobs - coalesce((
    SELECT sum((w.in_hand ->> d.queue)::int) FROM workers AS w
    WHERE w.id <> :worker AND w.seen_at > now() - interval '10 seconds'), 0) AS jobs
  FROM (
    SELECT m.queue, count(*) AS jobs FROM dispatches AS m CROSS JOIN LATERAL (
      SELECT queue, lease_until FROM jobs WHERE id = m.job_id OFFSET 0) AS j
    WHERE m.queue = ANY(:queues) AND m.dispatched_at < now() - make_interval(secs => :overdue)
      AND j.queue = m.queue AND j.lease_until IS NULL
    GROUP BY m.queue) AS d) AS left_over
WHERE jobs > 0 ORDER BY queue
""")
NOTE = text("UPDATE workers SET note = :words, stopping = true WHERE id = :id")
NOTED = text("SELECT id, note FROM workers WHERE note IS NOT NULL ORDER BY seen_at DESC")
FORGET = text("DELETE FROM workers WHERE seen_at < now() - make_interval(secs => :after)")
LEAVE = text("DELETE FROM workers WHERE id = :id")
TAKE_OFF = text("DELETE FROM workers WHERE host = :host AND pid = :pid RETURNING id")
LIVE_QUEUES = text("""
SELECT count(*) FROM workers, jsonb_each(capacity)
WHERE seen_at > now() - interval '10 seconds' AND NOT stopping
""")
