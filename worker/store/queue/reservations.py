"""Reservations set right at start-up, against what the open attempts hold."""

import logging

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from worker.store.audit import RUNG, audit
from worker.store.complaints import was_stopped

log = logging.getLogger(__name__)


def reconcile(engine: Engine) -> int:
    """Sets what is reserved to what the open attempts hold. Returns how many budgets were wrong.

    Safe beside working processes: a claim that has reserved has committed its attempts once the
    budgets' locks are ours, and a recording that has not settled still counts as open. A budget
    that somebody keeps locked (a process that stands still, say) keeps no other from its start:
    then nothing is changed, and the next to start looks again.
    """
    try:
        return _reconcile(engine)
    except DBAPIError as error:
        if not was_stopped(error):
            raise
        log.warning("budgets not reconciled: another process keeps one locked")
        return 0


def _reconcile(engine: Engine) -> int:
    with engine.begin() as connection:
        connection.execute(PATIENCE)
        connection.execute(LOCK_ALL)
        wrong = connection.execute(RECONCILE).all()
        for scope, before, after in wrong:
            log.warning("budget reconciled", extra={"budget": scope, "reserved": str(after)})
            audit(connection, RUNG, "reconcile", scope, 1, before=before, after=after)
    return len(wrong)


# Less than the half-minute after which Postgres takes from a process that stands still what it
# holds: claims can wait for that, a start need not.
PATIENCE = text("SET LOCAL lock_timeout = '4s'")


LOCK_ALL = text("""
SELECT scope FROM budgets WHERE reserved <> 0 ORDER BY scope FOR UPDATE
""")

# Two halves, for each has its partial index. A budget without reservations may have open attempts
# too (restored from an older backup, say); such a one is locked by the update itself.
RECONCILE = text("""
WITH open AS (
  SELECT job_id, budget_day, reserved FROM attempts
  WHERE outcome = 'started' AND batch_id IS NULL
  UNION ALL
  SELECT job_id, budget_day, reserved FROM attempts
  WHERE outcome = 'started' AND batch_id IS NOT NULL
), held AS (
  SELECT 'run:' || j.run_id AS scope, o.reserved FROM open AS o JOIN jobs AS j ON j.id = o.job_id
  UNION ALL SELECT 'day:' || budget_day, reserved FROM open
), due AS (
  SELECT b.scope, b.reserved AS before, coalesce(h.reserved, 0) AS after FROM budgets AS b
  LEFT JOIN (SELECT scope, sum(reserved) AS reserved FROM held GROUP BY 1) AS h USING (scope)
  WHERE b.reserved <> 0 OR h.reserved IS NOT NULL
)
UPDATE budgets AS b SET reserved = d.after, updated_at = now(),
  overrun = GREATEST(b.overrun, b.spent + d.after - b.cap, 0)
FROM due AS d WHERE b.scope = d.scope AND d.before <> d.after
RETURNING b.scope, d.before, d.after
""")
