"""How runs stand: one reading for commands, pages and the API, from counters and the ledger's sums:
nothing here grows with the number of jobs."""

from sqlalchemy import Connection, text

from worker.store.reading.run_standing import RunStanding
from worker.store.rows import OPEN_JOBS, values_of

LIVE_SHOWN = 12
"""Runs that the first page shows; further ones are on the page of runs."""
LIVE_MOST = 200
"""Runs under way that are looked at where they are summed up."""


def live_runs(connection: Connection, limit: int = LIVE_SHOWN) -> list[RunStanding]:
    """Runs under way, first the one that is served first."""
    return values_of(RunStanding, connection.execute(LIVE_RUNS, {"limit": limit}))


def runs_page(
    connection: Connection, before: int | None, limit: int, *, inquiries: bool
) -> list[RunStanding]:
    """Runs, newest first, of those with an id below `before`; with or without `INQUIRIES`, which
    answer nobody."""
    values = {"before": before, "limit": limit, "inquiries": inquiries}
    return values_of(RunStanding, connection.execute(RUNS, values))


def last_runs(connection: Connection, limit: int) -> list[RunStanding]:
    """The newest that somebody wanted answers of: what is asked to know more of other answers is
    none of them."""
    return values_of(RunStanding, connection.execute(LAST_RUNS, {"limit": limit}))


def standing_of(connection: Connection, run_id: int) -> RunStanding:
    """One run, which there must be."""
    (found,) = values_of(RunStanding, connection.execute(ONE_RUN, {"run": run_id}))
    return found


WAITS_FOR = """CASE WHEN r.state = 'active' AND NOT (
    r.waiting_for = 'run budget' AND b.reserved = 0
    AND coalesce(b.cap + b.overrun - b.spent >= r.waiting_usd, false)
    OR r.waiting_for = 'day budget' AND coalesce(d.reserved, 0) = 0
    AND coalesce(d.cap + d.overrun - d.spent >= r.waiting_usd, d.cap IS NULL)
  ) THEN r.waiting_for END"""
"""What an active run waits for: where nothing is in flight, what fits waits for its turn alone."""
RUN = f"""
SELECT r.id, r.name, r.kind, r.parent_id, r.state, r.state_reason,
  {WAITS_FOR} AS waiting_for,
  CASE WHEN r.state = 'active' THEN r.waiting_usd END AS waiting_usd, r.accepting,
  r.policy_name AS policy, r.policy_version, r.lane, r.priority, r.deadline, r.rejected,
  r.duplicates, r.created_at, r.finished_at, now() AS now, b.cap, coalesce(b.spent, 0) AS spent,
  coalesce(b.reserved, 0) AS reserved, coalesce(b.warned_percent, 0) AS warned_percent,
  c.by_state, t.by_tier, v.by_verdict,
  (SELECT coalesce(sum(escalations), 0) FROM run_escalations WHERE run_id = r.id)::bigint
    AS escalations,
  CASE WHEN r.state = 'paused' THEN r.paused_by END AS paused_by,
  CASE WHEN r.state = 'paused' THEN r.paused_at END AS paused_at,
  s.calls, s.simulated, r.prompts, l.rest, r.tier_waits,
  r.policy -> 'ladder' AS ladder, d.cap + d.overrun - d.spent - d.reserved AS day_left,
  coalesce(d.spent, 0) AS day_spent, coalesce(d.reserved, 0) AS day_reserved
FROM runs AS r LEFT JOIN budgets AS b ON b.run_id = r.id
LEFT JOIN budgets AS d ON d.scope = 'day:' || (now() AT TIME ZONE 'UTC')::date
CROSS JOIN LATERAL (
  SELECT coalesce(jsonb_object_agg(state, jobs), '{{}}') AS by_state FROM (
    SELECT state, sum(jobs)::bigint AS jobs FROM run_counts WHERE run_id = r.id
    GROUP BY 1 HAVING sum(jobs) <> 0 ORDER BY 1) AS n) AS c
CROSS JOIN LATERAL (
  SELECT coalesce(jsonb_object_agg(tier, jobs), '{{}}') AS by_tier FROM (
    SELECT tier, sum(jobs)::bigint AS jobs FROM run_counts WHERE run_id = r.id AND tier <> ''
    GROUP BY 1 HAVING sum(jobs) <> 0 ORDER BY 1) AS n) AS t
CROSS JOIN LATERAL (
  SELECT coalesce(jsonb_object_agg(verdict, jobs), '{{}}') AS by_verdict
  FROM run_verdicts WHERE run_id = r.id AND jobs <> 0) AS v
CROSS JOIN LATERAL (
  SELECT coalesce(sum(calls), 0)::bigint AS calls,
    coalesce(bool_or(simulated) FILTER (WHERE calls > 0), false) AS simulated
  FROM run_spend WHERE run_id = r.id) AS s
LEFT JOIN LATERAL (SELECT jsonb_build_object(
  'open', (SELECT jsonb_object_agg(tier, jobs) FROM (
    SELECT tier, sum(jobs)::bigint AS jobs FROM run_counts WHERE run_id = r.id
      AND state IN ({OPEN_JOBS}) GROUP BY 1 HAVING sum(jobs) <> 0) AS n),
  'ended', (SELECT jsonb_object_agg(tier, jobs) FROM (
    SELECT tier, sum(jobs)::bigint AS jobs FROM run_counts WHERE run_id = r.id AND tier <> ''
      AND state IN ('answered', 'review', 'dead') GROUP BY 1) AS n),
  'paid', (SELECT jsonb_object_agg(tier, cost) FROM (
    SELECT CASE purpose WHEN 'classify' THEN '' ELSE tier END AS tier, sum(cost)::text AS cost
    FROM run_spend WHERE run_id = r.id GROUP BY 1) AS n),
  'climbs', (SELECT jsonb_agg(jsonb_build_array(from_tier, to_tier, jobs)) FROM (
    SELECT from_tier, to_tier, sum(escalations)::bigint AS jobs FROM run_escalations
    WHERE run_id = r.id AND to_tier <> 'person' GROUP BY 1, 2) AS n),
  'forecast', (SELECT p90::numeric::text FROM forecasts
    WHERE run_id = r.id AND measure = 'usd')) AS rest
) AS l ON r.finished_at IS NULL
"""  # noqa: S608 - constants only
LIVE_RUNS = text(RUN + "WHERE r.finished_at IS NULL ORDER BY r.priority DESC, r.id LIMIT :limit")
RUNS = text(
    RUN
    + """WHERE (CAST(:before AS bigint) IS NULL OR r.id < :before)
  AND (:inquiries OR r.kind NOT IN ('judge', 'shadow')) ORDER BY r.id DESC LIMIT :limit"""
)
LAST_RUNS = text(RUN + "WHERE r.kind NOT IN ('judge', 'shadow') ORDER BY r.id DESC LIMIT :limit")
ONE_RUN = text(RUN + "WHERE r.id = :run")
