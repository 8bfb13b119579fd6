"""Halts: queues that Rung itself pauses, and says so wherever people look."""

from sqlalchemy import Connection, text

from models.vocabulary import EVERYTHING
from worker.store.audit import Actor, audit
from worker.store.queue import notices

RUNG = Actor("rung")


def halt(connection: Connection, queue: str, reason: str) -> bool:
    """Pauses a queue, or `everything`. False when it was paused already. `reason` holds no
    message text."""
    paused_at = connection.execute(HALT, {"name": queue, "reason": reason}).scalar()
    if paused_at is None:
        return False
    audit(connection, RUNG, "pause", queue, 1, reason=reason)
    what = "Everything" if queue == EVERYTHING else f"The queue {queue}"
    sentence = f"{what} is paused: {reason}. Go on with: rung resume {queue}"
    notices.note(connection, "paused", f"{queue}:{paused_at}", queue, sentence, reason=reason)
    return True


HALT = text("""
INSERT INTO tiers AS t (name, paused, paused_reason, paused_by, paused_at)
VALUES (:name, true, :reason, 'rung', now())
ON CONFLICT (name) DO UPDATE SET paused = true, paused_reason = excluded.paused_reason,
  paused_by = excluded.paused_by, paused_at = excluded.paused_at, updated_at = now()
WHERE NOT t.paused
RETURNING paused_at
""")
