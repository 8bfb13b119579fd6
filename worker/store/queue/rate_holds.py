"""Holds: queues that send nothing for a while because Claude asked for it (`retry-after`).

Redis keeps workers to a hold; what people see of it, and their wish to lift it, is in `tiers`. So
every door lifts a hold by writing one row, and the next worker that keeps house carries it out.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Engine, text

from worker.domain.limit_headers import MAX_HOLD_S
from worker.domain.wording import span
from worker.store.queue import notices

SHOWN_FROM_S = 5.0
"""Shorter holds are the daily business of a rate limit, and not worth a row."""


def note_hold(engine: Engine, queues: Sequence[str], seconds: float, asked_s: float | None) -> None:
    """Claude refuses what these queues ask for: nobody sends for `seconds`. `asked_s` is what it
    asked for, which may be absurd: then people are told, and Rung asks again sooner."""
    if seconds < SHOWN_FROM_S or not queues:
        return
    reason = "Claude asked for a pause (429)"
    too_long = asked_s is not None and asked_s > MAX_HOLD_S
    if asked_s is not None and too_long:
        reason = f"Claude asked for {span(asked_s)} of silence (429), and is asked again sooner"
    with engine.begin() as connection:
        values = {"names": sorted(queues), "seconds": seconds, "reason": reason}
        began = connection.execute(HOLD, values).scalars().first()
        if too_long:
            words = f"{', '.join(queues)}: {reason}. Go on at once with: rung resume {queues[0]}"
            notices.note(
                connection, "held", key=f"{queues[0]}:{began}", target=queues[0], words=words
            )


def carry_out_lifts(engine: Engine, lift: Callable[[str], object]) -> list[str]:
    """Lifts the holds that somebody wants lifted: `lift` tells Redis, given a queue. Returns the
    queues. What Redis did not hear of is tried again."""
    with engine.begin() as connection:
        wanted = list(connection.execute(WANTED).scalars())
    for queue in wanted:
        lift(queue)
    if wanted:
        with engine.begin() as connection:
            connection.execute(LIFTED, {"names": wanted})
    return wanted


def ask_to_lift(connection: Connection, queue: str) -> bool:
    """Somebody wants the hold of this queue (or of all: `everything`) lifted. False without one."""
    return bool(connection.execute(ASK, {"name": queue}).rowcount)


HOLD = text("""
INSERT INTO tiers AS t (name, held_until, held_at, held_reason)
SELECT name, now() + make_interval(secs => :seconds), now(), :reason
FROM unnest(CAST(:names AS text[])) AS name ORDER BY name
ON CONFLICT (name) DO UPDATE SET
  held_until = GREATEST(t.held_until, excluded.held_until), held_reason = excluded.held_reason,
  held_at = CASE WHEN t.held_until > now() THEN t.held_at ELSE now() END, lift_asked = false
RETURNING held_at
""")
WANTED = text("SELECT name FROM tiers WHERE lift_asked ORDER BY name")
LIFTED = text("""
UPDATE tiers SET lift_asked = false, held_until = NULL, held_at = NULL, held_reason = NULL
WHERE name = ANY(:names) AND lift_asked
""")
ASK = text("""
UPDATE tiers SET lift_asked = true, updated_at = now()
WHERE held_until > now() AND (:name = 'everything' OR name = :name)
""")
