"""Reads what a bill is made of."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import TERMINAL_STATES, CallState, Lane, Purpose
from worker.config.prices import price_of
from worker.config.settings import Settings
from worker.domain.bill import Bill, SpendLine, make_bill
from worker.domain.pricing import Usage
from worker.store.runs import StoredRun

ENDED = frozenset(map(str, TERMINAL_STATES))


def bill_of(connection: Connection, run: StoredRun, settings: Settings) -> Bill:
    """The bill of a run; comparisons use the ladder of the configuration in force."""
    rejected = connection.execute(REJECTED, {"run": run.id}).scalar() or Decimal(0)
    return replace(bill_without_rejected(connection, run, settings), escalating=rejected)


def bill_without_rejected(connection: Connection, run: StoredRun, settings: Settings) -> Bill:
    """The same with nothing for `escalating`: all else is added up already, whatever the run's
    size, and for that all its jobs are looked at."""
    counts: dict[str, int] = {r[0]: r[1] for r in connection.execute(STATES, {"run": run.id})}
    return make_bill(
        run.name,
        spend_of(connection, [run.id]),
        resolved=counts.get("answered", 0),
        # What is open has cost nothing yet on the other side of the comparison.
        jobs=sum(jobs for state, jobs in counts.items() if state in ENDED),
        lane=Lane.BATCH if run.lane == Lane.BATCH else Lane.REALTIME,
        rejected_answers=Decimal(0),
        ladder={name: tier.model for name, tier in settings.tiers.items()},
        price_of=lambda model: price_of(model, settings.prices),
    )


def spend_of(connection: Connection, runs: Sequence[int]) -> list[SpendLine]:
    """The ledger's sums of these runs, one for each tier, purpose, model, lane and state."""
    return [spend_line(row) for row in connection.execute(SPEND, {"runs": list(runs)})]


def spend_line(row: Row[Any]) -> SpendLine:
    """A row of the ledger's sums, of one run or of several."""
    return SpendLine(
        tier=row.tier,
        purpose=Purpose(row.purpose),
        model=row.model,
        lane=Lane(row.lane),
        state=CallState(row.state),
        simulated=row.simulated,
        calls=row.calls,
        unpriced=row.unpriced,
        usage=Usage(
            input_tokens=row.input_tokens,
            cache_read_tokens=row.cache_read_tokens,
            cache_write_5m_tokens=row.cache_write_5m_tokens,
            cache_write_1h_tokens=row.cache_write_1h_tokens,
            output_tokens=row.output_tokens,
        ),
        cost=row.cost,
    )


SPEND_SUMS = """sum(calls)::bigint AS calls, sum(unpriced)::bigint AS unpriced,
  sum(input_tokens)::bigint AS input_tokens, sum(cache_read_tokens)::bigint AS cache_read_tokens,
  sum(cache_write_5m_tokens)::bigint AS cache_write_5m_tokens,
  sum(cache_write_1h_tokens)::bigint AS cache_write_1h_tokens,
  sum(output_tokens)::bigint AS output_tokens, sum(cost) AS cost"""
"""What a line of the bill is made of, beside what it is about."""
SPEND = text(f"""
SELECT tier, purpose, model, lane, state, simulated, {SPEND_SUMS}
FROM run_spend WHERE run_id = ANY(:runs) AND calls <> 0
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY cost DESC, 1, 2, 3, 4, 5
""")  # noqa: S608 - a constant of this module
STATES = text("SELECT state, sum(jobs)::bigint FROM run_counts WHERE run_id = :run GROUP BY 1")
# Of a million jobs most were routed once and answered once: nothing of these was rejected, and no
# call of theirs is looked up. One that was taken over may have a label that nobody gave in it.
REJECTED = text("""
SELECT sum(c.cost) FROM (
  SELECT id FROM jobs WHERE run_id = :run AND fence > 0
    AND NOT (state = 'answered' AND origin_id IS NULL AND deferrals = 0
      AND attempts = CASE WHEN difficulty IS NULL THEN 1 ELSE 2 END) OFFSET 0) AS j
CROSS JOIN LATERAL (
  SELECT fence, cost FROM calls
  WHERE job_id = j.id AND purpose = 'answer' AND state = 'done' OFFSET 0) AS c
LEFT JOIN LATERAL (
  SELECT coalesce(used.answer_fence, used.fence) AS fence
  FROM results AS r JOIN attempts AS used USING (job_id, fence)
  WHERE r.job_id = j.id OFFSET 0) AS u ON true
WHERE c.fence IS DISTINCT FROM u.fence
""")
