"""The ledger: every call closed with what it really cost, and the totals that screens read.

The invariants that `record` and `rescue` rely on: a call's row exists before the request leaves; it
is closed once, except that a `lost` call may be closed again with the truth; totals count closed
calls only, and move with every closing in the same transaction.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import CallState
from worker.domain.pricing import version_of
from worker.domain.reports import AttemptReport, CallReport
from worker.store.rows import as_json
from worker.store.scopes import day_scope, run_scope

NOTHING = (Decimal(0), Decimal(0))


@dataclass(slots=True, kw_only=True)
class Books:
    """Calls to close and settlements to make, gathered over a group."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    settlements: dict[str, tuple[Decimal, Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: NOTHING)
    )
    totals: list[Mapping[str, Any]] = field(default_factory=list)
    prices: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Rates that the calls were charged at, by version."""

    def settle(self, report: AttemptReport, row: Row[Any], *, late: bool) -> Decimal:
        """Adds an attempt's calls and its settlement; returns what the attempt cost in dollars.

        An attempt that was already lost was charged its worst case: what is settled now is the
        difference.
        """
        before = row.attempt_cost if late else Decimal(0)
        released = Decimal(0) if late else row.reserved
        cost = before
        if not late or any(call.state is not CallState.LOST for call in report.calls):
            for call in report.calls:
                closed = _call_row(report, call, row.run_id)
                self.calls.append(closed)
                if call.price:
                    self.prices[closed["price_version"]] = call.price
            cost = sum((call.cost or Decimal(0) for call in report.calls), Decimal(0))
        self._add(run_scope(row.run_id), released, cost - before)
        self._add(day_scope(row.budget_day), released, cost - before)
        return cost

    def _add(self, scope: str, released: Decimal, spent: Decimal) -> None:
        so_far = self.settlements[scope]
        self.settlements[scope] = (so_far[0] + released, so_far[1] + spent)

    def write_calls(self, connection: Connection) -> None:
        """Closes the calls, and notes by how much the totals move."""
        if not self.calls:
            return
        unsent = [row for row in self.calls if not row["sent"]]
        if unsent:
            gone = connection.execute(DELETE_UNSENT, {"rows": as_json(unsent)}).mappings()
            self.totals = [dict(row) for row in gone]
        sent = [row for row in self.calls if row["sent"]]
        if sent:
            values = {"rows": as_json(sent), "prices": as_json(self._prices())}
            closed = connection.execute(CLOSE_CALLS, values).mappings()
            self.totals = [*self.totals, *(dict(row) for row in closed)]

    def _prices(self) -> list[dict[str, Any]]:
        return [{"version": version, "rates": rates} for version, rates in self.prices.items()]

    def write_totals(self, connection: Connection) -> None:
        """Adds the closed calls to `run_spend`."""
        if self.totals:
            connection.execute(ADD_TOTALS, {"rows": as_json(self.totals)})


def _call_row(report: AttemptReport, call: CallReport, run_id: int) -> dict[str, Any]:
    usage = call.usage
    return {
        "job_id": report.job_id,
        "fence": report.fence,
        "run_id": run_id,
        "purpose": call.purpose,
        "state": call.state,
        "sent": call.sent,
        "input_tokens": usage.input_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_5m_tokens": usage.cache_write_5m_tokens,
        "cache_write_1h_tokens": usage.cache_write_1h_tokens,
        "output_tokens": usage.output_tokens,
        "cost": call.cost,
        "price_version": version_of(call.price) if call.price else None,
        "unpriced": call.cost is None,
        "latency_ms": call.latency_ms,
        "stop_reason": call.stop_reason,
        "stop_category": call.stop_category,
        "request_id": call.request_id,
        "http_status": call.http_status,
        "error": call.error,
        "service_tier": call.service_tier,
        "simulated": call.simulated,
        "output": call.output,
        "shared": call.shared,
    }


def open_calls(connection: Connection, rows: list[dict[str, Any]]) -> set[tuple[int, int]]:
    """Writes further calls of claimed attempts as `sent`, before they are. Returns `(job, fence)`
    of those that were: an attempt whose lease is over, or was taken, may send nothing more."""
    opened = connection.execute(OPEN_CALLS, {"rows": as_json(rows)})
    return {(row.job_id, row.fence) for row in opened}


# Calls are found by their keys before their state is looked at (and `OFFSET 0` keeps it so): few
# are open among many closed ones, and a planner that takes them for none goes through all of them
# for each. Their jobs are locked, so nobody else closes them meanwhile.
#
# A call that rescue had given up as lost may turn out never to have left: then it goes as well, and
# the totals' change is returned.
DELETE_UNSENT = text("""
WITH found AS (
  SELECT t.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
    job_id bigint, fence int, run_id bigint, purpose text)
  CROSS JOIN LATERAL (
    SELECT state FROM calls
    WHERE job_id = t.job_id AND fence = t.fence AND purpose = t.purpose OFFSET 0) AS c
  WHERE c.state IN ('sent', 'lost')
), gone AS (
  DELETE FROM calls AS c USING found AS t
  WHERE c.job_id = t.job_id AND c.fence = t.fence AND c.purpose = t.purpose
  RETURNING t.run_id, c.tier, c.purpose, c.model, c.lane, c.state, c.simulated, c.cost
)
SELECT run_id, tier, purpose, model, lane, state, simulated, -count(*) AS calls, 0 AS unpriced,
  0 AS input_tokens, 0 AS cache_read_tokens, 0 AS cache_write_5m_tokens,
  0 AS cache_write_1h_tokens, 0 AS output_tokens, -coalesce(sum(cost), 0) AS cost
FROM gone WHERE state = 'lost' GROUP BY 1, 2, 3, 4, 5, 6, 7
""")

# Returns the totals' change: what is now, less what a lost call was counted as before.
CLOSE_CALLS = text("""
WITH given AS (
  SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
    job_id bigint, fence int, run_id bigint, purpose text, state text, input_tokens int,
    cache_read_tokens int, cache_write_5m_tokens int, cache_write_1h_tokens int,
    output_tokens int, cost numeric, price_version text, unpriced boolean, latency_ms int,
    stop_reason text, stop_category text, request_id text, http_status smallint, error text,
    service_tier text, simulated boolean, output text, shared smallint)
), priced AS (
  INSERT INTO prices (version, rates)
  SELECT version, rates
  FROM jsonb_to_recordset(CAST(:prices AS jsonb)) AS t(version text, rates jsonb)
  ORDER BY version ON CONFLICT (version) DO NOTHING
), found AS (
  SELECT g.run_id, g.job_id, g.fence, g.purpose, c.tier, c.model, c.lane, c.state, c.simulated,
    c.cost
  FROM given AS g CROSS JOIN LATERAL (
    SELECT tier, model, lane, state, simulated, cost FROM calls
    WHERE job_id = g.job_id AND fence = g.fence AND purpose = g.purpose OFFSET 0) AS c
  WHERE c.state IN ('sent', 'lost')
), closed AS (
  UPDATE calls AS c SET state = g.state, input_tokens = g.input_tokens,
    cache_read_tokens = g.cache_read_tokens, cache_write_5m_tokens = g.cache_write_5m_tokens,
    cache_write_1h_tokens = g.cache_write_1h_tokens, output_tokens = g.output_tokens,
    cost = g.cost, price_version = g.price_version, unpriced = g.unpriced,
    latency_ms = g.latency_ms,
    stop_reason = g.stop_reason, stop_category = g.stop_category, request_id = g.request_id,
    http_status = g.http_status, error = g.error, service_tier = g.service_tier,
    simulated = g.simulated, output = g.output, shared = g.shared, finished_at = clock_timestamp()
  FROM found AS f JOIN given AS g USING (job_id, fence, purpose)
  WHERE c.job_id = f.job_id AND c.fence = f.fence AND c.purpose = f.purpose
  RETURNING g.run_id, c.tier, c.purpose, c.model, c.lane, c.state, c.simulated, c.unpriced,
    c.input_tokens, c.cache_read_tokens, c.cache_write_5m_tokens, c.cache_write_1h_tokens,
    c.output_tokens, c.cost
)
SELECT run_id, tier, purpose, model, lane, state, simulated, count(*) AS calls,
  sum(unpriced::int) AS unpriced, sum(input_tokens) AS input_tokens,
  sum(cache_read_tokens) AS cache_read_tokens,
  sum(cache_write_5m_tokens) AS cache_write_5m_tokens,
  sum(cache_write_1h_tokens) AS cache_write_1h_tokens,
  sum(output_tokens) AS output_tokens, coalesce(sum(cost), 0) AS cost
FROM closed GROUP BY 1, 2, 3, 4, 5, 6, 7
UNION ALL
SELECT run_id, tier, purpose, model, lane, state, simulated, -count(*), 0, 0, 0, 0, 0, 0,
  -coalesce(sum(cost), 0)
FROM found WHERE state = 'lost' GROUP BY 1, 2, 3, 4, 5, 6, 7
""")

ADD_TOTALS = text("""
INSERT INTO run_spend AS s (run_id, tier, purpose, model, lane, state, simulated, calls, unpriced,
  input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens,
  cost)
SELECT run_id, tier, purpose, model, lane, state, simulated, sum(calls), sum(unpriced),
  sum(input_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens),
  sum(cache_write_1h_tokens), sum(output_tokens), sum(cost)
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
  run_id bigint, tier text, purpose text, model text, lane text, state text, simulated boolean,
  calls bigint, unpriced bigint, input_tokens bigint, cache_read_tokens bigint,
  cache_write_5m_tokens bigint, cache_write_1h_tokens bigint, output_tokens bigint, cost numeric)
GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (run_id, tier, purpose, model, lane, state, simulated) DO UPDATE SET
  calls = s.calls + excluded.calls, unpriced = s.unpriced + excluded.unpriced,
  input_tokens = s.input_tokens + excluded.input_tokens,
  cache_read_tokens = s.cache_read_tokens + excluded.cache_read_tokens,
  cache_write_5m_tokens = s.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
  cache_write_1h_tokens = s.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
  output_tokens = s.output_tokens + excluded.output_tokens, cost = s.cost + excluded.cost
""")

# The job's row is locked, as rescue locks it: either rescue sees this call, or this sees that the
# lease was taken.
OPEN_CALLS = text("""
INSERT INTO calls (job_id, fence, purpose, tier, model, lane, worst_cost)
SELECT t.job_id, t.fence, t.purpose, t.tier, t.model, t.lane, t.worst_cost
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
  job_id bigint, fence int, purpose text, tier text, model text, lane text, worst_cost numeric)
JOIN jobs AS j ON j.id = t.job_id AND j.fence = t.fence
WHERE j.lease_until > clock_timestamp()
ORDER BY j.id FOR UPDATE OF j
ON CONFLICT (job_id, fence, purpose) DO NOTHING
RETURNING job_id, fence
""")
