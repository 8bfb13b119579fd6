"""Databases filled to any number of jobs, each as a long life would leave it: most jobs ended long
ago, with message, attempt, call and result, and a fifth wait to be answered in an active run.
"""

import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, text

from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.store.engine import make_engine
from worker.store.new_runs import NewRun, create_run
from worker.store.schema import upgrade

OLD_RUNS = 20
WAITING_SHARE = 0.2
POLICY = "single:haiku"


def fill(url: str, settings: Settings, jobs: int) -> float:
    """Migrates an empty database and fills it; triggers and foreign keys are off meanwhile.
    Returns seconds."""
    began = time.monotonic()
    engine = make_engine(url, pool_size=2)
    upgrade(engine)
    waiting = round(jobs * WAITING_SHARE)
    values = {"jobs": jobs, "waiting": waiting, "old": OLD_RUNS}
    with engine.begin() as connection:
        run = create_run(connection, NewRun(name="waiting", policy=policy_named(settings, POLICY)))
        connection.execute(RUNS, values | {"policy": run.id})
    steps = ((MESSAGES, JOBS, COUNTS), (ATTEMPTS, CALLS, RESULTS))
    with ThreadPoolExecutor(len(steps)) as pool:
        list(pool.map(lambda statements: _run(engine, statements, values), steps))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))
    engine.dispose()
    return time.monotonic() - began


def _run(engine: Engine, statements: tuple[str, ...], values: dict[str, int]) -> None:
    for statement in statements:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text(statement), values)


RUNS = text("""
WITH made AS (
  INSERT INTO runs (name, policy, policy_name, policy_version, state, accepting, finished_at)
  SELECT 'old-' || n, r.policy, r.policy_name, r.policy_version, 'finished', false, now()
  FROM generate_series(1, :old) AS n, runs AS r WHERE r.id = :policy ORDER BY n RETURNING id
)
INSERT INTO budgets (scope, run_id) SELECT 'run:' || id, id FROM made
""")

# The first `waiting` jobs wait; the others ended long ago.
MESSAGES = """
INSERT INTO messages (source, external_id, body, customer_id, digest)
SELECT 'day', 'm' || n, 'Where is my card? It was due last week. ' || repeat(md5(n::text), 5),
  'c' || n % 100000, decode(md5(n::text), 'hex')
FROM generate_series(1, :jobs) AS n
"""
JOBS = """
INSERT INTO jobs (run_id, message_id, state, tier, fence, attempts, cost, finished_at)
SELECT CASE WHEN n <= :waiting THEN 1 ELSE 2 + n % :old END, n,
  CASE WHEN n <= :waiting THEN 'routed' WHEN n % 1000 = 0 THEN 'dead'
    WHEN n % 100 = 0 THEN 'review' ELSE 'answered' END,
  'haiku', CASE WHEN n <= :waiting THEN 0 ELSE 1 END, 1, 0.001,
  CASE WHEN n > :waiting THEN now() - interval '30 days' END
FROM generate_series(1, :jobs) AS n
"""
COUNTS = """
INSERT INTO run_counts (run_id, state, tier, jobs)
SELECT run_id, state, coalesce(tier, ''), count(*) FROM jobs GROUP BY 1, 2, 3
"""
ATTEMPTS = """
INSERT INTO attempts (job_id, fence, stage, tier, model, lane, outcome, policy_version, budget_day,
  cost, available_at, claimed_at, finished_at, worker)
SELECT n, 1, 'answer', 'haiku', 'claude-haiku-5-5', 'realtime', 'accepted', 'v',
  current_date - 30, 0.001, now() - interval '30 days', now() - interval '30 days',
  now() - interval '30 days', 'host:1:a'
FROM generate_series(:waiting + 1, :jobs) AS n
"""
CALLS = """
INSERT INTO calls (job_id, fence, purpose, tier, model, lane, state, cost, input_tokens,
  output_tokens, sent_at, finished_at, output)
SELECT n, 1, 'answer', 'haiku', 'claude-haiku-5-5', 'realtime', 'done', 0.001, 200, 100,
  now() - interval '30 days', now() - interval '30 days', repeat(md5(n::text), 5)
FROM generate_series(:waiting + 1, :jobs) AS n
"""
RESULTS = """
INSERT INTO results (job_id, fence, reply, tier, model, accepted, confidence)
SELECT n, 1, repeat(md5(n::text), 5), 'haiku', 'claude-haiku-5-5', true, 0.9
FROM generate_series(:waiting + 1, :jobs) AS n WHERE n % 1000 > 0
"""
