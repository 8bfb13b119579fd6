"""Halts: queues that are paused, and those that Rung itself pauses, which it says wherever people
look."""

import datetime as dt

from sqlalchemy import Connection, text

from models.vocabulary import EVERYTHING
from worker.domain.hold_words import is_canary, pause_words
from worker.store.audit import RUNG, Actor, audit
from worker.store.queue import notices


def halt(connection: Connection, queue: str, reason: str) -> bool:
    """Pauses a queue, or `everything`. False when it was paused already. `reason` holds no
    message text."""
    paused_at = hold(connection, queue, reason, RUNG)
    if paused_at is None:
        return False
    audit(connection, RUNG, "pause", queue, 1, reason=reason)
    what = "Everything" if queue == EVERYTHING else f"The queue {queue}"
    pause = pause_words(what, by=RUNG.name, since=paused_at, reason=reason, now=paused_at)
    go_on = f"Go on with: rung resume {queue}"
    if is_canary(reason):
        go_on = f"rung status names what failed. If that is in order: rung resume {queue} --anyway"
    sentence = f"{pause}. {go_on}"
    notices.note(
        connection,
        "paused",
        key=f"{queue}:{paused_at}",
        target=queue,
        words=sentence,
        reason=reason,
    )
    return True


def hold(connection: Connection, queue: str, reason: str, actor: Actor) -> dt.datetime | None:
    """Marks a queue, or `everything`, as paused; a person's word takes the place of an earlier
    one, Rung's own does not: then it returns None."""
    values = {"name": queue, "reason": reason, "by": actor.name, "again": actor != RUNG}
    paused_at: dt.datetime | None = connection.execute(HOLD, values).scalar()
    return paused_at


HOLD = text("""
INSERT INTO tiers AS t (name, paused, paused_reason, paused_by, paused_at)
VALUES (:name, true, :reason, :by, now())
ON CONFLICT (name) DO UPDATE SET paused = true, paused_reason = excluded.paused_reason,
  paused_by = excluded.paused_by, paused_at = excluded.paused_at, updated_at = now()
WHERE :again OR NOT t.paused
RETURNING paused_at
""")
