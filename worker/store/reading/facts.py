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
from worker.store.reading.bill import bill_without_rejected
from worker.store.reading.job_samples import some_jobs
from worker.store.reading.shadow_facts import shadow_facts
from worker.store.rows import OPEN_JOBS
from worker.store.runs import StoredRun

LOOKED_AT = 20_000
"""Jobs that facts rest on at most. Of shares the interval is then less than 1.4 % wide, and of a
rung that a fiftieth of the messages climb to less than 10 %."""


def facts_of(
    connection: Connection,
    runs: Sequence[StoredRun],
    settings: Settings,
    most: int = LOOKED_AT,
) -> Facts:
    """Facts over these runs together; rungs in the order of the configured ladder. Money and
    numbers of messages are of all of them, what rungs did is of about `most` jobs."""
    ids = [run.id for run in runs]
    jobs = some_jobs(connection, ids, most)
    bills = [bill_without_rejected(connection, run, settings) for run in runs]
    tops = [bill.top.cost for bill in bills if bill.top.cost is not None]
    rows = {row.tier: row for row in connection.execute(RUNGS, {"ids": jobs})}
    top = list(settings.tiers)[-1]
    ended = connection.execute(ENDED, {"runs": ids, "top": top}).one()
    looked_at = connection.execute(OF_THESE, {"ids": jobs}).one()
    return Facts(
        messages=ended.messages,
        looked_at=_part(looked_at.messages, ended.messages),
        days=looked_at.days,
        total=sum((bill.total for bill in bills), Decimal(0)),
        all_on_top=sum(tops, Decimal(0)) if len(tops) == len(bills) else None,
        rungs=_rungs(rows, list(settings.tiers), _hops(connection, jobs)),
        climbed=looked_at.climbed,
        simulated=any(bill.simulated for bill in bills),
        on_top=ended.on_top,
        open=ended.open,
        shadows=shadow_facts(connection, ids, list(settings.tiers)),
        quality={
            row.tier: Quality(row.judged_right, row.judged)
            for row in connection.execute(QUALITY, {"runs": ids})
        },
    )


def _part(messages: int, of: int) -> int | None:
    """None where it is all of them."""
    return messages if messages < of else None


def _hops(connection: Connection, jobs: list[int]) -> dict[str, list[Hop]]:
    """Each rung above the bottom, judged by those who climbed to it: by difficulty."""
    climbs: dict[str, dict[str, Climbs]] = {}
    costs: dict[str, tuple[float, int]] = {}
    for row in connection.execute(CLIMBS, {"ids": jobs}):
        part = Climbs(row.climbed, row.accepted)
        climbs.setdefault(row.tier, {})[row.segment] = part
        cost, climbed = costs.get(row.tier, (0.0, 0))
        costs[row.tier] = cost + float(row.cost), climbed + part.climbed
    above = {row.tier: float(row.cost) for row in connection.execute(NEXT, {"ids": jobs})}
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
FROM unnest(CAST(:ids AS bigint[])) AS j(id) CROSS JOIN LATERAL (
  SELECT * FROM attempts WHERE job_id = j.id AND stage = 'answer' AND outcome = ANY(:judged)
  OFFSET 0) AS a
GROUP BY 1
""").bindparams(judged=list(JUDGED))
OF_THESE = text("""
SELECT count(*) AS messages, count(*) FILTER (WHERE escalations > 0) AS climbed,
  count(DISTINCT created_at::date) AS days
FROM jobs WHERE id = ANY(:ids) AND finished_at IS NOT NULL
""")
ENDED = text(f"""
SELECT coalesce(sum(jobs) FILTER (WHERE NOT open), 0)::bigint AS messages,
  coalesce(sum(jobs) FILTER (WHERE NOT open AND tier = :top), 0)::bigint AS on_top,
  coalesce(sum(jobs) FILTER (WHERE open), 0)::bigint AS open
FROM (SELECT tier, jobs, state IN ({OPEN_JOBS}) AS open FROM run_counts
  WHERE run_id = ANY(:runs)) AS counted
""")  # noqa: S608 - constants only
# Of those who climbed to a tier: what they cost there, and how many stopped there.
# Who climbed is read off the jobs: each is looked at once, whatever the planner believes, and its
# steps and attempts are looked up one by one.
_CLIMBED = """
FROM (SELECT id, difficulty FROM jobs
  WHERE id = ANY(:ids) AND finished_at IS NOT NULL AND escalations > 0 OFFSET 0) AS j
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
