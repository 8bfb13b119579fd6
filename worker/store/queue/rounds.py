"""Steps of the workers' routines: when each last came round anywhere, and statements that were
stopped."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

LATE_S = 60.0
"""A step is late when no worker has done it for so long beyond its own pace."""


@dataclass(frozen=True, slots=True)
class LateStep:
    """A step that does not come round, and for how many seconds."""

    step: str
    seconds: float


def report(engine: Engine, came_round: Mapping[str, float], stopped: int) -> None:
    """Notes that these steps (with their pace in seconds) came round, and how many statements of
    this process ran into their time since the last report."""
    values = {
        "steps": list(came_round),
        "paces": [float(every_s) for every_s in came_round.values()],
        "stopped": stopped,
    }
    with engine.begin() as connection:
        if came_round:
            connection.execute(CAME_ROUND, values)
        if stopped:
            connection.execute(STOPPED, values)


def late(connection: Connection) -> list[LateStep]:
    """Steps that no worker gets done, while workers are there to do them; the latest first."""
    return [LateStep(*row) for row in connection.execute(LATE, {"late": LATE_S})]


# In the order of names: two workers that report at once never wait for each other in a circle.
CAME_ROUND = text("""
INSERT INTO step_rounds AS s (step, every_s, done_at)
SELECT step, every_s, now()
FROM unnest(CAST(:steps AS text[]), CAST(:paces AS float8[])) AS n (step, every_s) ORDER BY step
ON CONFLICT (step) DO UPDATE SET done_at = excluded.done_at, every_s = excluded.every_s
""")
STOPPED = text("UPDATE stopped_statements SET statements = statements + :stopped")
LATE = text("""
SELECT step, extract(epoch FROM now() - done_at)::float8 - every_s AS seconds FROM step_rounds
WHERE done_at < now() - make_interval(secs => every_s + :late)
  AND EXISTS (
    SELECT FROM workers WHERE seen_at > now() - interval '10 seconds' AND NOT stopping
      AND started_at < now() - make_interval(secs => every_s + :late))
ORDER BY done_at, step
""")
