"""Pauses and what ends them: of a run, a queue, everything; each with its audit event."""

from decimal import Decimal

from sqlalchemy import Engine, text

from models.vocabulary import Lane
from worker.store.actions.caps import AVAILABLE_NOW, set_cap
from worker.store.actions.selection import Selection
from worker.store.audit import Actor, Done, audit
from worker.store.queue.halts import hold
from worker.store.queue.paces import forget_paces
from worker.store.queue.rate_holds import ask_to_lift


def pause_run(engine: Engine, actor: Actor, chosen: Selection, reason: str) -> Done:
    """Nothing of the run is claimed any more; what is in flight is finished."""
    with engine.begin() as connection:
        values = {"run": chosen.run_id, "reason": reason, "by": actor.name}
        changed = connection.execute(PAUSE_RUN, values).rowcount
        done = audit(connection, actor, "pause", chosen.words, changed, reason=reason)
    # Ids of the run that are in Redis find nothing to claim; this makes room at once.
    with engine.begin() as connection:
        connection.execute(FORGET_DISPATCHED, {"run": chosen.run_id})
    return done


def resume_run(
    engine: Engine,
    actor: Actor,
    chosen: Selection,
    cap: Decimal | None = None,
    *,
    lane: Lane | None = None,
) -> Done:
    """The run goes on, perhaps with another budget; `lane` is the one that it was moved to. Raises
    UsageError for a budget that is too small."""
    with engine.begin() as connection:
        if cap is not None and chosen.run_id is not None:
            set_cap(connection, chosen.run_id, cap)
        connection.execute(RESUME_RUN, {"run": chosen.run_id})
        connection.execute(AVAILABLE_NOW, {"run": chosen.run_id})
        forget_paces(connection, chosen.run_id)
        return audit(connection, actor, "resume", chosen.words, 1, budget_usd=cap, lane=lane)


def pause_queue(engine: Engine, actor: Actor, queue: str, reason: str) -> Done:
    """Nothing of this queue (or of any: `everything`) is claimed any more."""
    with engine.begin() as connection:
        hold(connection, queue, reason, actor)
        return audit(connection, actor, "pause", queue, 1, reason=reason)


def drain_queue(engine: Engine, actor: Actor, queue: str, reason: str) -> Done:
    """Pauses the queue (or every one: `everything`), and takes back what was handed to its workers
    and not begun: when nothing is in flight any more, its workers can be taken away. What is
    affected is what was taken back."""
    with engine.begin() as connection:
        hold(connection, queue, reason, actor)
        taken = connection.execute(TAKE_BACK, {"name": queue}).rowcount
        return audit(connection, actor, "drain", queue, taken, reason=reason)


def resume_queue(engine: Engine, actor: Actor, queue: str) -> Done | None:
    """The queue goes on, also where Claude had asked for a pause. None when nothing held it."""
    with engine.begin() as connection:
        resumed = connection.execute(RESUME_QUEUE, {"name": queue}).rowcount
        if not ask_to_lift(connection, queue) and not resumed:
            return None
        connection.execute(TRY_CANARIES_AGAIN, {"name": queue})
        connection.execute(DUE_NOW, {"name": queue})
        forget_paces(connection)
        return audit(connection, actor, "resume", queue, 1)


def overrule_canary(engine: Engine, actor: Actor, queue: str) -> Done | None:
    """The queue goes on, and what its canary gave up is taken for proven: its calls go as many at a
    time as others. None when no canary has anything against it."""
    with engine.begin() as connection:
        values = {"name": queue, "by": actor.name}
        trusted = connection.execute(TRUST_CANARIES, values).mappings().all()
        if not trusted:
            return None
        connection.execute(RESUME_QUEUE, {"name": queue})
        connection.execute(DUE_NOW, {"name": queue})
        forget_paces(connection)
        trials = [dict(row) for row in trusted]
        return audit(connection, actor, "overrule", queue, len(trials), trusted=trials)


PAUSE_RUN = text("""
UPDATE runs SET state = 'paused', state_reason = :reason, paused_by = :by, paused_at = now()
WHERE id = :run AND state = 'active'
""")
RESUME_RUN = text("""
UPDATE runs SET state = 'active', state_reason = NULL, waiting_for = NULL, tier_waits = NULL,
  paused_by = NULL, paused_at = NULL
WHERE id = :run AND state IN ('paused', 'active')
""")
# `OFFSET 0` has each marked job looked up by its key, where stale statistics would have the planner
# read all of a run, or the whole table.
FORGET_DISPATCHED = text("""
DELETE FROM dispatches WHERE job_id = ANY(ARRAY(
  SELECT d.job_id FROM dispatches AS d CROSS JOIN LATERAL (
    SELECT run_id FROM jobs WHERE id = d.job_id OFFSET 0) AS j
  WHERE j.run_id = :run FOR UPDATE OF d SKIP LOCKED))
""")
TAKE_BACK = text("""
DELETE FROM dispatches WHERE job_id = ANY(ARRAY(
  SELECT job_id FROM dispatches WHERE :name = 'everything' OR queue = :name
  FOR UPDATE SKIP LOCKED))
""")
RESUME_QUEUE = text("""
UPDATE tiers SET paused = false, paused_reason = NULL, paused_by = NULL, paused_at = NULL,
  breaker = 'closed', breaker_until = NULL, breaker_reason = NULL, trouble = 0, good = 0,
  troubled = 0, trips = 0, window_at = NULL, updated_at = now()
WHERE name = :name AND (paused OR breaker <> 'closed')
""")
# What was put off because of it goes on at once too. Live runs one by one, by the index of what is
# ready, whatever the planner believes.
DUE_NOW = text("""
UPDATE jobs SET available_at = now() WHERE id = ANY(ARRAY(
  SELECT j.id FROM (SELECT id FROM runs WHERE finished_at IS NULL OFFSET 0) AS r
  CROSS JOIN LATERAL (
    SELECT id FROM jobs WHERE run_id = r.id AND queue IS NOT NULL
      AND (:name = 'everything' OR queue IN (:name, 'batch.' || :name))
      AND lease_until IS NULL AND available_at > now()
    ORDER BY queue, priority DESC, available_at, id FOR UPDATE SKIP LOCKED) AS j))
""")
TRY_CANARIES_AGAIN = text("""
UPDATE canaries SET good = 0, bad = 0, failed_jobs = '{}'
WHERE tier = :name AND proven_at IS NULL
""")
TRUST_CANARIES = text("""
UPDATE canaries SET proven_at = now(), overruled_by = :by
WHERE tier = :name AND proven_at IS NULL AND bad > 0
RETURNING prompt_version, schema_version, model, good, bad
""")
