"""The intake of a run: who holds it, and what its end leaves in the run."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from models.vocabulary import RunState
from worker.store.locks import holding
from worker.store.queue.dispatch import unmark_ended
from worker.store.runs import RunRef

INTAKE_LOCK = 0x52554E49
GROUP = 5_000
"""Jobs of a run that are ended at once."""


@contextmanager
def holding_intake(engine: Engine, run_id: int) -> Iterator[bool]:
    """Whether the intake of a run is ours until the end of the block; False when another has
    it."""
    values = {"space": INTAKE_LOCK, "run": run_id}
    with holding(engine, TRY_INTAKE_LOCK, values) as mine:
        yield mine


def close_abandoned_intakes(engine: Engine) -> None:
    """Ends the intake of runs whose intake process died: nobody holds its lock any more. What came
    into a run after somebody had cancelled it is cancelled too."""
    with engine.begin() as connection:
        connection.execute(CLOSE_ABANDONED, {"space": INTAKE_LOCK})
        connection.execute(END_LEFT_OPEN, {"group": GROUP})


def reopen_intake(connection: Connection, run: RunRef) -> bool:
    """More rows are coming into a run that may have finished. False when it is cancelled: nothing
    would ever claim them."""
    return bool(connection.execute(REOPEN, {"id": run.id}).rowcount)


def close_intake(
    connection: Connection,
    run: RunRef,
    rejected: int,
    duplicates: int,
    own: Iterable[str] | None = None,
) -> None:
    """No more rows are coming: the run may finish. `own` names the columns of the rows that are not
    ours, in the order of the file; None where they are another run's rows, whose columns it
    inherits. What came into a run after somebody had cancelled it is cancelled too."""
    names = None if own is None else list(own)
    values = {"id": run.id, "rejected": rejected, "duplicates": duplicates, "own": names}
    if connection.execute(CLOSE, values).scalar() == RunState.CANCELLED:
        _cancel_rest(connection, run)


def _cancel_rest(connection: Connection, run: RunRef) -> None:
    """In groups, for one statement over a large run would run into its limit of time."""
    last: int | None = 0
    of_a_run = {"id": run.id, "group": GROUP}
    while last is not None:
        last = connection.execute(CANCEL_REST, of_a_run | {"after": last}).scalar()
    unmark_ended(connection)


def inherit_columns(connection: Connection, run: RunRef, runs: Sequence[int]) -> None:
    """A run made of other runs' messages has their rows' columns too."""
    connection.execute(INHERIT, {"id": run.id, "runs": list(runs)})


TRY_INTAKE_LOCK = text("SELECT pg_try_advisory_xact_lock(:space, CAST(:run AS int))")


CLOSE_ABANDONED = text("""
UPDATE runs SET accepting = false,
  state_reason = coalesce(state_reason, 'its intake was interrupted; enqueue the file again'
    ' to add the rest')
WHERE accepting AND finished_at IS NULL AND created_at < now() - interval '10 seconds'
  AND CASE WHEN pg_try_advisory_xact_lock(:space, CAST(id AS int)) THEN true ELSE false END
""")


# A cancel that is still going on ends its jobs itself, in its own words. The look-ups are kept to
# the index of what is ready, whatever the planner believes of a run.
END_LEFT_OPEN = text("""
UPDATE jobs SET state = 'cancelled', finished_at = now(), reason = 'its run was cancelled'
WHERE id = ANY(ARRAY(
  SELECT j.id FROM (
    SELECT id FROM runs
    WHERE state = 'cancelled' AND finished_at < now() - interval '5 minutes' AND EXISTS (
      SELECT FROM run_counts AS c
      WHERE c.run_id = runs.id AND c.jobs > 0 AND c.state IN ('queued', 'routed')) OFFSET 0) AS r
  CROSS JOIN LATERAL (
    SELECT id FROM jobs WHERE run_id = r.id AND queue IS NOT NULL AND lease_until IS NULL
      AND id NOT IN (SELECT job_id FROM dispatches)
    ORDER BY queue, priority DESC, available_at, id LIMIT :group FOR UPDATE SKIP LOCKED) AS j))
""")


# An intake that was cut off, or one of before, has not said which columns its rows have.
REOPEN = text("""
UPDATE runs SET accepting = true, finished_at = NULL,
  columns_known = coalesce(columns_known, false),
  state = CASE WHEN state = 'finished' THEN 'active' ELSE state END
WHERE id = :id AND state <> 'cancelled'
""")


CLOSE = text("""
UPDATE runs SET accepting = false, rejected = rejected + :rejected,
  duplicates = duplicates + :duplicates,
  own_columns = own_columns || ARRAY(
    SELECT name FROM unnest(CAST(:own AS text[])) WITH ORDINALITY AS u(name, place)
    WHERE name <> ALL(own_columns) ORDER BY place),
  columns_known = coalesce(columns_known, CASE WHEN CAST(:own AS text[]) IS NOT NULL THEN true END)
WHERE id = :id RETURNING state
""")
# So many jobs of the run, as they lie in its index, whatever the planner believes: looking for
# open ones it might read, and sort, the whole run for each group.
CANCEL_REST = text("""
WITH part AS MATERIALIZED (
  SELECT id, message_id FROM jobs
  WHERE (run_id, message_id) > (CAST(:id AS bigint), CAST(:after AS bigint)) AND run_id <= :id
  ORDER BY run_id, message_id LIMIT :group
), ended AS (
  UPDATE jobs SET state = 'cancelled', finished_at = now(), lease_until = NULL,
    reason = 'its run was cancelled while it was being submitted'
  WHERE id = ANY(ARRAY(SELECT id FROM part)) AND finished_at IS NULL
)
SELECT max(message_id) FROM part
""")


INHERIT = text("""
UPDATE runs SET own_columns = ARRAY(
  SELECT name FROM (
    SELECT DISTINCT ON (u.name) u.name, r.id, u.place
    FROM runs AS r CROSS JOIN LATERAL unnest(r.own_columns) WITH ORDINALITY AS u(name, place)
    WHERE r.id = ANY(:runs) ORDER BY u.name, r.id, u.place) AS first
  ORDER BY id, place),
  columns_known = (SELECT bool_and(coalesce(columns_known, false)) FROM runs WHERE id = ANY(:runs))
WHERE id = :id
""")
