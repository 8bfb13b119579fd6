"""A quick look at what a filter chooses: at so many jobs of those that it may choose from, whatever
there are. It says how many are meant at least; before a deed they are counted exactly."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, any_, func, literal, text
from sqlalchemy.dialects.postgresql import ARRAY

from models.jobs import Job
from worker.domain.filters import And, Comparison, Node, Op
from worker.store.actions.changes import CANCEL, OPEN, Change, meant, runs_of
from worker.store.actions.selection import Selection
from worker.store.rows import HIGHEST_ID, OPEN_JOBS

OPEN_LOOKED_AT, DEAD_LOOKED_AT = 2_500, 150
"""Of a dead letter its message and what was tried are looked up, each at a place of its own."""
RUNS_LOOKED_AT = 1_500
"""Of all runs together, where one job that is meant is enough."""


@dataclass(frozen=True, slots=True)
class Glance:
    """`found` jobs are meant of `looked_at`, the newest; `able` are as many as could be meant."""

    found: int
    looked_at: int
    able: int


def glance(connection: Connection, change: Change, chosen: Selection) -> Glance | None:
    """How many of the newest jobs a change means that is for what a filter chooses. None where
    there are no more, or it names its jobs: then they may as well be counted."""
    if chosen.node is not None and _names_jobs(chosen.node):
        return None
    if change.able is OPEN:
        among, newest, most = OPEN_AMONG, NEWEST_OF_RUNS, OPEN_LOOKED_AT
    else:
        among, newest, most = DEAD_AMONG, NEWEST_DEAD, DEAD_LOOKED_AT
    size = connection.execute(among, {"run": chosen.run_id}).one()
    if size.jobs <= most:
        return None
    ids = list(connection.execute(newest, {"runs": size.runs, "most": most}).scalars())
    seen = meant(change, chosen, func.count()).where(
        Job.id == any_(literal(ids, ARRAY(BigInteger)))
    )
    return Glance(connection.execute(seen).scalar_one(), len(ids), size.able)


@dataclass(frozen=True, slots=True)
class GlancedRuns:
    """`found` have open jobs that are meant; of `open_` ones it is not known, for all of those that
    were looked at are not."""

    found: Sequence[int]
    open_: Sequence[int]


def glance_runs(connection: Connection, chosen: Selection) -> GlancedRuns:
    """Which runs under way have open jobs that a filter chooses, from the newest jobs of each, in a
    bounded number; a job that is named is looked up."""
    size = connection.execute(OPEN_AMONG, {"run": chosen.run_id}).one()
    if size.jobs <= RUNS_LOOKED_AT or (chosen.node is not None and _names_jobs(chosen.node)):
        return GlancedRuns(runs_of(connection, chosen), ())
    each = max(RUNS_LOOKED_AT // len(size.runs), 1)
    rows = connection.execute(NEWEST_OF_EACH, {"runs": size.runs, "most": each}).all()
    ids = [row.id for row in rows]
    seen = meant(CANCEL, chosen, Job.run_id).where(Job.id == any_(literal(ids, ARRAY(BigInteger))))
    found = sorted(connection.execute(seen.distinct()).scalars())
    looked_at = Counter(row.run_id for row in rows)
    more = {run for run, jobs in looked_at.items() if jobs == each}
    return GlancedRuns(found, sorted(more - set(found)))


def _names_jobs(node: Node) -> bool:
    match node:
        case Comparison(field="job", op=Op.EQ | Op.IN):
            return True
        case And(parts):
            return any(map(_names_jobs, parts))
    return False


# Of runs that have open jobs all are looked at, for no index has those alone.
OPEN_AMONG = text(f"""
SELECT array_agg(id ORDER BY id DESC) AS runs, coalesce(sum(jobs), 0)::bigint AS jobs,
  coalesce(sum(able), 0)::bigint AS able
FROM (
  SELECT r.id, sum(c.jobs) AS jobs, sum(c.jobs) FILTER (WHERE c.state IN ({OPEN_JOBS})) AS able
  FROM runs AS r JOIN run_counts AS c ON c.run_id = r.id
  WHERE CASE WHEN CAST(:run AS bigint) IS NULL THEN r.state <> 'finished' ELSE r.id = :run END
  GROUP BY 1) AS of_run
WHERE able > 0
""")  # noqa: S608 - constants only
# The run is not said by `=`: its jobs are to be read by the index, from behind, and not sorted.
NEWEST_OF_ONE = f"""
CROSS JOIN LATERAL (
  SELECT id FROM jobs WHERE run_id >= run.id AND (run_id, message_id) <= (run.id, {HIGHEST_ID})
  ORDER BY run_id DESC, message_id DESC LIMIT :most) AS j"""  # noqa: S608 - a constant only
NEWEST_OF_RUNS = text(f"""
SELECT j.id FROM unnest(CAST(:runs AS bigint[])) AS run(id) {NEWEST_OF_ONE}
LIMIT :most
""")  # noqa: S608 - a constant only
NEWEST_OF_EACH = text(f"""
SELECT run.id AS run_id, j.id FROM unnest(CAST(:runs AS bigint[])) AS run(id) {NEWEST_OF_ONE}
""")  # noqa: S608 - a constant only
DEAD_AMONG = text("""
SELECT array_agg(DISTINCT run_id ORDER BY run_id DESC) AS runs,
  coalesce(sum(jobs), 0)::bigint AS jobs, coalesce(sum(jobs), 0)::bigint AS able
FROM run_counts WHERE state = 'dead' AND (CAST(:run AS bigint) IS NULL OR run_id = :run)
""")
# The state is written out, so that the partial index serves.
NEWEST_DEAD = text("""
SELECT j.id FROM unnest(CAST(:runs AS bigint[])) AS run(id)
CROSS JOIN LATERAL (
  SELECT id FROM jobs WHERE state = 'dead' AND run_id = run.id
  ORDER BY run_id DESC, id DESC LIMIT :most) AS j
LIMIT :most
""")
