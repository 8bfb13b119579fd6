"""How runs, queues and tiers stand. Reads counters and the small indexes of what is outstanding:
nothing here grows with the table."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import TERMINAL_STATES, JobState

ENDED = {str(state) for state in TERMINAL_STATES}


def run_status(connection: Connection, run: Row[Any]) -> dict[str, Any]:
    """A run as `rung status RUN --json` gives it."""
    counts = connection.execute(COUNTS, {"run": run.id}).all()
    spend = connection.execute(SPEND, {"run": run.id}).one()
    by_state: dict[str, int] = {}
    by_tier: dict[str, int] = {}
    for state, tier, jobs in counts:
        by_state[state] = by_state.get(state, 0) + jobs
        if tier:
            by_tier[tier] = by_tier.get(tier, 0) + jobs
    total = sum(by_state.values())
    return {
        "run": run.name,
        "id": run.id,
        "state": run.state,
        "state_reason": run.state_reason,
        "waiting_for": run.waiting_for if run.state == "active" else None,
        "troubles": troubles(connection) if run.finished_at is None else [],
        "accepting": run.accepting,
        "policy": run.policy_name,
        "policy_version": run.policy_version,
        "lane": run.lane,
        "priority": run.priority,
        "total": total,
        "ended": sum(jobs for state, jobs in by_state.items() if state in ENDED),
        "by_state": by_state,
        "by_tier": by_tier,
        "escalations": spend.escalations,
        "calls": spend.calls,
        "spent_usd": spend.spent,
        "reserved_usd": spend.reserved,
        "budget_usd": spend.cap,
        "budget_warned_percent": spend.warned_percent,
        "rejected": run.rejected,
        "duplicates": run.duplicates,
        "simulated": spend.simulated,
        "created_at": run.created_at,
        "deadline": run.deadline,
        "finished_at": run.finished_at,
    }


def troubles(connection: Connection) -> list[str]:
    """Why queues stand still or are slow, in sentences: pauses and breakers."""
    said = []
    for row in connection.execute(TROUBLED):
        if row.paused:
            why = f"{row.name} is paused: {row.paused_reason or 'by hand'}"
        elif row.breaker == "open":
            why = f"the breaker of {row.name} is open: {row.breaker_reason}"
        else:
            why = f"{row.name} is probed one call at a time: {row.breaker_reason}"
        said.append(f"{why} (go on with: rung resume {row.name})")
    return said


def batches_of(connection: Connection, run_id: int) -> list[dict[str, Any]]:
    """Message Batches under way that hold jobs of a run, oldest first. Claude says nothing of a
    batch before it has ended, so its age is all the progress there is."""
    return [dict(row) for row in connection.execute(BATCHES, {"run": run_id}).mappings()]


def by_state_and_tier(connection: Connection, run_id: int) -> dict[tuple[str, str], int]:
    """Jobs by state and tier."""
    rows = connection.execute(COUNTS, {"run": run_id})
    return {(row.state, row.tier): row.jobs for row in rows}


def escalations_of(connection: Connection, run_id: int) -> list[dict[str, Any]]:
    """Escalations by step and reason, most frequent first."""
    return [dict(row) for row in connection.execute(ESCALATIONS, {"run": run_id}).mappings()]


def runs(connection: Connection, *, live_only: bool = False, limit: int = 200) -> list[Row[Any]]:
    """Runs, newest first."""
    return list(connection.execute(LIVE_RUNS if live_only else RUNS, {"limit": limit}).all())


def queues(connection: Connection, names: list[str]) -> list[dict[str, Any]]:
    """Each queue: waiting, dispatched, in flight, workers, paused and why."""
    found = {row["queue"]: dict(row) for row in connection.execute(QUEUES).mappings()}
    waiting: dict[str, int] = {row[0]: row[1] for row in connection.execute(WAITING)}
    troubles = {row.name: row for row in connection.execute(TIERS)}
    return [
        {
            "queue": name,
            "waiting": int(waiting.get(name, 0)) - found.get(name, {}).get("leased", 0),
            "in_flight": found.get(name, {}).get("leased", 0),
            "workers": found.get(name, {}).get("workers", 0),
            **_trouble(troubles.get(name)),
        }
        for name in names
    ]


def today(connection: Connection) -> dict[str, Any] | None:
    """The budget of the current UTC day; None before its first claim."""
    row = connection.execute(TODAY).mappings().one_or_none()
    return dict(row) if row is not None else None


def paused_everything(connection: Connection) -> str | None:
    """Why everything is paused, or None."""
    row = connection.execute(PAUSED_ALL).one_or_none()
    return str(row[0] or "by hand") if row is not None else None


def _trouble(row: Row[Any] | None) -> dict[str, Any]:
    return {
        "paused": bool(row is not None and row.paused),
        "paused_reason": row.paused_reason if row is not None and row.paused else None,
        "breaker": row.breaker if row is not None else "closed",
        "breaker_until": row.breaker_until if row is not None else None,
        "breaker_reason": row.breaker_reason if row is not None else None,
    }


def is_over(status: dict[str, Any]) -> bool:
    """Whether nothing more will happen to the run by itself."""
    return status["state"] in ("finished", "cancelled")


def stopped(status: dict[str, Any]) -> bool:
    """Over, or waiting for money with nothing in flight that could still be settled."""
    return is_over(status) or bool(status["waiting_for"] and not status["reserved_usd"])


def troubled(status: dict[str, Any]) -> bool:
    """Whether it ended with something that somebody should look at."""
    return bool(status["by_state"].get(JobState.DEAD, 0) or status["rejected"])


def spent(status: dict[str, Any]) -> Decimal:
    """Dollars settled so far."""
    return Decimal(status["spent_usd"])


COUNTS = text(
    "SELECT state, tier, jobs FROM run_counts WHERE run_id = :run AND jobs <> 0 ORDER BY 1, 2"
)

SPEND = text("""
SELECT b.spent, b.reserved, b.cap, b.warned_percent,
  (SELECT coalesce(sum(escalations), 0) FROM run_escalations WHERE run_id = :run)::bigint
    AS escalations,
  (SELECT coalesce(sum(calls), 0) FROM run_spend WHERE run_id = :run)::bigint AS calls,
  (SELECT coalesce(bool_or(simulated), false) FROM run_spend WHERE run_id = :run AND calls > 0)
    AS simulated
FROM budgets AS b WHERE b.run_id = :run
""")

ESCALATIONS = text("""
SELECT from_tier, to_tier, reason, escalations FROM run_escalations
WHERE run_id = :run ORDER BY escalations DESC, 1, 2, 3
""")

RUNS = text("SELECT * FROM runs ORDER BY id DESC LIMIT :limit")
LIVE_RUNS = text(
    "SELECT * FROM runs WHERE finished_at IS NULL ORDER BY priority DESC, id LIMIT :limit"
)

QUEUES = text("""
SELECT coalesce(l.queue, w.queue) AS queue, coalesce(l.leased, 0) AS leased,
  coalesce(w.workers, 0) AS workers
FROM (
  SELECT queue, count(*) AS leased FROM (
    SELECT queue FROM jobs WHERE lease_until IS NOT NULL ORDER BY queue, lease_until OFFSET 0) AS j
  GROUP BY 1) AS l
FULL JOIN (
  SELECT key AS queue, count(*) AS workers FROM workers, jsonb_each(capacity)
  WHERE seen_at > now() - interval '10 seconds' AND NOT stopping GROUP BY 1) AS w USING (queue)
""")

WAITING = text("""
SELECT CASE c.state WHEN 'queued' THEN 'routing' ELSE c.tier END, sum(c.jobs)::bigint
FROM run_counts AS c JOIN runs AS r ON r.id = c.run_id
WHERE r.finished_at IS NULL AND c.state IN ('queued', 'routed') GROUP BY 1
""")

TROUBLED = text("""
SELECT name, paused, paused_reason, breaker, breaker_reason FROM tiers
WHERE paused OR breaker <> 'closed' ORDER BY name
""")
TODAY = text("""
SELECT day, spent AS spent_usd, reserved AS reserved_usd, cap AS budget_usd,
  warned_percent AS budget_warned_percent
FROM budgets WHERE day = (now() AT TIME ZONE 'UTC')::date
""")
TIERS = text("SELECT * FROM tiers")
PAUSED_ALL = text("SELECT paused_reason FROM tiers WHERE name = 'everything' AND paused")
BATCHES = text("""
SELECT id AS batch, state, stage, tier, requests, error, submitted_at,
  extract(epoch FROM now() - coalesce(submitted_at, created_at))::float8 AS age_s
FROM message_batches AS b
WHERE state IN ('intended', 'submitted', 'ended') AND EXISTS (
  SELECT FROM (SELECT job_id FROM attempts WHERE batch_id = b.id OFFSET 0) AS a
  CROSS JOIN LATERAL (SELECT run_id FROM jobs WHERE id = a.job_id OFFSET 0) AS j
  WHERE j.run_id = :run OFFSET 0)
ORDER BY id LIMIT 200
""")
