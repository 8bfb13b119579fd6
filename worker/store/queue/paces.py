"""How fast live runs go: counters of the last two minutes, kept for every process that forecasts.

Nothing is counted for this: what a run has done is read from its tallies every few seconds, by
whichever worker comes first. Two dozen small rows a run, so any screen may read them.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, text

from worker.domain.completion import PaceSample

EVERY_S = 5.0
PACE_SLOTS = 24
KEPT_S = EVERY_S * PACE_SLOTS
RUNS = 200
"""Runs whose pace is kept, the first served first."""
ENDED = "ended"
"""Beside `routing` and the tiers: jobs in a terminal state."""


def note_paces(engine: Engine) -> None:
    """Keeps what live runs have done so far, unless somebody did so just now."""
    with engine.begin() as connection:
        values = {"every": 0.9 * EVERY_S, "slots": PACE_SLOTS, "step": EVERY_S, "runs": RUNS}
        connection.execute(NOTE, values)
        connection.execute(FORGET, {"after": 5 * KEPT_S})


def forget_paces(connection: Connection, run_id: int | None = None) -> None:
    """Something that kept a run (None: any run) back was lifted just now: how it went until then
    says nothing of how it will go on, and would have it called late."""
    connection.execute(LIFTED, {"run": run_id})


def pace_samples(connection: Connection, runs: Sequence[int]) -> dict[int, list[PaceSample]]:
    """What these runs had done at moments of the last two minutes, oldest first."""
    found: dict[int, list[PaceSample]] = {run_id: [] for run_id in runs}
    values = {"runs": list(runs), "kept": KEPT_S + EVERY_S}
    for row in connection.execute(SAMPLES, values):
        found[row.run_id].append(PaceSample(row.at, row.done))
    return found


# Of the runs in `chosen`, whose tallies are `counts`. An answer given at a tier either ended the
# job there or sent it up.
DONE_OF_CHOSEN = f"""
  SELECT run_id, 'routing' AS queue, sum(jobs) AS done FROM counts
  WHERE state NOT IN ('queued', 'cancelled') GROUP BY 1
  UNION ALL
  SELECT run_id, tier, sum(done) FROM (
    SELECT run_id, tier, jobs AS done FROM counts WHERE state IN ('answered', 'review', 'dead')
    UNION ALL
    SELECT e.run_id, e.from_tier, e.escalations FROM run_escalations AS e
    JOIN chosen ON chosen.id = e.run_id WHERE e.to_tier <> 'person') AS given
  WHERE tier <> '' GROUP BY 1, 2
  UNION ALL
  SELECT run_id, '{ENDED}', sum(jobs) FROM counts
  WHERE state IN ('answered', 'review', 'dead', 'cancelled') GROUP BY 1
"""  # noqa: S608 - a constant of this module
# A run without a job yet has no pace, and may be taken back at any moment.
NOTE = text(f"""
WITH chosen AS (
  SELECT id FROM runs WHERE finished_at IS NULL
    AND EXISTS (SELECT FROM run_counts WHERE run_id = runs.id)
    AND NOT EXISTS (SELECT FROM run_paces WHERE at > now() - make_interval(secs => :every))
  ORDER BY priority DESC, id LIMIT :runs
), counts AS (SELECT c.* FROM run_counts AS c JOIN chosen ON chosen.id = c.run_id
), done AS ({DONE_OF_CHOSEN})
INSERT INTO run_paces AS p (run_id, slot, at, done)
SELECT chosen.id, (extract(epoch FROM now())::bigint / CAST(:step AS int)) % :slots, now(),
  coalesce((SELECT jsonb_object_agg(queue, done) FROM done WHERE run_id = chosen.id), '{{}}')
FROM chosen
ON CONFLICT (run_id, slot) DO UPDATE SET at = excluded.at, done = excluded.done
""")  # noqa: S608 - a constant of this module

FORGET = text("DELETE FROM run_paces WHERE at < now() - make_interval(secs => :after)")

LIFTED = text("""
DELETE FROM run_paces WHERE CAST(:run AS bigint) IS NULL OR run_id = :run
""")

SAMPLES = text("""
SELECT run_id, at, done FROM run_paces
WHERE run_id = ANY(:runs) AND at > now() - make_interval(secs => :kept) ORDER BY run_id, at
""")
