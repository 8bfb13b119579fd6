"""The SQL of the screens. Each statement reads counters, or a bounded piece of an index: none
costs more when the tables grow."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from worker.store.queue.paces import DONE_OF_CHOSEN
from worker.store.rows import values_of

COMPARED = 5_000
Key = tuple[int, str]
"""A run's id and a queue, or `ended` for jobs that reached a terminal state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClimbCount:
    """How often jobs climbed from one tier to another for one reason."""

    from_tier: str
    to_tier: str
    reason: str
    escalations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSeen:
    """A worker process: the jobs that it may hold and holds, by queue; `now` is the database's
    time."""

    id: str
    host: str
    pid: int
    version: str
    capacity: Mapping[str, int]
    in_flight: Mapping[str, int]
    stopping: bool
    started_at: dt.datetime
    seen_at: dt.datetime
    last_claim_at: dt.datetime | None
    now: dt.datetime
    alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedRun:
    """A run that another answers again (`earlier`), or that answers it again."""

    id: int
    name: str
    created_at: dt.datetime
    earlier: bool
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reanswered:
    """Of so many jobs that were compared: answered now and not before, the other way round, and
    as before."""

    compared: int
    better: int
    worse: int
    same: int


def done_counters(connection: Connection) -> dict[Key, int]:
    """For each recent run: jobs that left routing, answers that each tier has given, jobs that
    ended. All only grow, except that a retry takes dead jobs back."""
    rows = connection.execute(DONE).all()
    return {(row.run_id, row.queue): int(row.done) for row in rows}


def done_of(connection: Connection, runs: Sequence[int]) -> dict[int, dict[str, int]]:
    """The same of these runs: by run, what it has done at each queue."""
    found: dict[int, dict[str, int]] = {run: {} for run in runs}
    for row in connection.execute(DONE_OF, {"runs": list(runs)}):
        found[row.run_id][row.queue] = int(row.done)
    return found


def counts_of(connection: Connection, runs: Sequence[int]) -> dict[tuple[str, str], int]:
    """Jobs of these runs by state and tier."""
    rows = connection.execute(COUNTS, {"runs": list(runs)}).all()
    return {(row.state, row.tier): int(row.jobs) for row in rows}


def decided_of(connection: Connection, runs: Sequence[int]) -> int:
    """Jobs of these runs that a person has given a verdict on."""
    return int(connection.execute(DECIDED, {"runs": list(runs)}).scalar_one())


def escalations_of(connection: Connection, runs: Sequence[int]) -> list[ClimbCount]:
    """Escalations of these runs by step and reason, most frequent first."""
    return values_of(ClimbCount, connection.execute(ESCALATIONS, {"runs": list(runs)}))


@dataclass(frozen=True, slots=True)
class OldestWait:
    """Seconds: for how long a job of a queue could have gone (None: none could), and since when one
    waits for that, too: for a budget, or for another try."""

    queue: str
    ready_s: float | None
    waited_s: float | None


def oldest_waits(connection: Connection, queues: Sequence[str]) -> dict[str, OldestWait]:
    """Of each queue in which jobs wait."""
    rows = values_of(OldestWait, connection.execute(OLDEST, {"queues": list(queues)}))
    return {row.queue: row for row in rows}


def budget_stops(connection: Connection, runs: Sequence[int]) -> dict[int, dt.datetime]:
    """Since when these runs have been stopped by the caps that they have now."""
    return {row.run_id: row.at for row in connection.execute(STOPS, {"runs": list(runs)})}


def attention_counts(connection: Connection) -> dict[str, int]:
    """Dead letters, and reviews that wait for a verdict, in all runs."""
    return {row.state: int(row.jobs) for row in connection.execute(ATTENTION)}


def workers(connection: Connection) -> list[WorkerSeen]:
    """Worker processes seen within the hour, those at work first."""
    return values_of(WorkerSeen, connection.execute(WORKERS))


def related_runs(connection: Connection, run_id: int) -> list[RelatedRun]:
    """The run that this one answers again, and those that answer it again."""
    return values_of(RelatedRun, connection.execute(RELATED, {"run": run_id}))


def difference(connection: Connection, run: str) -> Reanswered | None:
    """What a reprocessing changed, of its first `COMPARED` jobs that have ended: how many are
    answered now and were not, the other way round, and as before. None while none has ended."""
    values = {"run": run, "limit": COMPARED}
    (found,) = values_of(Reanswered, connection.execute(DIFFERENCE, values))
    return found if found.compared else None


RECENT = "SELECT id FROM runs WHERE finished_at IS NULL OR id > (SELECT max(id) - 20 FROM runs)"

DONE = text(f"""
WITH chosen AS ({RECENT}),
counts AS (SELECT c.* FROM run_counts AS c JOIN chosen ON chosen.id = c.run_id)
{DONE_OF_CHOSEN}""")  # noqa: S608 - constants only

DONE_OF = text(f"""
WITH chosen AS (SELECT unnest(CAST(:runs AS bigint[])) AS id),
counts AS (SELECT c.* FROM run_counts AS c JOIN chosen ON chosen.id = c.run_id)
{DONE_OF_CHOSEN}""")  # noqa: S608 - constants only

COUNTS = text("""
SELECT state, tier, sum(jobs) AS jobs FROM run_counts WHERE run_id = ANY(:runs)
GROUP BY 1, 2 HAVING sum(jobs) <> 0
""")
DECIDED = text("""
SELECT coalesce(sum(jobs), 0) FROM run_verdicts WHERE run_id = ANY(:runs)
""")
ESCALATIONS = text("""
SELECT from_tier, to_tier, reason, sum(escalations)::bigint AS escalations FROM run_escalations
WHERE run_id = ANY(:runs) GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
""")


# The first job of each live run at each priority that its jobs have (mostly one), dispatched or
# not: a few steps on one small index.
OLDEST = text("""
WITH RECURSIVE first AS (
  SELECT r.id AS run_id, q.queue, f.id, f.priority, f.available_at, f.created_at
  FROM runs AS r CROSS JOIN unnest(CAST(:queues AS text[])) AS q(queue)
  CROSS JOIN LATERAL (
    SELECT id, priority, available_at, created_at FROM jobs
    WHERE run_id = r.id AND queue = q.queue AND lease_until IS NULL
    ORDER BY priority DESC, available_at, id LIMIT 1) AS f
  WHERE r.finished_at IS NULL
  UNION ALL
  SELECT s.run_id, s.queue, f.id, f.priority, f.available_at, f.created_at
  FROM first AS s CROSS JOIN LATERAL (
    SELECT id, priority, available_at, created_at FROM jobs
    WHERE run_id = s.run_id AND queue = s.queue AND lease_until IS NULL
      AND priority < s.priority
    ORDER BY priority DESC, available_at, id LIMIT 1) AS f)
SELECT queue,
  extract(epoch FROM now() - min(available_at) FILTER (WHERE available_at <= now()))::float8
    AS ready_s,
  extract(epoch FROM now() - min(least(available_at, since)))::float8 AS waited_s
FROM (
  SELECT f.queue, f.available_at, coalesce(a.ended_at, f.created_at) AS since
  FROM first AS f CROSS JOIN LATERAL (
    SELECT max(finished_at) AS ended_at FROM attempts WHERE job_id = f.id OFFSET 0) AS a) AS w
GROUP BY 1
""")
# A notice's key names its event: a budget's stop (the run's or the day's), the cap and the run.
STOPS = text("""
SELECT r.id AS run_id, max(n.at) AS at FROM unnest(CAST(:runs AS bigint[])) AS r(id)
CROSS JOIN LATERAL (
  SELECT 'run:' || cap AS budget FROM budgets WHERE scope = 'run:' || r.id
  UNION ALL
  SELECT 'day:' || day || ':' || cap FROM budgets WHERE day = (now() AT TIME ZONE 'UTC')::date
  OFFSET 0) AS b
CROSS JOIN LATERAL (
  SELECT at FROM notices WHERE key = 'budget_stop:' || b.budget || ':' || r.id OFFSET 0) AS n
GROUP BY 1
""")
ATTENTION = text("""
SELECT state, sum(jobs) AS jobs FROM (
  SELECT state, jobs FROM run_counts WHERE state IN ('dead', 'review')
  UNION ALL SELECT 'review', -jobs FROM run_verdicts) AS one
GROUP BY 1
""")
WORKERS = text("""
SELECT id, host, pid, version, capacity, in_flight, stopping, started_at, seen_at, last_claim_at,
  now() AS now, seen_at > now() - interval '10 seconds' AS alive
FROM workers ORDER BY alive DESC, host, pid LIMIT 500
""")
RELATED = text("""
SELECT p.id, p.name, p.created_at, true AS earlier, p.kind FROM runs AS r
JOIN runs AS p ON p.id = r.parent_id WHERE r.id = :run
UNION ALL
SELECT id, name, created_at, false, kind FROM (
  SELECT id, name, created_at, parent_id, kind FROM runs ORDER BY id DESC LIMIT 500) AS recent
WHERE parent_id = :run ORDER BY id
""")
DIFFERENCE = text("""
SELECT count(*) AS compared,
  count(*) FILTER (WHERE j.state = 'answered' AND o.state <> 'answered') AS better,
  count(*) FILTER (WHERE j.state <> 'answered' AND o.state = 'answered') AS worse,
  count(*) FILTER (WHERE (j.state = 'answered') = (o.state = 'answered')) AS same
FROM (
  SELECT state, origin_id FROM jobs WHERE run_id = (SELECT id FROM runs WHERE name = :run)
    AND origin_id IS NOT NULL AND finished_at IS NOT NULL ORDER BY message_id LIMIT :limit) AS j
JOIN jobs AS o ON o.id = j.origin_id
""")
