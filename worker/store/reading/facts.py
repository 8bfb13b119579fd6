"""What recorded runs say about the ladder, for advice."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import JUDGED
from worker.config.settings import Settings
from worker.domain.advice_facts import Facts, RungFacts
from worker.domain.proof.tier_skip import Climbs, Hop, judge_hops
from worker.domain.shadow_advice import Quality
from worker.store.reading.bill import bill_of
from worker.store.reading.shadow_facts import shadow_facts
from worker.store.rows import OPEN_JOBS
from worker.store.runs import StoredRun


def facts_of(connection: Connection, runs: Sequence[StoredRun], settings: Settings) -> Facts:
    """Facts over these runs together; rungs in the order of the configured ladder."""
    ids = [run.id for run in runs]
    bills = [bill_of(connection, run, settings) for run in runs]
    tops = [bill.top.cost for bill in bills if bill.top.cost is not None]
    rows = {row.tier: row for row in connection.execute(RUNGS, {"runs": ids})}
    top = list(settings.tiers)[-1]
    totals = connection.execute(TOTALS, {"runs": ids, "top": top}).one()
    return Facts(
        messages=totals.messages,
        days=totals.days,
        total=sum((bill.total for bill in bills), Decimal(0)),
        all_on_top=sum(tops, Decimal(0)) if len(tops) == len(bills) else None,
        rungs=_rungs(rows, list(settings.tiers), _hops(connection, ids)),
        climbed=totals.climbed,
        simulated=any(bill.simulated for bill in bills),
        on_top=totals.on_top,
        open=connection.execute(OPEN, {"runs": ids}).scalar_one(),
        shadows=shadow_facts(connection, ids, list(settings.tiers)),
        quality={
            row.tier: Quality(row.judged_right, row.judged)
            for row in connection.execute(QUALITY, {"runs": ids})
        },
    )


def _hops(connection: Connection, runs: list[int]) -> dict[str, list[Hop]]:
    """Each rung above the bottom, judged by those who climbed to it: by difficulty."""
    climbs: dict[str, dict[str, Climbs]] = {}
    costs: dict[str, tuple[float, int]] = {}
    for row in connection.execute(CLIMBS, {"runs": runs}):
        part = Climbs(row.climbed, row.accepted)
        climbs.setdefault(row.tier, {})[row.segment] = part
        cost, climbed = costs.get(row.tier, (0.0, 0))
        costs[row.tier] = cost + float(row.cost), climbed + part.climbed
    above = {row.tier: float(row.cost) for row in connection.execute(NEXT, {"runs": runs})}
    return {
        tier: judge_hops(parts, costs[tier][0] / costs[tier][1], above[tier])
        for tier, parts in climbs.items()
        if tier in above
    }


def _rungs(
    rows: dict[str, Row[Any]], ladder: list[str], hops: dict[str, list[Hop]]
) -> list[RungFacts]:
    used = [name for name in ladder if name in rows]
    facts = []
    for place, name in enumerate(used):
        row, above = rows[name], rows.get(used[place + 1]) if place + 1 < len(used) else None
        next_cost = Decimal(above.cost) / above.tried if above is not None and above.tried else None
        seconds, judged = Decimal(row.seconds or 0), hops.get(name, [])
        facts.append(
            RungFacts(
                tier=name,
                tried=row.tried,
                accepted=row.accepted,
                cost=row.cost,
                seconds=seconds,
                next_cost=next_cost,
                hops=judged,
            )
        )
    return facts


# From the claim on: what waited behind a pause or a budget says nothing of the ladder.
RUNGS = text("""
SELECT a.tier, count(*) AS tried, count(*) FILTER (WHERE a.outcome = 'accepted') AS accepted,
  sum(a.cost) AS cost, avg(extract(epoch FROM a.finished_at - a.claimed_at)) AS seconds
FROM jobs AS j JOIN attempts AS a ON a.job_id = j.id
WHERE j.run_id = ANY(:runs) AND a.stage = 'answer'
  AND a.outcome = ANY(:judged)
GROUP BY 1
""").bindparams(judged=list(JUDGED))
TOTALS = text("""
SELECT count(*) AS messages, count(*) FILTER (WHERE escalations > 0) AS climbed,
  count(*) FILTER (WHERE tier = :top) AS on_top, count(DISTINCT created_at::date) AS days
FROM jobs WHERE run_id = ANY(:runs) AND finished_at IS NOT NULL
""")
OPEN = text(f"""
SELECT coalesce(sum(jobs), 0)::int FROM run_counts
WHERE run_id = ANY(:runs) AND state IN ({OPEN_JOBS})
""")  # noqa: S608 - constants only
# Of those who climbed to a tier: what they cost there, and how many stopped there.
# Who climbed is read off the jobs: each is looked at once, whatever the planner believes, and its
# steps and attempts are looked up one by one.
_CLIMBED = """
FROM (SELECT id, difficulty FROM jobs
  WHERE run_id = ANY(:runs) AND finished_at IS NOT NULL AND escalations > 0 OFFSET 0) AS j
CROSS JOIN LATERAL (
  SELECT from_tier, to_tier, fence FROM escalations WHERE job_id = j.id OFFSET 0) AS e
CROSS JOIN LATERAL (
  SELECT outcome, cost, fence FROM attempts
  WHERE job_id = j.id AND tier = e.to_tier AND stage = 'answer' AND outcome = ANY(:judged)
  OFFSET 0) AS a
"""
CLIMBS = text(f"""
SELECT e.to_tier AS tier, coalesce(j.difficulty, '') AS segment, count(DISTINCT j.id) AS climbed,
  count(DISTINCT j.id) FILTER (WHERE a.outcome = 'accepted') AS accepted, sum(a.cost) AS cost
{_CLIMBED} WHERE a.fence > e.fence GROUP BY 1, 2 ORDER BY 1, 2
""").bindparams(judged=list(JUDGED))
# What the rung above cost those who climbed on to it: the same messages, not others.
NEXT = text(f"""
SELECT e.from_tier AS tier, sum(a.cost) / count(DISTINCT j.id) AS cost {_CLIMBED} GROUP BY 1
""").bindparams(judged=list(JUDGED))
QUALITY = text("""
SELECT a.tier, count(*) AS judged, count(*) FILTER (WHERE t.right) AS judged_right
FROM audits AS d JOIN attempts AS a USING (job_id, fence) JOIN LATERAL (
  SELECT bool_and(coalesce(is_right, false)) AS right FROM truths
  WHERE job_id = d.job_id AND fence = d.fence AND undone_at IS NULL AND grader <> 'tier') AS t
  ON t.right IS NOT NULL
WHERE d.run_id = ANY(:runs) AND a.outcome = 'accepted' GROUP BY 1
""")
