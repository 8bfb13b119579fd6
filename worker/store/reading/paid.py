"""What each job of runs paid before it was first answered, and the tokens of that answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from worker.domain.pricing import TOKENS, Usage


@dataclass(frozen=True, slots=True)
class FirstPaid:
    """Dollars of a job's routing; tokens of its first answer, None where nothing was asked."""

    routing: Decimal
    usage: Usage | None


NOTHING_PAID = FirstPaid(Decimal(0), None)


def first_paid(connection: Connection, values: Mapping[str, Any]) -> dict[int, FirstPaid]:
    """By job: those of `values["ids"]`, or all of `values["runs"]` where there are none."""
    statement = PAID_BY_JOBS if "ids" in values else PAID_BY_RUNS
    found = {}
    for row in connection.execute(statement, values):
        usage = Usage(**{name: getattr(row, name) for name in TOKENS}) if row.answered else None
        found[row.id] = FirstPaid(Decimal(row.routing or 0), usage)
    return found


PAID_FROM = """
SELECT j.id, w.routing, c.fence IS NOT NULL AS answered, c.input_tokens, c.cache_read_tokens,
  c.cache_write_5m_tokens, c.cache_write_1h_tokens, c.output_tokens
FROM jobs AS j
CROSS JOIN LATERAL (
  SELECT sum(cost) AS routing FROM attempts WHERE job_id = j.id AND stage = 'route' OFFSET 0) AS w
LEFT JOIN LATERAL (
  SELECT * FROM calls WHERE job_id = j.id AND purpose = 'answer' AND state = 'done'
  ORDER BY fence LIMIT 1) AS c ON true
WHERE j.state IN ('answered', 'review') AND """
PAID_BY_RUNS = text(f"{PAID_FROM} j.run_id = ANY(:runs)")
PAID_BY_JOBS = text(f"{PAID_FROM} j.id = ANY(:ids)")
