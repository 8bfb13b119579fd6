"""What a run may cost in all, changed by people. A raised cap is warned about anew, whichever way
it was raised, and what waited for it goes on."""

from decimal import Decimal
from shlex import quote

from sqlalchemy import Connection, Engine, text

from worker.domain.wording import dollars
from worker.errors import RungError, UsageError
from worker.store.actions.changes import over, runs_of
from worker.store.actions.selection import Selection
from worker.store.audit import Actor, Done, audit
from worker.store.queue.paces import forget_paces


def set_budget(
    engine: Engine,
    actor: Actor,
    chosen: Selection,
    cap: Decimal | None,
    *,
    counted: int | None = None,
) -> Done:
    """Gives a run, or every run under way with open jobs that are meant, this budget in dollars;
    None is no limit. Raises UsageError, and changes none, when one of them has used more already;
    RungError when there are more of them than were `counted`, or when a run is over."""
    with engine.begin() as connection:
        runs = runs_of(connection, chosen)
        if not chosen.is_run and counted is not None and len(runs) > counted:
            raise RungError(f"It was {counted:,} runs, and is {len(runs):,} now: look again.")
        before = [set_cap(connection, run, cap) for run in runs]
        detail = {"from": before[0], "to": cap} if chosen.is_run else {"to": cap}
        return audit(connection, actor, "budget", chosen.words, len(runs), **detail)


def set_cap(connection: Connection, run_id: int, cap: Decimal | None) -> Decimal | None:
    """Changes the cap of one run, in the caller's transaction and without an event. Returns what it
    was. Raises UsageError below what is spent and reserved, RungError for a run that is over."""
    run = connection.execute(RUN, {"run": run_id}).one()
    if run.finished_at is not None:
        raise over(run)
    if not connection.execute(SET_CAP, {"run": run_id, "cap": cap}).rowcount:
        raise too_small(run.name, committed(connection, run_id), cap)
    connection.execute(SET_RUN_CAP, {"run": run_id, "cap": cap})
    connection.execute(AVAILABLE_NOW, {"run": run_id})
    forget_paces(connection, run_id)
    before: Decimal | None = run.budget_cap
    return before


def too_small(run: str, used: Decimal, cap: Decimal | None) -> UsageError:
    """What to say of a cap below what is spent and reserved."""
    return UsageError(
        f"{run} has spent or reserved {dollars(used)} already;"
        f" a budget of {dollars(cap)} is too small.",
        mend=f"rung budget {quote(run)} --to {max(used * 2, Decimal('0.01')):.2f}",
    )


def committed(connection: Connection, run_id: int) -> Decimal:
    """Dollars that the run has spent or reserved: no budget can be smaller."""
    return Decimal(connection.execute(COMMITTED, {"run": run_id}).scalar_one())


RUN = text("SELECT name, state, finished_at, budget_cap FROM runs WHERE id = :run")
SET_CAP = text("""
UPDATE budgets SET cap = :cap, warned_percent = 0, updated_at = now() WHERE run_id = :run
  AND (CAST(:cap AS numeric) IS NULL OR spent + reserved <= :cap)
""")
SET_RUN_CAP = text("""
UPDATE runs SET budget_cap = :cap, waiting_for = NULL, tier_waits = NULL WHERE id = :run
""")
# The run is a row here and not a value, of which statistics from before its intake would say that
# it has no jobs; so the index of what is ready is used, by its order.
AVAILABLE_NOW = text("""
UPDATE jobs SET available_at = now() WHERE id = ANY(ARRAY(
  SELECT j.id FROM (SELECT CAST(:run AS bigint) AS id OFFSET 0) AS r CROSS JOIN LATERAL (
    SELECT id FROM jobs WHERE run_id = r.id AND queue IS NOT NULL AND lease_until IS NULL
      AND available_at > now()
    ORDER BY queue, priority DESC, available_at, id FOR UPDATE) AS j))
""")
COMMITTED = text("SELECT spent + reserved FROM budgets WHERE run_id = :run")
