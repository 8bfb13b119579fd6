"""What recorded runs say about the ladder, for advice."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import JUDGED
from worker.config.settings import Settings
from worker.domain.advice import Facts, RungFacts
from worker.store.reading.bill import bill_of


def facts_of(connection: Connection, runs: Sequence[Row[Any]], settings: Settings) -> Facts:
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
        rungs=_rungs(rows, list(settings.tiers)),
        climbed=totals.climbed,
        simulated=any(bill.simulated for bill in bills),
        on_top=totals.on_top,
    )


def _rungs(rows: dict[str, Row[Any]], ladder: list[str]) -> list[RungFacts]:
    used = [name for name in ladder if name in rows]
    facts = []
    for place, name in enumerate(used):
        row, above = rows[name], rows.get(used[place + 1]) if place + 1 < len(used) else None
        next_cost = Decimal(above.cost) / above.tried if above is not None and above.tried else None
        facts.append(
            RungFacts(name, row.tried, row.accepted, row.cost, Decimal(row.seconds or 0), next_cost)
        )
    return facts


RUNGS = text("""
SELECT a.tier, count(*) AS tried, count(*) FILTER (WHERE a.outcome = 'accepted') AS accepted,
  sum(a.cost) AS cost, avg(extract(epoch FROM a.finished_at - a.available_at)) AS seconds
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
