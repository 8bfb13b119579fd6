"""A database in the middle of a busy night, made by Postgres itself, and the statistics of its
past: none, those of one small old run, those of the moment after the intake, those with five
canaries out, and those of now.

`N` jobs: three fifths are out in batches, a fifth waits in the realtime lane (some of it leased or
dispatched), a fifth has ended. The old run has 1,000 jobs more.
"""

from typing import Any

from sqlalchemy import Connection, Engine, text

from tests.support.statements import BIG

OLD_JOBS = 1_000
OLD, NIGHT, DAY = 1, 2, 3
"""Ids of the runs: the small old one, the one in batches, the one in the realtime lane."""
BATCHES = 6
"""The first has its results read half, the last is an intent, the others are submitted."""
ANALYZED = (*BIG, "message_batches", "runs", "tiers", "workers", "budgets", "run_counts")

# A third was not compared yet; of the rest about five are in a cluster.
CLUSTERS = """INSERT INTO clustered_reviews (job_id, run_id, cluster_id)
SELECT id, run_id, CASE WHEN id % 3 > 0 THEN id - id % 300 END FROM jobs AS j
WHERE state = 'review' AND run_id = {run} AND NOT EXISTS (SELECT FROM reviews WHERE job_id = j.id);
INSERT INTO review_clusters (id, keys) SELECT DISTINCT cluster_id, ARRAY(
  SELECT ((cluster_id / 300 + n) % 50)::int FROM generate_series(1, 16) AS n)
FROM clustered_reviews WHERE run_id = {run} AND cluster_id IS NOT NULL;
INSERT INTO review_cluster_counts (run_id, cluster_id, waiting)
SELECT place.run_id, cluster_id, count(*) FROM clustered_reviews AS c
CROSS JOIN LATERAL (VALUES (c.run_id), (0)) AS place(run_id)
WHERE c.run_id = {run} AND cluster_id IS NOT NULL GROUP BY 1, 2
ON CONFLICT (run_id, cluster_id) DO UPDATE SET
  waiting = review_cluster_counts.waiting + excluded.waiting"""
RUNS = """
INSERT INTO runs (name, policy, policy_name, policy_version, state, accepting, lane, deadline,
  finished_at)
SELECT 'run' || n, '{}', 'ladder', 'v', CASE n WHEN 1 THEN 'finished' ELSE 'active' END, false,
  CASE n WHEN 2 THEN 'batch' ELSE 'realtime' END, CASE n WHEN 2 THEN now() + interval '1 hour' END,
  CASE n WHEN 1 THEN now() END
FROM generate_series(1, 3) AS n;
INSERT INTO budgets (scope, run_id) SELECT 'run:' || id, id FROM runs;
INSERT INTO workers (id, host, pid, version, capacity, seen_at)
VALUES ('host:1:a', 'host', 1, '0', '{"routing": 64, "haiku": 64}', now() + interval '1 day')
"""
OLD_RUN = """
INSERT INTO messages (source, external_id, body, digest, customer_id, created_at)
SELECT 'old', 'o' || n, 'Where is my card?', decode(md5('o' || n), 'hex'), 'c' || n % 100,
  now() - interval '60 days'
FROM generate_series(1, {old}) AS n;
INSERT INTO jobs (run_id, message_id, state, tier, fence, attempts, created_at, finished_at, cost)
SELECT 1, id, CASE WHEN id % 50 = 0 THEN 'review' ELSE 'answered' END, 'haiku', 2, 2,
  now() - interval '60 days', now() - interval '60 days', 0.001 FROM messages;
INSERT INTO attempts (job_id, fence, stage, tier, model, lane, outcome, confidence, policy_version,
  prompt_version, budget_day, worker, available_at, claimed_at, finished_at, cost)
SELECT id, f, CASE f WHEN 1 THEN 'route' ELSE 'answer' END, 'haiku', 'claude-haiku-5-5', 'realtime',
  CASE f WHEN 1 THEN 'routed' ELSE 'accepted' END, 0.9, 'v', 'p' || f, current_date, 'host:0:z',
  created_at, created_at, created_at + interval '2 seconds', 0.0005
FROM jobs, generate_series(1, 2) AS f;
INSERT INTO calls (job_id, fence, purpose, tier, model, lane, state, cost, sent_at, finished_at)
SELECT job_id, fence, CASE fence WHEN 1 THEN 'classify' ELSE 'answer' END, tier, model, lane,
  'done', 0.0005, claimed_at, finished_at FROM attempts;
INSERT INTO results (job_id, fence, reply, tier, model, accepted)
SELECT id, 2, 'On its way.', 'haiku', 'claude-haiku-5-5', state = 'answered' FROM jobs;
INSERT INTO escalations (job_id, fence, from_tier, to_tier, reason)
SELECT id, 2, 'haiku', 'person', 'low_confidence' FROM jobs WHERE state = 'review';
INSERT INTO reviews (job_id, verdict, reviewer)
SELECT id, 'accept', 'ada' FROM jobs WHERE state = 'review' AND id % 100 = 0;
""" + CLUSTERS.replace("{run}", "1")
HANDED_IN = """
INSERT INTO messages (source, external_id, body, digest, customer_id)
SELECT 'day', 'm' || n, 'Where is my card?', decode(md5('m' || n), 'hex'), 'c' || n % 1000
FROM generate_series(1, {jobs}) AS n;
INSERT INTO jobs (run_id, message_id, lane)
SELECT CASE WHEN n <= 0.6 * {jobs} THEN 2 ELSE 3 END, {old} + n,
  CASE WHEN n <= 0.6 * {jobs} THEN 'batch' ELSE 'realtime' END
FROM generate_series(1, {jobs}) AS n
"""
CANARIES_OUT = """
INSERT INTO message_batches (stage, tier, model, requests, state, external_id, submitted_at,
  next_poll_at)
SELECT 'answer', 'haiku', 'claude-haiku-5-5', 0.6 * {jobs} / {batches},
  CASE n WHEN 1 THEN 'ended' WHEN {batches} THEN 'intended' ELSE 'submitted' END,
  CASE WHEN n < {batches} THEN 'msgbatch_' || n END, CASE WHEN n < {batches} THEN now() END,
  now() + interval '1 hour'
FROM generate_series(1, {batches}) AS n;
INSERT INTO attempts (job_id, fence, stage, tier, model, lane, policy_version, prompt_version,
  schema_version, budget_day, worker, available_at, batch_id)
SELECT {old} + n, 1, 'answer', 'haiku', 'claude-haiku-5-5', 'batch', 'v', 'p2', 's', current_date,
  'host:1:a', now(), 1 FROM generate_series(1, 5) AS n
"""
OUT = """
UPDATE jobs SET state = 'submitted', tier = 'haiku', fence = 1 WHERE run_id = 2;
INSERT INTO attempts (job_id, fence, stage, tier, model, lane, policy_version, prompt_version,
  schema_version, budget_day, worker, available_at, batch_id, outcome, finished_at)
SELECT id, 1, 'answer', 'haiku', 'claude-haiku-5-5', 'batch', 'v', 'p2', 's', current_date,
  'host:1:a', now(), 1 + (id - {old} - 1) * {batches} / (0.6 * {jobs})::int, 'started', NULL
FROM jobs WHERE run_id = 2 AND id > {old} + 5;
UPDATE jobs SET state = CASE id % 40 WHEN 0 THEN 'dead' WHEN 20 THEN 'review' ELSE 'answered' END,
  tier = 'haiku', fence = 1, attempts = 1, reason = CASE WHEN id % 20 = 0 THEN 'schema' END,
  finished_at = now(), escalations = (id % 20 = 0)::int, origin_id = 1 + id % {old}
WHERE run_id = 3 AND id > {old} + 0.8 * {jobs};
UPDATE jobs SET state = 'routed', tier = 'haiku', fence = 1
WHERE run_id = 3 AND state = 'queued' AND id % 2 = 0;
UPDATE jobs SET lease_until = now() + (id % 3 - 1) * interval '1 minute'
WHERE id IN (SELECT id FROM jobs WHERE run_id = 3 AND state = 'routed' ORDER BY id LIMIT 200);
INSERT INTO dispatches SELECT id, queue, now() - interval '5 minutes'
FROM jobs WHERE run_id = 3 AND state = 'routed' ORDER BY id DESC LIMIT 200;
INSERT INTO attempts (job_id, fence, stage, tier, model, lane, policy_version, prompt_version,
  schema_version, budget_day, worker, available_at, outcome, finished_at, confidence, reasons)
SELECT id, 1, 'answer', 'haiku', 'claude-haiku-5-5', 'realtime', 'v', 'p2', 's', current_date,
  'host:1:a', now(),
  CASE WHEN finished_at IS NOT NULL THEN 'accepted' WHEN lease_until IS NOT NULL THEN 'started'
    ELSE 'rejected' END,
  CASE WHEN lease_until IS NULL THEN now() END, 0.8, ARRAY['low_confidence']
FROM jobs WHERE run_id = 3 AND fence = 1;
INSERT INTO calls (job_id, fence, purpose, tier, model, lane, state, cost)
SELECT job_id, fence, 'answer', tier, model, lane,
  CASE outcome WHEN 'started' THEN 'sent' ELSE 'done' END,
  CASE WHEN outcome <> 'started' THEN 0.0005 END
FROM attempts WHERE job_id > {old};
INSERT INTO results (job_id, fence, reply, tier, model, accepted)
SELECT id, 1, 'On its way.', 'haiku', 'claude-haiku-5-5', state = 'answered'
FROM jobs WHERE run_id = 3 AND state IN ('answered', 'review');
INSERT INTO escalations (job_id, fence, from_tier, to_tier, reason)
SELECT id, 1, 'haiku', 'person', 'low_confidence' FROM jobs WHERE id > {old} AND escalations > 0;
INSERT INTO run_counts
SELECT run_id, state, coalesce(tier, ''), count(*) FROM jobs GROUP BY 1, 2, 3;
""" + CLUSTERS.replace("{run}", "3")

Statistics = dict[str, list[dict[str, Any]]]
KINDS = {
    "null_frac": "real", "avg_width": "integer", "n_distinct": "real",
    "most_common_vals": "text", "most_common_freqs": "real[]", "histogram_bounds": "text",
    "correlation": "real", "most_common_elems": "text", "most_common_elem_freqs": "real[]",
    "elem_count_histogram": "real[]",
}  # fmt: skip


def fill(engine: Engine, jobs: int) -> dict[str, Statistics]:
    """Fills an empty, migrated database; the statistics of each moment on the way, by its name."""
    kept: dict[str, Statistics] = {"never analysed": {}}
    sizes = {"old": str(OLD_JOBS), "jobs": str(jobs), "batches": str(BATCHES)}
    steps = (
        (None, RUNS), ("one small old run", OLD_RUN), ("just submitted", HANDED_IN),
        ("five canaries out", CANARIES_OUT), ("fresh", OUT),
    )  # fmt: skip
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Neither triggers nor foreign keys: the rows agree by construction.
        connection.execute(text("SET session_replication_role = replica"))
        for table in ANALYZED:
            connection.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))
        for moment, script in steps:
            for name, value in sizes.items():
                script = script.replace("{" + name + "}", value)
            for statement in script.split(";\n"):
                connection.execute(text(statement))
            if moment is not None:
                connection.execute(text(f"VACUUM ANALYZE {', '.join(ANALYZED)}"))
                kept[moment] = _kept(connection)
        connection.execute(text("SET session_replication_role = origin"))
    return kept


def _kept(connection: Connection) -> Statistics:
    """As `pg_restore_attribute_stats` and `pg_restore_relation_stats` want them."""
    columns = ", ".join(f"CAST({name} AS text) AS {name}" for name in KINDS)
    found: Statistics = {}
    for table in ANALYZED:
        rows = connection.execute(
            text(f"SELECT attname, {columns} FROM pg_stats WHERE tablename = :table"),
            {"table": table},
        )
        found[table] = [dict(row) for row in rows.mappings()]
        size = connection.execute(
            text("SELECT relpages, reltuples, relallvisible FROM pg_class WHERE oid = CAST"
                 "(:table AS regclass)"), {"table": table},
        ).mappings()  # fmt: skip
        found[table].append(dict(size.one()))
    return found


def put_back(connection: Connection, statistics: Statistics) -> None:
    """What the planner knows from now on; an empty one is a database that was never analysed."""
    for table in ANALYZED:
        name = {"table": table}
        connection.execute(text("SELECT pg_clear_relation_stats('public', :table)"), name)
        connection.execute(text(
            "SELECT pg_clear_attribute_stats('public', :table, attname, false) FROM pg_attribute"
            " WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 AND NOT attisdropped"
        ), name)  # fmt: skip
        for row in statistics.get(table, ()):
            _restore(connection, table, row)


def _restore(connection: Connection, table: str, row: dict[str, Any]) -> None:
    if "relpages" in row:
        connection.execute(text(
            "SELECT pg_restore_relation_stats('schemaname', 'public', 'relname',"
            " CAST(:table AS text), 'relpages', CAST(:relpages AS integer), 'reltuples',"
            " CAST(:reltuples AS real), 'relallvisible', CAST(:relallvisible AS integer))"
        ), {"table": table, **row})  # fmt: skip
        return
    parts = "".join(
        f", '{name}', CAST(:{name} AS {kind})"
        for name, kind in KINDS.items()
        if row[name] is not None
    )
    connection.execute(text(
        "SELECT pg_restore_attribute_stats('schemaname', 'public', 'relname',"
        " CAST(:table AS text), 'attname', CAST(:attname AS text), 'inherited', false"
        f"{parts})"
    ), {"table": table, **row})  # fmt: skip
