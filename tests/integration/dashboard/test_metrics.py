"""`/metrics` says what SQL says, whatever happened; and it stays cheap."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, text

from models.totals import TIMING_BOUNDS
from models.vocabulary import JobState
from tests.support.metrics import Seen, of, scraped, sql, without_zeros
from tests.support.promises import BODY, crashed_claim, do, one
from tests.support.web import browsing, dashboard
from tests.support.works import drain, hand_in, settings_for, working
from worker.dashboard.metrics.families import METRICS
from worker.sandbox.simulator.state import State
from worker.store.queue.rescue import rescue


@pytest.fixture
def url(database_url: str, redis_url: str, simulator: tuple[State, str]) -> Iterator[str]:
    schedule = {"nightly": {"cron": "0 2 * * *", "where": "state = review"}}
    settings = settings_for(database_url, simulator[1], redis_url=redis_url, schedule=schedule)
    with dashboard(settings) as url:
        yield url


def agrees(engine: Engine, seen: Seen) -> None:
    """Every sample that counts rows equals the count of those rows."""
    assert without_zeros(of(seen, "rung_jobs", "state", "tier")) == sql(
        engine, "SELECT state, coalesce(tier, ''), count(*) FROM jobs GROUP BY 1, 2"
    )
    assert of(seen, "rung_calls_total", "tier", "purpose", "state") == sql(
        engine,
        "SELECT tier, purpose, state, count(*) FROM calls WHERE state <> 'sent' GROUP BY 1, 2, 3",
    )
    assert of(seen, "rung_escalations_total", "from_tier", "to_tier", "reason") == sql(
        engine, "SELECT from_tier, to_tier, reason, count(*) FROM escalations GROUP BY 1, 2, 3"
    )
    assert of(seen, "rung_attempts_closed_total", "outcome") == sql(
        engine, "SELECT outcome, count(*) FROM attempts WHERE outcome <> 'started' GROUP BY 1"
    )
    spent = sum(of(seen, "rung_spend_usd_total", "tier").values())
    assert spent == pytest.approx(float(one(engine, "SELECT sum(cost) FROM calls")[0] or 0))
    tokens = one(
        engine,
        "SELECT sum(input_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens),"
        " sum(cache_write_1h_tokens), sum(output_tokens) FROM calls",
    )
    kinds = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
    assert of(seen, "rung_tokens_total", "kind") == dict(zip(kinds, tokens, strict=True))
    assert of(seen, "rung_call_seconds_count", "purpose", "tier") == sql(
        engine,
        "SELECT purpose, tier, count(*) FROM calls WHERE latency_ms IS NOT NULL GROUP BY 1, 2",
    )
    assert of(seen, "rung_call_errors_total", "tier", "status") == sql(
        engine,
        "SELECT tier, coalesce(http_status::text, 'none'), count(*) FROM calls"
        " WHERE state IN ('failed', 'lost') GROUP BY 1, 2",
    )
    waited = sum(of(seen, "rung_wait_seconds_count", "queue").values())
    closed = one(engine, "SELECT count(*) FROM attempts WHERE outcome <> 'started'")[0]
    assert waited == closed


def test_the_figures_are_those_of_sql_before_during_and_after_work(
    engine: Engine, database_url: str, simulator: tuple[State, str], url: str
) -> None:
    # given
    settings = settings_for(database_url, simulator[1])
    bodies = [f"Where is my card number {n}? It was due on Monday." for n in range(20)]
    with working(settings) as runtime:
        hand_in(engine, settings, bodies, cap=Decimal(5))
        before = scraped(url)
        # when a worker dies with a claimed chunk, and the rest is worked off
        crashed_claim(runtime)
        do(engine, "UPDATE jobs SET lease_until = now() - interval '1 s' WHERE lease_until > now()")
        rescued = rescue(engine, 0)
        during = scraped(url)
        agrees(engine, during)
        drain(runtime)
        after = scraped(url)
    # then
    assert set(of(before, "rung_jobs", "state")) == set(JobState)
    assert without_zeros(of(before, "rung_jobs", "state")) == {"queued": 20}
    assert of(before, "rung_queue_waiting", "queue")["routing"] == 20
    assert of(before, "rung_run_open_jobs", "run") == {"run": 20}
    assert of(before, "rung_budget_left_usd", "scope") == {"run:run": 5}
    assert of(before, "rung_queue_oldest_wait_seconds", "queue")["routing"] > 0
    assert sum(of(during, "rung_rescued_attempts_total", "queue").values()) == rescued > 0
    agrees(engine, after)
    assert of(after, "rung_runs", "state") == {"active": 0, "paused": 0}
    assert of(after, "rung_run_open_jobs", "run") == {}


def test_histograms_are_cumulative_and_a_bound_belongs_to_its_bucket(
    engine: Engine, database_url: str, simulator: tuple[State, str], url: str
) -> None:
    # given one answered message
    settings = settings_for(database_url, simulator[1])
    with working(settings) as runtime:
        hand_in(engine, settings, BODY, policy="single:haiku")
        drain(runtime)
    do(engine, "DELETE FROM timings")
    # when its call is said to have taken exactly a bound, just more, and longer than all
    for milliseconds in (1_000, 1_001, 90_000_000):
        do(engine, "UPDATE calls SET latency_ms = NULL")
        do(engine, f"UPDATE calls SET latency_ms = {milliseconds}")
    buckets = of(scraped(url), "rung_call_seconds_bucket", "le")
    # then
    expected = {
        str(float(bound)): 0.0 if bound < 1 else 1.0 if bound < 2 else 2.0
        for bound in TIMING_BOUNDS
    }
    assert buckets == {**expected, "+Inf": 3.0}


def test_totals_survive_the_purge_of_a_run_and_jobs_do_not(
    engine: Engine, database_url: str, simulator: tuple[State, str], url: str
) -> None:
    # given
    settings = settings_for(database_url, simulator[1])
    with working(settings) as runtime:
        hand_in(engine, settings, BODY, policy="single:haiku")
        drain(runtime)
    before = scraped(url)
    # when everything of the run is deleted, as a purge does
    for table in ("run_spend", "run_escalations", "results", "escalations", "calls", "attempts"):
        do(engine, f"DELETE FROM {table}")
    do(engine, "DELETE FROM jobs")
    after = scraped(url)
    # then
    assert of(after, "rung_calls_total", "tier") == of(before, "rung_calls_total", "tier") != {}
    assert without_zeros(of(before, "rung_jobs", "state")) == {"answered": 1}
    assert without_zeros(of(after, "rung_jobs", "state")) == {}


def test_everything_that_is_exposed_is_declared_with_help(url: str) -> None:
    # given
    with browsing(url) as client:
        families = list(text_string_to_metric_families(client.get("/metrics").text))
    # then
    declared = {metric.name.removesuffix("_total"): metric for metric in METRICS}
    assert {family.name for family in families} <= set(declared)
    assert [m.name for m in METRICS if not m.help or not m.name.startswith("rung_")] == []
    assert [m.name for m in METRICS if (m.kind == "counter") != m.name.endswith("_total")] == []
    labels = {label for metric in METRICS for label in metric.labels}
    assert labels.isdisjoint({"job", "message", "external_id", "customer", "reply", "body"})


def test_health_and_metrics_fail_when_postgres_is_away(
    simulator: tuple[State, str], servers: Any
) -> None:
    settings = settings_for("postgresql://x:x@127.0.0.1:1/none", simulator[1])
    with dashboard(settings) as url, browsing(url) as client:
        answers = [client.get("/healthz"), client.get("/metrics"), client.get("/api/status")]
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert answers[2].json()["detail"].startswith("Postgres has not answered since ")


def test_no_plan_of_a_metric_reads_a_table_that_grows(engine: Engine) -> None:
    # given
    from worker.store.reading.metrics import STATEMENTS

    growing = {"jobs", "messages", "attempts", "calls", "escalations", "results"}
    # when
    read = {
        name: {table for table in growing if f"Scan on {table}" in plan}
        for name, statement in STATEMENTS.items()
        for plan in ["\n".join(explained(engine, str(statement)))]
    }
    # then
    assert {name: tables for name, tables in read.items() if tables} == {}


def explained(engine: Engine, statement: str) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text(f"EXPLAIN {statement}")).scalars())
