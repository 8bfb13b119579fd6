"""The SQL of the screens. Each statement reads counters, or a bounded piece of an index: none
costs more when the tables grow."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import PERSON, ROUTING
from worker.store.queue.paces import DONE_OF_CHOSEN, ENDED
from worker.store.reading.rates import Key

COMPARED = 5_000
AUDITED = 2_500


def done_counters(connection: Connection) -> dict[Key, int]:
    """For each recent run: jobs that left routing, answers that each tier has given, jobs that
    ended. All only grow, except that a retry takes dead jobs back."""
    rows = connection.execute(DONE).all()
    return {(row.run_id, row.queue): int(row.done) for row in rows}


def done_by_queue(
    counts: Mapping[tuple[str, str], int], steps: Sequence[Mapping[str, Any]]
) -> dict[str, int]:
    """The same of one run, from what `counts_of` and `escalations_of` say of it."""
    found: Counter[str] = Counter()
    for (state, tier), jobs in counts.items():
        if state not in ("queued", "cancelled"):
            found[ROUTING] += jobs
        if state in ("answered", "review", "dead") and tier:
            found[tier] += jobs
        if state in ("answered", "review", "dead", "cancelled"):
            found[ENDED] += jobs
    for step in steps:
        if step["to_tier"] != PERSON:
            found[step["from_tier"]] += step["escalations"]
    return dict(found)


def counts_of(connection: Connection, runs: Sequence[int]) -> dict[tuple[str, str], int]:
    """Jobs of these runs by state and tier."""
    rows = connection.execute(COUNTS, {"runs": list(runs)}).all()
    return {(row.state, row.tier): int(row.jobs) for row in rows}


def decided_of(connection: Connection, runs: Sequence[int]) -> int:
    """Jobs of these runs that a person has given a verdict on."""
    return int(connection.execute(DECIDED, {"runs": list(runs)}).scalar_one())


def escalations_of(connection: Connection, runs: Sequence[int]) -> list[dict[str, Any]]:
    """Escalations of these runs by step and reason, most frequent first."""
    rows = connection.execute(ESCALATIONS, {"runs": list(runs)}).mappings()
    return [dict(row) for row in rows]


def spend_of(connection: Connection, runs: Sequence[int]) -> Sequence[Row[Any]]:
    """The ledger's sums of these runs, one row for each tier, purpose, model, lane and state."""
    return connection.execute(SPEND, {"runs": list(runs)}).all()


def oldest_waits(connection: Connection, queues: Sequence[str]) -> dict[str, float]:
    """Seconds that the longest waiting job of each queue has been ready."""
    rows = connection.execute(OLDEST, {"queues": list(queues)}).all()
    return {row.queue: float(row.waited_s) for row in rows if row.waited_s is not None}


def attention_counts(connection: Connection) -> dict[str, int]:
    """Dead letters, and reviews that wait for a verdict, in all runs."""
    return {row.state: int(row.jobs) for row in connection.execute(ATTENTION)}


def workers(connection: Connection) -> list[dict[str, Any]]:
    """Worker processes seen within the hour, those at work first."""
    return [dict(row) for row in connection.execute(WORKERS).mappings()]


def open_batches(connection: Connection) -> list[dict[str, Any]]:
    """Message Batches that are under way."""
    return [dict(row) for row in connection.execute(BATCHES).mappings()]


def related_runs(connection: Connection, run_id: int) -> list[dict[str, Any]]:
    """The run that this one answers again, and those that answer it again."""
    return [dict(row) for row in connection.execute(RELATED, {"run": run_id}).mappings()]


def difference(connection: Connection, run: str) -> dict[str, Any] | None:
    """What a reprocessing changed, of its first `COMPARED` jobs that have ended: how many are
    answered now and were not, the other way round, and as before. None while none has ended."""
    row = connection.execute(DIFFERENCE, {"run": run, "limit": COMPARED}).mappings().one()
    return dict(row) if row["compared"] else None


def audit_page(
    connection: Connection,
    before: int | None,
    limit: int,
    *,
    who: str | None = None,
    what: str | None = None,
    target: str | None = None,
) -> list[dict[str, Any]]:
    """What people and schedules did, newest first: by whom, what, and a part of what it was done
    to. A filter looks at the newest `AUDITED` events."""
    values = {"before": before, "limit": limit, "who": who, "what": what, "target": target}
    window = AUDITED if who or what or target else limit
    rows = connection.execute(AUDIT, values | {"window": window}).mappings()
    return [dict(row) for row in rows]


def audit_words(connection: Connection) -> tuple[list[str], list[str]]:
    """Who did something, and what was done, among the newest `AUDITED` events."""
    rows = connection.execute(AUDIT_WORDS, {"window": AUDITED}).all()
    return sorted({row.actor for row in rows}), sorted({row.action for row in rows})


def audit_event(connection: Connection, event_id: int) -> dict[str, Any] | None:
    """One action."""
    row = connection.execute(AUDIT_EVENT, {"id": event_id}).mappings().one_or_none()
    return dict(row) if row is not None else None


RECENT = "SELECT id FROM runs WHERE finished_at IS NULL OR id > (SELECT max(id) - 20 FROM runs)"

DONE = text(f"""
WITH chosen AS ({RECENT}),
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
SPEND = text("""
SELECT tier, purpose, model, lane, state, simulated, sum(calls)::bigint AS calls,
  sum(unpriced)::bigint AS unpriced, sum(input_tokens)::bigint AS input_tokens,
  sum(cache_read_tokens)::bigint AS cache_read_tokens,
  sum(cache_write_5m_tokens)::bigint AS cache_write_5m_tokens,
  sum(cache_write_1h_tokens)::bigint AS cache_write_1h_tokens,
  sum(output_tokens)::bigint AS output_tokens, sum(cost) AS cost
FROM run_spend WHERE run_id = ANY(:runs) AND calls <> 0
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY cost DESC, 1, 2, 3, 4, 5
""")

# The first ready job of each live run at each priority that its jobs have (mostly one), and what
# is dispatched: a few steps on two small indexes.
OLDEST = text("""
WITH RECURSIVE first AS (
  SELECT r.id AS run_id, q.queue, f.priority, f.available_at
  FROM runs AS r CROSS JOIN unnest(CAST(:queues AS text[])) AS q(queue)
  CROSS JOIN LATERAL (
    SELECT priority, available_at FROM jobs
    WHERE run_id = r.id AND queue = q.queue AND lease_until IS NULL AND dispatched_at IS NULL
    ORDER BY priority DESC, available_at, id LIMIT 1) AS f
  WHERE r.finished_at IS NULL
  UNION ALL
  SELECT s.run_id, s.queue, f.priority, f.available_at
  FROM first AS s CROSS JOIN LATERAL (
    SELECT priority, available_at FROM jobs
    WHERE run_id = s.run_id AND queue = s.queue AND lease_until IS NULL AND dispatched_at IS NULL
      AND priority < s.priority
    ORDER BY priority DESC, available_at, id LIMIT 1) AS f)
SELECT queue, extract(epoch FROM now() - min(available_at))::float8 AS waited_s
FROM (
  SELECT queue, available_at FROM first
  UNION ALL
  SELECT queue, available_at FROM jobs
  WHERE queue = ANY(CAST(:queues AS text[])) AND dispatched_at IS NOT NULL) AS w
WHERE available_at <= now() GROUP BY 1
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
BATCHES = text("""
SELECT *, now() AS now FROM message_batches WHERE state IN ('intended', 'submitted', 'ended')
ORDER BY id LIMIT 200
""")
RELATED = text("""
SELECT p.id, p.name, p.created_at, true AS earlier FROM runs AS r
JOIN runs AS p ON p.id = r.parent_id WHERE r.id = :run
UNION ALL
SELECT id, name, created_at, false FROM (
  SELECT id, name, created_at, parent_id FROM runs ORDER BY id DESC LIMIT 500) AS recent
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
AUDIT = text("""
SELECT id, at, actor, action, target, affected, detail, now() AS now FROM (
  SELECT * FROM audit_events WHERE CAST(:before AS bigint) IS NULL OR id < :before
  ORDER BY id DESC LIMIT :window) AS e
WHERE (CAST(:who AS text) IS NULL OR actor = :who)
  AND (CAST(:what AS text) IS NULL OR action = :what)
  AND (CAST(:target AS text) IS NULL OR strpos(lower(target), lower(:target)) > 0)
ORDER BY id DESC LIMIT :limit
""")
AUDIT_WORDS = text("""
SELECT DISTINCT actor, action FROM (
  SELECT actor, action FROM audit_events ORDER BY id DESC LIMIT :window) AS e
""")
AUDIT_EVENT = text("SELECT * FROM audit_events WHERE id = :id")
