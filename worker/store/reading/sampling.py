"""What the jobs of a run were like, from a fair sample of bounded size: for charts.

The run's messages are cut into `POINTS` stretches, and the first `EACH` jobs of every stretch are
looked at. A run of up to `POINTS * EACH` jobs is looked at whole.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

POINTS, EACH = 25, 60
BINS = 20
STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """`jobs` were looked at, of all. `confidence`: answers by tier and bin of 1/BINS, accepted or
    not. `latency`: seconds waited and taken, medians and ninth deciles, by stage and tier.
    `costs`: dollars and ended attempts in each of STEPS equal steps from `begun` to `ended`."""

    jobs: int
    confidence: list[dict[str, Any]]
    thresholds: dict[str, float]
    latency: list[dict[str, Any]]
    costs: list[dict[str, Any]]


def sample_of(connection: Connection, run_id: int) -> Sample:
    """A sample of the run; about 1,500 jobs at the most, whatever its size."""
    ids = list(
        connection.execute(SAMPLE, {"run": run_id, "points": POINTS, "each": EACH}).scalars()
    )
    if not ids:
        return Sample(jobs=0, confidence=[], thresholds={}, latency=[], costs=[])
    chosen = {"ids": ids, "bins": BINS, "steps": STEPS}
    confidence = [dict(row) for row in connection.execute(CONFIDENCE, chosen).mappings()]
    thresholds = {row["tier"]: float(row["threshold"]) for row in confidence if row["threshold"]}
    return Sample(
        jobs=len(ids),
        confidence=confidence,
        thresholds=thresholds,
        latency=[dict(row) for row in connection.execute(LATENCY, chosen).mappings()],
        costs=[dict(row) for row in connection.execute(COSTS, chosen).mappings()],
    )


SAMPLE = text("""
WITH bounds AS (SELECT
  (SELECT message_id FROM jobs WHERE run_id = :run ORDER BY message_id LIMIT 1) AS low,
  (SELECT message_id FROM jobs WHERE run_id = :run ORDER BY message_id DESC LIMIT 1) AS high),
points AS (
  SELECT low + (high - low) * n / :points AS at
  FROM bounds, generate_series(0, :points - 1) AS n WHERE low IS NOT NULL)
SELECT DISTINCT j.id FROM points CROSS JOIN LATERAL (
  SELECT id FROM jobs WHERE run_id = :run AND message_id >= points.at
  ORDER BY run_id, message_id LIMIT :each) AS j
""")
CONFIDENCE = text("""
SELECT tier, least(floor(confidence * :bins)::int, :bins - 1) AS bin,
  outcome = 'accepted' AS passed, max(threshold) AS threshold, count(*) AS answers
FROM attempts WHERE job_id = ANY(:ids) AND stage = 'answer' AND confidence IS NOT NULL
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")
LATENCY = text("""
SELECT stage, tier, count(*) AS attempts,
  percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
    ORDER BY extract(epoch FROM claimed_at - available_at)::float8) AS waited_s,
  percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
    ORDER BY extract(epoch FROM finished_at - claimed_at)::float8) AS took_s
FROM attempts WHERE job_id = ANY(:ids) AND finished_at IS NOT NULL AND model IS NOT NULL
GROUP BY 1, 2
""")
COSTS = text("""
WITH done AS (
  SELECT finished_at, cost FROM attempts WHERE job_id = ANY(:ids) AND finished_at IS NOT NULL),
bounds AS (SELECT min(finished_at) AS low, max(finished_at) AS high FROM done)
SELECT least(width_bucket(extract(epoch FROM finished_at), extract(epoch FROM low),
    extract(epoch FROM high) + 0.001, :steps), :steps) - 1 AS step,
  sum(cost) AS cost, count(*) AS attempts, low AS begun, high AS ended
FROM done, bounds GROUP BY 1, low, high ORDER BY 1
""")
