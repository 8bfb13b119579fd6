"""Heartbeats: which workers are alive, and what each may hold in flight."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from sqlalchemy import Engine, text

FORGET_AFTER_S = 3600


@dataclass(frozen=True, slots=True)
class Presence:
    """A worker process, and its calls in flight by queue."""

    worker_id: str
    capacity: Mapping[str, int]


def beat(engine: Engine, me: Presence, in_flight: Mapping[str, int]) -> None:
    """Renews the worker's row."""
    values = {
        "id": me.worker_id,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "version": version("rung"),
        "capacity": json.dumps(me.capacity),
        "in_flight": json.dumps(in_flight),
    }
    with engine.begin() as connection:
        connection.execute(BEAT, values)
        connection.execute(FORGET, {"after": FORGET_AFTER_S})


def leave(engine: Engine, me: Presence) -> None:
    """Takes the worker off the list, at the end of a clean stop."""
    with engine.begin() as connection:
        connection.execute(LEAVE, {"id": me.worker_id})


def live_queues(engine: Engine) -> int:
    """How many (worker, queue) pairs are alive."""
    with engine.connect() as connection:
        return int(connection.execute(LIVE_QUEUES).scalar_one())


def workers_of(engine: Engine, pid: int) -> list[str]:
    """Ids of the workers that were this process of this host; takes them off the list."""
    values = {"host": socket.gethostname(), "pid": pid}
    with engine.begin() as connection:
        return list(connection.execute(TAKE_OFF, values).scalars())


BEAT = text("""
INSERT INTO workers AS w (id, host, pid, version, capacity, in_flight)
VALUES (:id, :host, :pid, :version, CAST(:capacity AS jsonb), CAST(:in_flight AS jsonb))
ON CONFLICT (id) DO UPDATE SET in_flight = excluded.in_flight, seen_at = now(),
  last_claim_at = CASE WHEN w.in_flight IS DISTINCT FROM excluded.in_flight THEN now()
    ELSE w.last_claim_at END
""")
FORGET = text("DELETE FROM workers WHERE seen_at < now() - make_interval(secs => :after)")
LEAVE = text("DELETE FROM workers WHERE id = :id")
TAKE_OFF = text("DELETE FROM workers WHERE host = :host AND pid = :pid RETURNING id")
LIVE_QUEUES = text("""
SELECT count(*) FROM workers, jsonb_each(capacity)
WHERE seen_at > now() - interval '10 seconds' AND NOT stopping
""")
