"""What shadows of runs say about the ladder, for advice."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from models.vocabulary import JUDGED
from worker.domain.proof.tier_skip import Climbs, judge_hops
from worker.domain.shadow_advice import LowerStart, Quality, ShadowFacts


def shadow_facts(connection: Connection, runs: Sequence[int], ladder: Sequence[str]) -> ShadowFacts:
    """Of these runs; nothing where none has shadows."""
    values = {"runs": list(runs)}
    if not connection.execute(ANY, values).scalar_one():
        return ShadowFacts()
    seen = {row.tier: Quality(row.right, row.judged) for row in connection.execute(RIGHT, values)}
    quality = {tier: seen[tier] for tier in ladder if tier in seen}
    return ShadowFacts(quality=quality, lower=_lower(connection, runs, ladder))


def _lower(connection: Connection, runs: Sequence[int], ladder: Sequence[str]) -> list[LowerStart]:
    """By the tier where messages started and the one below it that their shadows were asked at."""
    parts: dict[tuple[str, str], dict[str, Climbs]] = {}
    costs: dict[tuple[str, str], tuple[float, float, int]] = {}
    for row in connection.execute(LOWER, {"runs": list(runs)}):
        known = row.start in ladder and row.below in ladder
        if not known or ladder.index(row.below) >= ladder.index(row.start):
            continue
        pair = row.start, row.below
        parts.setdefault(pair, {})[row.segment] = Climbs(row.shadows, row.accepted)
        below, started, count = costs.get(pair, (0.0, 0.0, 0))
        costs[pair] = (
            below + float(row.cost), started + float(row.start_cost), count + row.shadows
        )  # fmt: skip
    return [
        LowerStart(
            start=start,
            below=below,
            hops=judge_hops(by_segment, cost / count, started / count),
        )
        for (start, below), by_segment in parts.items()
        for cost, started, count in [costs[start, below]]
    ]


ANY = text("SELECT EXISTS (SELECT FROM runs WHERE id = ANY(:runs) AND shadow_share > 0)")
# Of a shadow the answers that were needed and those that were not; what the validators did not let
# through is wrong, whoever looked.
RIGHT = text("""
WITH asked AS (
  SELECT s.job_id FROM shadows AS s WHERE s.run_id = ANY(:runs)
  UNION ALL
  SELECT k.id FROM runs AS r CROSS JOIN LATERAL (
    SELECT id FROM jobs WHERE run_id = r.id OFFSET 0) AS k
  WHERE r.kind = 'shadow' AND r.parent_id = ANY(:runs))
SELECT a.tier, count(*) AS judged,
  count(*) FILTER (WHERE t.is_right AND a.outcome = 'accepted') AS right
FROM asked AS q CROSS JOIN LATERAL (
  SELECT fence, tier, outcome FROM attempts WHERE job_id = q.job_id AND stage = 'answer'
    AND outcome IN ('accepted', 'rejected') OFFSET 0) AS a
CROSS JOIN LATERAL (
  SELECT bool_and(coalesce(is_right, false)) AS is_right FROM truths
  WHERE job_id = q.job_id AND fence = a.fence AND undone_at IS NULL AND grader <> 'tier'
  OFFSET 0) AS t
WHERE t.is_right IS NOT NULL
GROUP BY 1
""")
# An answer that was not needed counts as accepted at the threshold that its run would have asked
# for; it was asked in batches, so its price doubles where its run was not.
LOWER = text("""
SELECT f.tier AS start, a.tier AS below, coalesce(j.difficulty, '') AS segment,
  count(*) AS shadows, count(*) FILTER (
    WHERE a.outcome = 'accepted' AND (o.policy #>> '{accept,confidence}' = 'off'
      OR a.confidence >= coalesce(o.policy #>> ARRAY['accept', 'thresholds', a.tier],
        o.policy #>> '{accept,threshold}')::numeric)) AS accepted,
  sum(a.cost * CASE WHEN o.lane = 'batch' THEN 1 ELSE 2 END) AS cost, sum(f.cost) AS start_cost
FROM runs AS r CROSS JOIN LATERAL (SELECT * FROM runs WHERE id = r.parent_id OFFSET 0) AS o
CROSS JOIN LATERAL (SELECT id, origin_id FROM jobs WHERE run_id = r.id OFFSET 0) AS k
CROSS JOIN LATERAL (SELECT difficulty FROM jobs WHERE id = k.origin_id OFFSET 0) AS j
CROSS JOIN LATERAL (
  SELECT tier, cost FROM attempts WHERE job_id = k.origin_id AND stage = 'answer'
    AND outcome = ANY(:judged) ORDER BY fence LIMIT 1) AS f
CROSS JOIN LATERAL (
  SELECT tier, cost, outcome, confidence FROM attempts WHERE job_id = k.id AND stage = 'answer'
    AND outcome = ANY(:judged) ORDER BY fence DESC LIMIT 1) AS a
WHERE r.kind = 'shadow' AND r.parent_id = ANY(:runs)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""").bindparams(judged=list(JUDGED))
