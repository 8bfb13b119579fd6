"""The questions that KEDA asks Postgres: right, allowed to who asks, and as cheap at any size."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.support import manifests
from tests.support.promises import do

QUERIES: dict[str, str] = {
    one["metadata"]["labels"]["rung/queue"]: one["spec"]["triggers"][0]["metadata"]["query"]
    for one in manifests.of_kind("ScaledObject")
}
RUNS = """
INSERT INTO runs (name, policy, policy_name, policy_version, state, waiting_for, finished_at)
VALUES ('one', '{}', 'p', 'v', 'active', NULL, NULL),
  ('two', '{}', 'p', 'v', 'active', NULL, NULL),
  ('paused', '{}', 'p', 'v', 'paused', NULL, NULL),
  ('poor', '{}', 'p', 'v', 'active', 'run budget', NULL),
  ('over', '{}', 'p', 'v', 'finished', NULL, now());
INSERT INTO run_counts SELECT r.id, c.state, c.tier, c.jobs FROM runs AS r,
  (VALUES ('queued', '', 1000), ('routed', 'haiku', 300), ('routed', 'opus', 5),
    ('submitted', 'opus', 70), ('answered', 'sonnet', 9000)) AS c(state, tier, jobs)
"""
LONG_USED = """
INSERT INTO runs (name, policy, policy_name, policy_version, state, finished_at)
  SELECT 'old' || n, '{}', 'p', 'v', 'finished', now() FROM generate_series(1, 5000) AS n;
INSERT INTO run_counts SELECT r.id, s.state, t.tier, 10 FROM runs AS r,
  (VALUES ('answered'), ('review'), ('dead'), ('routed')) AS s(state),
  (VALUES ('haiku'), ('sonnet'), ('opus')) AS t(tier) WHERE r.name LIKE 'old%';
ANALYZE
"""
MOST_BUFFERS = 60
"""8 kB pages that one question may touch; the counters of 5,000 runs are several hundred."""


def asked(engine: Engine) -> dict[str, int]:
    """What KEDA is told of each queue."""
    with engine.connect() as connection:
        return {
            queue: int(connection.execute(text(query)).scalar_one())
            for queue, query in QUERIES.items()
        }


def test_work_of_runs_that_go_on_counts_and_no_other(engine: Engine) -> None:
    # given
    do(engine, RUNS)
    # then
    assert asked(engine) == {"routing": 2_000, "haiku": 600, "sonnet": 0, "opus": 10}


def test_an_empty_database_needs_nobody(engine: Engine) -> None:
    assert asked(engine) == {"routing": 0, "haiku": 0, "sonnet": 0, "opus": 0}


@pytest.mark.parametrize(
    ("paused", "left"),
    [
        ("haiku", {"routing": 2_000, "haiku": 0, "sonnet": 0, "opus": 10}),
        ("everything", {"routing": 0, "haiku": 0, "sonnet": 0, "opus": 0}),
    ],
)
def test_what_is_paused_needs_nobody(engine: Engine, paused: str, left: dict[str, int]) -> None:
    # given
    do(engine, RUNS)
    do(engine, "INSERT INTO tiers (name, paused) VALUES (:name, true)", name=paused)
    # then
    assert asked(engine) == left


def test_the_role_of_the_manifest_may_ask_and_read_nothing_else(engine: Engine) -> None:
    # given
    (grant,) = [
        line.removeprefix("#").strip()
        for line in (manifests.FOLDER / "scaling.yaml").read_text("utf-8").splitlines()
        if "GRANT SELECT" in line
    ]
    role = f"scaler_{engine.url.database}"
    try:
        do(engine, f"CREATE ROLE {role}")
        do(engine, grant.replace("rung_scaler", role))
        # when
        with engine.connect() as connection:
            connection.execute(text(f"SET ROLE {role}"))
            told = [connection.execute(text(query)).scalar_one() for query in QUERIES.values()]
            allowed = connection.execute(
                text("SELECT has_table_privilege(:role, 'messages', 'SELECT')"), {"role": role}
            ).scalar_one()
    finally:
        do(engine, f"DROP OWNED BY {role}; DROP ROLE {role}")
    # then
    assert (told, allowed) == ([0, 0, 0, 0], False)


def test_the_price_of_asking_does_not_grow(engine: Engine) -> None:
    # given
    do(engine, RUNS + ";" + LONG_USED)
    # when
    plans = {}
    with engine.connect() as connection:
        for queue, query in QUERIES.items():
            explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}"
            plans[queue] = connection.execute(text(explain)).scalar_one()[0]["Plan"]
    # then
    read = {
        queue: plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        for queue, plan in plans.items()
    }
    assert {queue: blocks for queue, blocks in read.items() if blocks > MOST_BUFFERS} == {}
    assert {table for plan in plans.values() for table in tables_of(plan)} == {
        "run_counts",
        "runs",
        "tiers",
    }


def tables_of(plan: dict[str, Any]) -> set[str]:
    """Those that a plan reads."""
    below = {table for part in plan.get("Plans", []) for table in tables_of(part)}
    return below | ({plan["Relation Name"]} if "Relation Name" in plan else set())
