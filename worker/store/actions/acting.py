"""Actions of the screens beyond those of `ops`: change a run's priority or budget, and retry
exactly the dead letters that were looked at. Each writes its audit event in its transaction."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from worker.errors import RungError, UsageError
from worker.store.actions.ops import AVAILABLE_NOW, GROUP, REOPEN_RUN
from worker.store.audit import Actor, audit
from worker.store.runs import find_run

MAX_PRIORITY = 100


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Dead jobs of a run that died until `until`, perhaps of one cause: a set that only shrinks,
    so that what was counted is what a retry opens."""

    run_id: int
    until: dt.datetime
    reason: str | None = None

    @property
    def bound(self) -> dict[str, Any]:
        """As the statements want it."""
        return {"run": self.run_id, "until": self.until, "reason": self.reason}


def database_now(connection: Connection) -> dt.datetime:
    """Time is decided by the database's clock."""
    now: dt.datetime = connection.execute(NOW).scalar_one()
    return now


def count_dead(connection: Connection, chosen: DeadLetters) -> int:
    """How many jobs a retry would open again."""
    return int(connection.execute(COUNT_DEAD, chosen.bound).scalar_one())


def retry_dead(
    engine: Engine, actor: Actor, chosen: DeadLetters, counted: int | None = None
) -> int:
    """Opens them again, in groups, at the tier where they stood, with a clean count of failures.
    Raises RungError when the run is cancelled."""
    total = 0
    while True:
        with engine.begin() as connection:
            run = find_run(connection, str(chosen.run_id))
            if run.state == "cancelled":
                raise RungError(f"Run {run.name} is cancelled; its jobs cannot be retried.")
            values = chosen.bound | {"limit": GROUP}
            changed = connection.execute(RETRY_DEAD, values).rowcount
            total += changed
            if changed < GROUP:
                if total:
                    connection.execute(REOPEN_RUN, {"run": chosen.run_id})
                why = {"cause": chosen.reason, "counted": counted}
                audit(connection, actor, "retry", f"run {run.name}", total, **why)
                return total


def set_priority(engine: Engine, actor: Actor, run: str, priority: int) -> int:
    """Serves the run before those with a lower priority, from the next dispatch on. Returns what
    it was. Raises UsageError for one out of bounds, RungError for a run that is over."""
    if not -MAX_PRIORITY <= priority <= MAX_PRIORITY:
        raise UsageError(f"A priority is between -{MAX_PRIORITY} and {MAX_PRIORITY}.")
    with engine.begin() as connection:
        found = _open_run(connection, run)
        connection.execute(SET_PRIORITY, {"run": found.id, "priority": priority})
        steps = {"from": found.priority, "to": priority}
        audit(connection, actor, "priority", f"run {found.name}", 1, **steps)
    return int(found.priority)


def set_budget(engine: Engine, actor: Actor, run: str, cap: Decimal | None) -> Decimal | None:
    """Changes what the run may cost in all; None is no limit. A run that waited for budget goes
    on. Returns what it was. Raises UsageError below what is spent and reserved already."""
    with engine.begin() as connection:
        found = change_cap(connection, run, cap)
        steps = {"from": found.budget_cap, "to": cap}
        audit(connection, actor, "budget", f"run {found.name}", 1, **steps)
    before: Decimal | None = found.budget_cap
    return before


def change_cap(connection: Connection, run: str, cap: Decimal | None) -> Row[Any]:
    """As `set_budget`, in the caller's transaction and without an event. Returns the run as it
    was."""
    found = _open_run(connection, run)
    if not connection.execute(SET_CAP, {"run": found.id, "cap": cap}).rowcount:
        raise UsageError(f"{found.name} has spent or reserved more than ${cap} already.")
    connection.execute(SET_RUN_CAP, {"run": found.id, "cap": cap})
    connection.execute(AVAILABLE_NOW, {"run": found.id})
    return found


def last_event(connection: Connection, actor: Actor, action: str, target: str) -> int | None:
    """The audit's row of what this person has just done."""
    values = {"actor": actor.name, "action": action, "target": target}
    found: int | None = connection.execute(LAST_EVENT, values).scalar()
    return found


def looked_at(engine: Engine, actor: Actor, job_id: int) -> None:
    """Somebody asked for the text of a message: that is audited before it is shown."""
    with engine.begin() as connection:
        audit(connection, actor, "read text", f"job {job_id}", 1)


def _open_run(connection: Connection, run: str) -> Row[Any]:
    found = find_run(connection, run)
    if found.finished_at is not None:
        raise RungError(f"Run {found.name} is {found.state}: there is nothing left to change.")
    return found


NOW = text("SELECT now()")
COUNT_DEAD = text("""
SELECT count(*) FROM jobs WHERE run_id = :run AND state = 'dead' AND finished_at <= :until
  AND (CAST(:reason AS text) IS NULL OR reason = :reason)
""")
RETRY_DEAD = text("""
UPDATE jobs SET state = CASE WHEN tier IS NULL THEN 'queued' ELSE 'routed' END,
  finished_at = NULL, failures = 0, available_at = now(), reason = NULL
WHERE id IN (
  SELECT id FROM jobs WHERE run_id = :run AND state = 'dead' AND finished_at <= :until
    AND (CAST(:reason AS text) IS NULL OR reason = :reason)
    AND NOT EXISTS (SELECT FROM messages m WHERE m.id = message_id AND m.erased_at IS NOT NULL)
  ORDER BY id LIMIT :limit FOR UPDATE)
""")
SET_PRIORITY = text("UPDATE runs SET priority = :priority WHERE id = :run")
SET_CAP = text("""
UPDATE budgets SET cap = :cap, updated_at = now() WHERE run_id = :run
  AND (CAST(:cap AS numeric) IS NULL OR spent + reserved <= :cap)
""")
SET_RUN_CAP = text("UPDATE runs SET budget_cap = :cap, waiting_for = NULL WHERE id = :run")
LAST_EVENT = text("""
SELECT id FROM audit_events WHERE actor = :actor AND action = :action AND target = :target
ORDER BY id DESC LIMIT 1
""")
