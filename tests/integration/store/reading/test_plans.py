"""Every hot statement finds its rows by an index at 1,000,000 jobs: the plans are read.

Most jobs are finished; 300,000 wait in a paused run, 50,000 in an active one, a few hundred are
dispatched, leased or deferred.
"""

import datetime as dt
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, Select, TextClause, func, text
from sqlalchemy.dialects import postgresql

from models.vocabulary import NOT_GOOD_ENOUGH
from tests.support.servers import Servers, cloned
from worker.store import runs
from worker.store.actions import changes, holds
from worker.store.actions.selection import Selection
from worker.store.engine import make_engine
from worker.store.queue import budgets, claim, dispatch, expire, history, ledger, record, rescue
from worker.store.reading import attention, receipts, sampling, screens, status
from worker.store.rows import as_json

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plans")]
BIG = frozenset({"jobs", "messages", "attempts", "calls"})
MAX_BUFFERS = 6_000
"""8 kB pages that one statement for 200 jobs may touch; the tables have hundreds of thousands."""

FILL = """
ALTER TABLE jobs DISABLE TRIGGER USER;
INSERT INTO runs (name, policy, policy_name, policy_version, state, accepting, finished_at)
  SELECT 'run' || n, '{}', 'ladder', 'v', CASE n WHEN 1 THEN 'paused' WHEN 2 THEN 'active'
    ELSE 'finished' END, false, CASE WHEN n > 2 THEN now() END FROM generate_series(1, 20) AS n;
INSERT INTO budgets (scope, run_id) SELECT 'run:' || id, id FROM runs;
INSERT INTO messages (source, external_id, body, digest)
  SELECT 'day', 'm' || n, 'Where is my card?', decode(md5(n::text), 'hex')
  FROM generate_series(1, 1000000) AS n;
INSERT INTO jobs (run_id, message_id, state, tier, fence, available_at, finished_at, dispatched_at,
    lease_until)
  SELECT CASE WHEN n <= 300000 THEN 1 WHEN n <= 350000 THEN 2 ELSE 3 + n % 18 END, n,
    CASE WHEN n <= 340000 THEN 'queued' WHEN n <= 350000 THEN 'routed'
      WHEN n % 1000 = 0 THEN 'dead' WHEN n % 100 = 0 THEN 'review' ELSE 'answered' END,
    CASE WHEN n > 340000 THEN 'haiku' END, CASE WHEN n > 349000 THEN 1 ELSE 0 END,
    CASE WHEN n BETWEEN 340001 AND 340500 THEN now() + interval '1 hour' ELSE now() END,
    CASE WHEN n > 350000 THEN now() END,
    CASE WHEN n BETWEEN 349001 AND 349200 THEN now() - interval '5 minutes' END,
    CASE WHEN n BETWEEN 349301 AND 349500 THEN now() - interval '1 minute' END
  FROM generate_series(1, 1000000) AS n;
ALTER TABLE jobs ENABLE TRIGGER USER;
INSERT INTO attempts (job_id, fence, stage, tier, model, lane, outcome, policy_version, budget_day,
    available_at, finished_at, worker)
  SELECT id, 1, 'answer', 'haiku', 'claude-haiku-5-5', 'realtime',
    CASE WHEN id BETWEEN 349301 AND 349500 THEN 'started' ELSE 'accepted' END, 'v', current_date,
    now(), CASE WHEN id BETWEEN 349301 AND 349500 THEN NULL ELSE now() END, 'host:1:a'
  FROM jobs WHERE id > 349000 AND id <= 650000;
INSERT INTO calls (job_id, fence, purpose, tier, model, lane, state)
  SELECT job_id, 1, 'answer', 'haiku', 'claude-haiku-5-5', 'realtime',
    CASE outcome WHEN 'started' THEN 'sent' ELSE 'done' END FROM attempts;
INSERT INTO workers (id, host, pid, version, capacity)
  VALUES ('host:1:a', 'host', 1, '0', '{"routing": 64, "haiku": 64}');
INSERT INTO run_counts
  SELECT run_id, state, coalesce(tier, ''), count(*) FROM jobs GROUP BY 1, 2, 3;
VACUUM ANALYZE
"""


@pytest.fixture(scope="module")
def million(servers: Servers) -> Iterator[Engine]:
    """An engine on a database with 1,000,000 jobs."""
    with cloned(servers, f"plans_{os.getpid()}") as url:
        made = make_engine(url, pool_size=1)
        with made.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in FILL.split(";\n"):
                connection.execute(text(statement.replace(":", r"\:")))
        yield made
        made.dispose()


IDS = list(range(349_001, 349_201))
KEYS = [{"job_id": job, "fence": 1} for job in range(349_301, 349_501)]
CALLS = [
    {**key, "run_id": 2, "purpose": "answer", "state": "done", "unpriced": False, "cost": "0.1",
     "simulated": True, "input_tokens": 1, "cache_read_tokens": 0, "cache_write_5m_tokens": 0,
     "cache_write_1h_tokens": 0, "output_tokens": 1, "shared": 1}
    for key in KEYS
]  # fmt: skip
MOVES = [{"id": key["job_id"], "unlease": True, "cost": "0.1", "delay_s": 0} for key in KEYS]
CLOSED = [
    {**key, "outcome": "accepted", "reasons": [], "findings": [], "cost": "0.1"} for key in KEYS
]
LETTERS = {
    "run": None, "reason": None, "before_run": None, "before_job": None,
    "limit": 50, "window": 10_000, "decided": True,
}  # fmt: skip
ROOMS = as_json([{"queue": queue, "room": 70} for queue in ("haiku", "opus", "routing")])
QUEUE = {
    "queue": "haiku",
    "gate": "haiku",
    "probing": False,
    "limit": None,
    "prompt": "p",
    "model": "m",
}


def written_out(statement: Select[Any]) -> TextClause:
    """A statement that is built, with its values in it."""
    options = {"literal_binds": True}
    return text(str(statement.compile(dialect=postgresql.dialect(), compile_kwargs=options)))


HOT: dict[str, tuple[TextClause, dict[str, Any]]] = {
    "dispatch: forget stale": (dispatch.FORGET_STALE, {"after": 60}),
    "dispatch: room": (dispatch.ROOM, {"seen": 10, "factor": 2}),
    "dispatch: take": (dispatch.TAKE, {"rooms": ROOMS}),
    "claim: lock": (claim.LOCK_READY, {"ids": IDS, **QUEUE}),
    "claim: history": (history.PAST, {"ids": IDS, "judged": list(NOT_GOOD_ENOUGH)}),
    "budgets: lock": (budgets.LOCK, {"scopes": ["run:2"]}),
    "record: lock": (record.LOCK, {"rows": as_json(KEYS)}),
    "record: close calls": (ledger.CLOSE_CALLS, {"rows": as_json(CALLS)}),
    "record: close attempts": (record.CLOSE_ATTEMPTS, {"rows": as_json(CLOSED)}),
    "record: move jobs": (record.MOVE_JOBS, {"rows": as_json(MOVES)}),
    "record: remember labels": (
        record.REMEMBER_LABELS,
        {"rows": as_json([{**key, "difficulty": "SIMPLE"} for key in KEYS])},
    ),
    "rescue: expired": (rescue.EXPIRED, {"limit": 500, "lease": 180}),
    "rescue: held by": (rescue.HELD_BY, {"limit": 500, "workers": ["host:1:a"]}),
    "rescue: calls": (rescue.OPEN_CALLS, {"ids": [key["job_id"] for key in KEYS]}),
    "expire": (expire.EXPIRE, {"age": dt.timedelta(days=7), "limit": 5_000}),
    "runs: finish": (runs.FINISH, {}),
    "status: counts": (status.COUNTS, {"run": 2}),
    "status: queues": (status.QUEUES, {}),
    "status: waiting": (status.WAITING, {}),
    "receipt: by name": (receipts.BY_RUN, {"run": "run5", "id": "m500000"}),
    "receipt: by external id": (receipts.BY_EXTERNAL_ID, {"id": "m500000"}),
    "receipt: attempts": (receipts.ATTEMPTS, {"job": 500_000}),
    "screen: pace": (screens.DONE, {}),
    "screen: live runs": (screens.LIVE_RUNS, {"limit": 12}),
    "screen: oldest wait": (screens.OLDEST, {"queues": ["routing", "haiku", "opus"]}),
    "screen: dead letters": (attention.LETTERS["dead"], LETTERS),
    "screen: causes": (attention.CAUSES["dead"], LETTERS),
    "screen: sample of a run": (sampling.SAMPLE, {"run": 5, "points": 25, "each": 60}),
    "screen: take back": (holds.TAKE_BACK, {"name": "haiku"}),
    "screen: what a retry opens": (
        written_out(
            changes.meant(
                changes.RETRY,
                Selection(run_id=5, until=dt.datetime(2100, 1, 1, tzinfo=dt.UTC)),
                func.count(),
            )
        ),
        {},
    ),
}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


@pytest.mark.parametrize("name", HOT)
def test_finds_its_rows_by_an_index(million: Engine, name: str) -> None:
    statement, values = HOT[name]
    explained = text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement.text}")
    with million.connect() as connection, connection.begin() as transaction:
        found = connection.execute(explained, values).scalar_one()
        transaction.rollback()
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    whole = [
        node["Relation Name"]
        for node in nodes(plan)
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG
    ]
    assert whole == []
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < MAX_BUFFERS
