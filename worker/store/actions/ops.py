"""What people do to runs, tiers and jobs. Every action writes its audit event in its transaction.

Large runs are changed in groups of `GROUP` jobs, each its own transaction, so that nothing is
locked for long; an action that is interrupted can be repeated.
"""

from decimal import Decimal

from sqlalchemy import Connection, Engine, text

from worker.store.audit import Actor, audit

GROUP = 5_000


def pause_run(engine: Engine, actor: Actor, run_id: int, name: str, reason: str) -> None:
    """Nothing of the run is claimed any more; what is in flight is finished."""
    with engine.begin() as connection:
        changed = connection.execute(PAUSE_RUN, {"run": run_id, "reason": reason}).rowcount
        audit(connection, actor, "pause", f"run {name}", changed, reason=reason)
    _forget_dispatched(engine, run_id)


def resume_run(engine: Engine, actor: Actor, run_id: int, name: str, cap: Decimal | None) -> None:
    """The run goes on, perhaps with another budget."""
    with engine.begin() as connection:
        if cap is not None:
            connection.execute(SET_CAP, {"run": run_id, "cap": cap})
            connection.execute(SET_RUN_CAP, {"run": run_id, "cap": cap})
        connection.execute(RESUME_RUN, {"run": run_id})
        connection.execute(AVAILABLE_NOW, {"run": run_id})
        audit(connection, actor, "resume", f"run {name}", 1, budget_usd=cap)


def pause_tier(engine: Engine, actor: Actor, tier: str, reason: str) -> None:
    """Nothing of this queue (or of any: `everything`) is claimed any more."""
    with engine.begin() as connection:
        values = {"name": tier, "reason": reason, "by": actor.name}
        connection.execute(PAUSE_TIER, values)
        audit(connection, actor, "pause", tier, 1, reason=reason)


def drain_tier(engine: Engine, actor: Actor, tier: str, reason: str) -> int:
    """Pauses the queue (or every one: `everything`), and takes back what was handed to its workers
    and not begun: when nothing is in flight any more, its workers can be taken away. Returns how
    many were taken back."""
    with engine.begin() as connection:
        values = {"name": tier, "reason": reason, "by": actor.name}
        connection.execute(PAUSE_TIER, values)
        taken = connection.execute(TAKE_BACK, {"name": tier}).rowcount
        audit(connection, actor, "drain", tier, taken, reason=reason)
    return taken


def resume_tier(engine: Engine, actor: Actor, tier: str) -> bool:
    """The queue goes on. False when it was not paused."""
    with engine.begin() as connection:
        changed = connection.execute(RESUME_TIER, {"name": tier}).rowcount
        if changed:
            connection.execute(TRY_CANARIES_AGAIN, {"name": tier})
            audit(connection, actor, "resume", tier, 1)
    return bool(changed)


def cancel_run(
    engine: Engine, actor: Actor, run_id: int, name: str, counted: int | None = None
) -> int:
    """Ends the run's open jobs. What is in flight is paid for, recorded and not used. `counted` is
    what a preview has counted, for the audit."""
    with engine.begin() as connection:
        connection.execute(CANCEL_RUN, {"run": run_id})
    total = 0
    while True:
        with engine.begin() as connection:
            values = {"run": run_id, "limit": GROUP, "reason": f"cancelled by {actor.name}"}
            changed = connection.execute(CANCEL_JOBS, values).rowcount
            total += changed
            if changed < GROUP:
                audit(connection, actor, "cancel", f"run {name}", total, counted=counted)
                return total


def open_jobs(connection: Connection, run_id: int) -> int:
    """How many jobs a cancel would end."""
    return int(connection.execute(OPEN_JOBS, {"run": run_id}).scalar_one())


def committed(connection: Connection, run_id: int) -> Decimal:
    """Dollars that the run has spent or reserved: no budget can be smaller."""
    return Decimal(connection.execute(COMMITTED, {"run": run_id}).scalar_one())


def retryable(connection: Connection, run_id: int) -> int:
    """How many jobs a retry would open again."""
    return int(connection.execute(RETRYABLE, {"run": run_id}).scalar_one())


def retry_run(engine: Engine, actor: Actor, run_id: int, name: str) -> int:
    """Opens the run's dead jobs again, at the tier where they stood, with a clean count of
    failures. Their attempts and calls stay in the record."""
    total = 0
    while True:
        with engine.begin() as connection:
            values = {"run": run_id, "limit": GROUP}
            changed = connection.execute(RETRY_JOBS, values).rowcount
            total += changed
            if changed < GROUP:
                if total:
                    connection.execute(REOPEN_RUN, {"run": run_id})
                audit(connection, actor, "retry", f"run {name}", total)
                return total


def _forget_dispatched(engine: Engine, run_id: int) -> None:
    """Ids of the run that are in Redis already find nothing to claim; this makes room at once."""
    with engine.begin() as connection:
        connection.execute(FORGET_DISPATCHED, {"run": run_id})


PAUSE_RUN = text("""
UPDATE runs SET state = 'paused', state_reason = :reason WHERE id = :run AND state = 'active'
""")
RESUME_RUN = text("""
UPDATE runs SET state = 'active', state_reason = NULL, waiting_for = NULL
WHERE id = :run AND state IN ('paused', 'active')
""")
SET_CAP = text("""
UPDATE budgets SET cap = :cap, warned_percent = 0
WHERE run_id = :run AND spent + reserved <= :cap
""")
SET_RUN_CAP = text("UPDATE runs SET budget_cap = :cap WHERE id = :run")
AVAILABLE_NOW = text("""
UPDATE jobs SET available_at = now() WHERE run_id = :run AND queue IS NOT NULL
  AND lease_until IS NULL AND dispatched_at IS NULL AND available_at > now()
""")
FORGET_DISPATCHED = text("""
UPDATE jobs SET dispatched_at = NULL WHERE dispatched_at IS NOT NULL AND run_id = :run
""")
PAUSE_TIER = text("""
INSERT INTO tiers AS t (name, paused, paused_reason, paused_by, paused_at)
VALUES (:name, true, :reason, :by, now())
ON CONFLICT (name) DO UPDATE SET paused = true, paused_reason = excluded.paused_reason,
  paused_by = excluded.paused_by, paused_at = now(), updated_at = now()
""")
TAKE_BACK = text("""
UPDATE jobs SET dispatched_at = NULL
WHERE dispatched_at IS NOT NULL AND lease_until IS NULL AND (:name = 'everything' OR queue = :name)
""")
RESUME_TIER = text("""
UPDATE tiers SET paused = false, paused_reason = NULL, paused_by = NULL, paused_at = NULL,
  breaker = 'closed', breaker_until = NULL, breaker_reason = NULL, trouble = 0, good = 0,
  troubled = 0, trips = 0, window_at = NULL, updated_at = now()
WHERE name = :name AND (paused OR breaker <> 'closed')
""")
TRY_CANARIES_AGAIN = text("""
UPDATE canaries SET good = 0, bad = 0 WHERE tier = :name AND proven_at IS NULL
""")
CANCEL_RUN = text("""
UPDATE runs SET state = 'cancelled', finished_at = now(), accepting = false WHERE id = :run
""")
CANCEL_JOBS = text("""
UPDATE jobs SET state = 'cancelled', finished_at = now(), lease_until = NULL,
  dispatched_at = NULL, reason = :reason
WHERE id IN (
  SELECT id FROM jobs WHERE run_id = :run AND finished_at IS NULL
  ORDER BY id LIMIT :limit FOR UPDATE)
""")
OPEN_JOBS = text("""
SELECT coalesce(sum(jobs), 0) FROM run_counts
WHERE run_id = :run AND state IN ('queued', 'routed', 'submitted')
""")
COMMITTED = text("SELECT spent + reserved FROM budgets WHERE run_id = :run")
RETRYABLE = text("""
SELECT coalesce(sum(jobs), 0) FROM run_counts WHERE run_id = :run AND state = 'dead'
""")
RETRY_JOBS = text("""
UPDATE jobs SET state = CASE WHEN tier IS NULL THEN 'queued' ELSE 'routed' END,
  finished_at = NULL, failures = 0, available_at = now(), reason = NULL
WHERE id IN (
  SELECT id FROM jobs WHERE run_id = :run AND state = 'dead'
    AND NOT EXISTS (SELECT FROM messages m WHERE m.id = message_id AND m.erased_at IS NOT NULL)
  ORDER BY id LIMIT :limit FOR UPDATE)
""")
REOPEN_RUN = text("""
UPDATE runs SET state = 'active', state_reason = NULL, finished_at = NULL
WHERE id = :run AND state IN ('finished', 'cancelled')
""")
