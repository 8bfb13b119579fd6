"""A record of many jobs, made by Postgres itself, for what must not grow with it.

Six runs: one is paused with three tenths of the jobs waiting, one is at work on a twentieth, the
others have ended. Each ended job has what a real one leaves: two attempts, two calls, a result, and
for some an escalation. The counters are filled from the rows, so they are what the triggers would
have made of them.
"""

import json

import psycopg

from worker.config.settings import Settings
from worker.domain.policy_documents import to_document
from worker.domain.presets import preset
from worker.store.engine import make_engine
from worker.store.queue.review_clusters import cluster_reviews

POLICY = "ladder"
RUNS = 6
COMPARED = 2_000
"""Reviews that are put into clusters in one transaction."""
ENDED_RUNS = tuple(range(3, RUNS + 1))
AT_WORK, PAUSED = 2, 1


BIG = ("messages", "jobs", "attempts", "calls", "results", "escalations")
FOR_THIS_ALONE = ("synchronous_commit = off", "work_mem = '256MB'", "maintenance_work_mem = '1GB'")


def fill(url: str, jobs: int) -> None:
    """Fills an empty, migrated database."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        # Neither triggers nor foreign keys: the rows agree by construction.
        for setting in ("session_replication_role = replica", *FOR_THIS_ALONE):
            connection.execute(f"SET {setting}".encode())
        # An index is made in one go in a fifth of the time that it takes row by row.
        names, definitions = zip(*connection.execute(INDEXES, [list(BIG)]).fetchall(), strict=True)
        connection.execute(f"DROP INDEX {', '.join(names)}".encode())
        for statement in STATEMENTS:
            connection.execute(statement.replace("{jobs}", str(jobs)).encode())
        for definition in definitions:
            connection.execute(definition.encode())
        policy = json.dumps(to_document(preset(POLICY, Settings().ladder)))
        connection.execute("UPDATE runs SET policy = %s", (policy,))
    engine = make_engine(url, pool_size=1)
    while cluster_reviews(engine, COMPARED):
        pass
    engine.dispose()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
FROM pg_index AS i WHERE i.indrelid = ANY(%s::regclass[])
  AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)
"""

STATEMENTS = (
    """
INSERT INTO runs (name, policy, policy_name, policy_version, state, accepting, deadline, budget_cap,
  created_at, finished_at, columns_known)
SELECT 'run' || n, '{}', 'ladder', 'v1', CASE n WHEN 1 THEN 'paused' WHEN 2 THEN 'active'
    ELSE 'finished' END, false, now() + interval '2 hours', 1000, now() - interval '3 hours',
  CASE WHEN n > 2 THEN now() - make_interval(mins => n) END, true
FROM generate_series(1, 6) AS n
""",
    """
INSERT INTO messages (source, external_id, body, digest, channel, language, customer_id)
SELECT 'day', 'm' || n, repeat((ARRAY['Where is my card? ', 'I want my money back now. ',
    'The app shows error 500. ', 'How do I close my account? ', 'You charged me twice! ',
    'My parcel never arrived. ', 'Please change my address. '])[1 + n / 100 % 7], 8),
  decode(md5(n::text), 'hex'),
  CASE WHEN n % 3 = 0 THEN 'email' ELSE 'chat' END, 'en', 'c' || n % 50000
FROM generate_series(1, {jobs}) AS n
""",
    """
INSERT INTO jobs (run_id, message_id, state, tier, rung, fence, attempts, escalations, difficulty,
  cost, reason, created_at, available_at, finished_at, lease_until)
SELECT run, n, state, CASE WHEN state = 'queued' THEN NULL WHEN n % 33 = 0 THEN 'opus'
    WHEN n % 6 = 0 THEN 'sonnet' ELSE 'haiku' END, 0,
  CASE WHEN state IN ('queued', 'routed') THEN 0 ELSE 2 END,
  CASE WHEN state IN ('queued', 'routed') THEN 0 ELSE 2 END,
  CASE WHEN n % 33 = 0 AND run > 2 THEN 1 ELSE 0 END, 'SIMPLE',
  CASE WHEN run > 2 THEN 0.0003 ELSE 0 END,
  CASE state WHEN 'dead' THEN 'schema' WHEN 'review' THEN 'low_confidence' END,
  now() - interval '3 hours', now() - interval '2 hours',
  CASE WHEN run > 2 THEN now() - make_interval(mins => run) END,
  CASE WHEN state = 'routed' AND n % ({jobs} / 200) = 2 THEN now() + interval '1 hour' END
FROM (
  SELECT n, CASE WHEN n <= 0.30 * {jobs} THEN 1 WHEN n <= 0.35 * {jobs} THEN 2
      ELSE 3 + n % 4 END AS run,
    CASE WHEN n <= 0.32 * {jobs} THEN 'queued' WHEN n <= 0.35 * {jobs} THEN 'routed'
      WHEN n % least(1000, {jobs} / 150) = 0 THEN 'dead'
      WHEN n % 100 = 0 THEN 'review' ELSE 'answered' END AS state
  FROM generate_series(1, {jobs}) AS n) AS made
""",
    """
INSERT INTO dispatches (job_id, queue)
SELECT id, queue FROM jobs WHERE state = 'routed' AND message_id % ({jobs} / 200) = 1
""",
    """
INSERT INTO attempts (job_id, fence, stage, tier, model, lane, outcome, difficulty, confidence,
  threshold, decision, policy_version, prompt_version, budget_day, cost, available_at, claimed_at,
  finished_at, worker)
SELECT id, fence, CASE fence WHEN 1 THEN 'route' ELSE 'answer' END,
  CASE fence WHEN 1 THEN 'haiku' ELSE tier END, 'claude-haiku-5-5', 'realtime',
  CASE fence WHEN 1 THEN 'routed' ELSE 'accepted' END, 'SIMPLE',
  CASE fence WHEN 2 THEN 0.5 + (id % 50) / 100.0 END, CASE fence WHEN 2 THEN 0.7 END,
  CASE fence WHEN 1 THEN 'start:' || tier ELSE 'accept' END, 'v1', 'p1', current_date, 0.00015,
  created_at, created_at + make_interval(secs => id % 900),
  created_at + make_interval(secs => id % 900 + 2), 'host:1:a'
FROM (SELECT j.id, j.tier, j.created_at, f.fence FROM jobs AS j, generate_series(1, 2) AS f(fence)
  WHERE j.finished_at IS NOT NULL) AS done
""",
    """
INSERT INTO calls (job_id, fence, purpose, state, tier, model, lane, input_tokens, output_tokens,
  cost, latency_ms, stop_reason, http_status, simulated, sent_at, finished_at)
SELECT job_id, fence, CASE fence WHEN 1 THEN 'classify' ELSE 'answer' END, 'done', tier, model,
  lane, 900, 120, 0.00015, 800 + job_id % 900, 'end_turn', 200, true, claimed_at, finished_at
FROM attempts
""",
    """
INSERT INTO results (job_id, fence, reply, tier, model, accepted, confidence, simulated)
SELECT id, 2, repeat('It is on its way. ', 6), tier, 'claude-' || tier || '-5-5',
  state = 'answered', 0.5 + (id % 50) / 100.0, true
FROM jobs WHERE state IN ('answered', 'review')
""",
    """
INSERT INTO escalations (job_id, fence, from_tier, to_tier, reason)
SELECT id, 2, 'sonnet', 'opus', 'low_confidence' FROM jobs WHERE escalations > 0
""",
    """
INSERT INTO clustered_reviews (job_id, run_id) SELECT id, run_id FROM jobs WHERE state = 'review'
""",
    """
INSERT INTO workers (id, host, pid, version, capacity, in_flight, seen_at)
VALUES ('host:1:a', 'host', 1, '0', '{"routing": 64, "haiku": 64, "sonnet": 32, "opus": 16}',
  '{"haiku": 12}', now() + interval '1 day')
""",
    """
INSERT INTO audit_events (actor, action, target, affected)
SELECT 'ada', 'pause', 'haiku', 1 FROM generate_series(1, greatest({jobs} / 1000, 100))
""",
    """
INSERT INTO run_counts (run_id, state, tier, jobs)
SELECT run_id, state, coalesce(tier, ''), count(*) FROM jobs GROUP BY 1, 2, 3
""",
    """
INSERT INTO run_spend (run_id, tier, purpose, model, lane, state, simulated, calls, input_tokens,
  output_tokens, cost)
SELECT j.run_id, c.tier, c.purpose, c.model, c.lane, c.state, c.simulated, count(*),
  sum(c.input_tokens), sum(c.output_tokens), sum(c.cost)
FROM calls AS c JOIN jobs AS j ON j.id = c.job_id GROUP BY 1, 2, 3, 4, 5, 6, 7
""",
    """
INSERT INTO run_escalations (run_id, from_tier, to_tier, reason, escalations)
SELECT j.run_id, e.from_tier, e.to_tier, e.reason, count(*)
FROM escalations AS e JOIN jobs AS j ON j.id = e.job_id GROUP BY 1, 2, 3, 4
""",
    """
INSERT INTO budgets (scope, run_id, cap, spent)
SELECT 'run:' || r.id, r.id, r.budget_cap,
  coalesce((SELECT sum(cost) FROM run_spend WHERE run_id = r.id), 0) FROM runs AS r
""",
    """
INSERT INTO job_totals (state, tier, slot, jobs)
SELECT state, tier, run_id % 8, sum(jobs) FROM run_counts GROUP BY 1, 2, 3
""",
    """
INSERT INTO call_totals (tier, purpose, model, lane, state, simulated, slot, calls, input_tokens,
  output_tokens, cost)
SELECT tier, purpose, model, lane, state, simulated, run_id % 8, sum(calls), sum(input_tokens),
  sum(output_tokens), sum(cost) FROM run_spend GROUP BY 1, 2, 3, 4, 5, 6, 7
""",
    """
INSERT INTO escalation_totals (from_tier, to_tier, reason, slot, escalations)
SELECT from_tier, to_tier, reason, run_id % 8, sum(escalations) FROM run_escalations
GROUP BY 1, 2, 3, 4
""",
    """
INSERT INTO attempt_totals (queue, lane, outcome, slot, attempts)
SELECT CASE stage WHEN 'route' THEN 'routing' ELSE tier END, lane, outcome, 0, count(*)
FROM attempts GROUP BY 1, 2, 3
""",
    """
INSERT INTO timings (what, queue, lane, bucket, slot, observations, seconds)
SELECT purpose, tier, lane, bucket, slot, observations, seconds FROM (
  SELECT purpose, tier, lane, 3 AS bucket, count(*) AS observations,
    sum(latency_ms) / 1000.0 AS seconds FROM calls GROUP BY 1, 2, 3) AS of_one,
  generate_series(0, 7) AS slot
""",
)
