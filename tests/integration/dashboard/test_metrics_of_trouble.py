"""What alerts are made of, as `/metrics` tells it: pauses, errors, deadlines, nights."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.support.metrics import of, scraped, without_zeros
from tests.support.promises import do
from tests.support.web import dashboard
from tests.support.works import settings_for
from worker.sandbox.simulator.state import State


@pytest.fixture
def url(database_url: str, redis_url: str, simulator: tuple[State, str]) -> Iterator[str]:
    schedule = {"nightly": {"cron": "0 2 * * *", "where": "state = review"}}
    settings = settings_for(database_url, simulator[1], redis_url=redis_url, schedule=schedule)
    with dashboard(settings) as url:
        yield url


def test_pauses_breakers_limits_and_batches_are_told(
    engine: Engine, database_url: str, url: str
) -> None:
    # given
    do(engine, "INSERT INTO tiers (name, paused) VALUES ('everything', true)")
    do(engine, "INSERT INTO tiers (name, breaker) VALUES ('haiku', 'open'), ('opus', 'half_open')")
    do(
        engine,
        "INSERT INTO message_batches (state, stage, tier, model, requests)"
        " VALUES ('submitted', 'answer', 'opus', 'm', 12), ('recorded', 'answer', 'opus', 'm', 9)",
    )
    do(
        engine,
        "INSERT INTO budgets (scope, day, cap, spent, reserved) VALUES"
        " ('day:x', (now() AT TIME ZONE 'UTC')::date, 50, 20, 5)",
    )
    # when
    seen = scraped(url)
    # then
    assert of(seen, "rung_queue_paused", "queue")["everything"] == 1
    assert without_zeros(of(seen, "rung_breaker_open", "queue")) == {"haiku": 1, "opus": 0.5}
    assert of(seen, "rung_batch_requests", "tier", "state") == {("opus", "submitted"): 12}
    assert of(seen, "rung_budget_left_usd", "scope") == {"day": 25}
    assert of(seen, "rung_redis_up") == {(): 1}


def test_calls_that_went_wrong_are_counted_once_by_their_status(engine: Engine, url: str) -> None:
    # given a call that is under way, four times
    seen = []
    sent = "UPDATE calls SET state = 'sent', http_status = NULL"
    with_a_call(engine)
    # when it fails, is lost and then answered after all, or goes well
    for close in (
        "UPDATE calls SET state = 'failed', http_status = 429",
        "UPDATE calls SET state = 'failed', http_status = 529",
        "UPDATE calls SET state = 'lost'; UPDATE calls SET state = 'done', http_status = 200",
        "UPDATE calls SET state = 'done', http_status = 200",
    ):
        do(engine, f"{sent}; {close}")
        seen.append(of(scraped(url), "rung_call_errors_total", "tier", "status"))
    # then
    assert seen[0] == {("haiku", "429"): 1}
    assert seen[1] == {("haiku", "429"): 1, ("haiku", "529"): 1}
    assert seen[2] == seen[3] == {**seen[1], ("haiku", "none"): 1}


def with_a_call(engine: Engine) -> None:
    """One run, job, attempt and call."""
    do(
        engine,
        """
        INSERT INTO runs (name, policy, policy_name, policy_version) VALUES ('r', '{}', 'p', 'v');
        INSERT INTO messages (source, external_id, body, digest) VALUES ('s', 'm', 'x', 'd');
        INSERT INTO jobs (run_id, message_id, state) SELECT r.id, m.id, 'queued'
          FROM runs AS r, messages AS m;
        INSERT INTO attempts (job_id, fence, stage, tier, model, lane, policy_version, budget_day,
          available_at, worker) SELECT id, 1, 'answer', 'haiku', 'm', 'realtime', 'v',
          current_date, now(), 'w' FROM jobs;
        INSERT INTO calls (job_id, fence, purpose, tier, model, lane)
          SELECT id, 1, 'answer', 'haiku', 'm', 'realtime' FROM jobs
        """,
    )


def test_a_deadline_at_risk_and_a_paused_run_are_told(engine: Engine, url: str) -> None:
    # given a run that has done a tenth in half of its time, and a paused one without a deadline
    do(
        engine,
        """
        INSERT INTO runs (name, policy, policy_name, policy_version, state, created_at, deadline)
        VALUES ('late', '{}', 'p', 'v', 'active', now() - interval '1 h', now() + interval '1 h'),
          ('still', '{}', 'p', 'v', 'paused', now(), NULL);
        INSERT INTO budgets (scope, run_id) SELECT 'run:' || id, id FROM runs;
        INSERT INTO run_counts SELECT id, s, 'haiku', n FROM runs,
          (VALUES ('routed', 90), ('answered', 10)) AS c(s, n)
        """,
    )
    # when
    seen = scraped(url)
    # then
    assert of(seen, "rung_run_deadline_at_risk", "run") == {"late": 1}
    assert of(seen, "rung_run_paused", "run") == {"late": 0, "still": 1}
    assert of(seen, "rung_run_open_jobs", "run") == {"late": 90, "still": 90}


def test_a_night_that_nobody_fired_is_overdue(engine: Engine, url: str) -> None:
    # given a schedule seen three days ago and never fired
    do(
        engine,
        "INSERT INTO schedules (name, cron, timezone, since)"
        " VALUES ('nightly', '0 2 * * *', 'UTC', now() - interval '3 days')",
    )
    never = scraped(url)
    # when its last due night is fired, and fails
    do(
        engine,
        "INSERT INTO firings (name, night, due_at, state, by) SELECT 'nightly', d::date, d,"
        " 'failed', 'a test' FROM (SELECT date_trunc('day', now() - interval '2 hours',"
        " 'UTC') + interval '2 hours' AS d) AS due",
    )
    fired = scraped(url)
    # then
    assert of(never, "rung_schedule_overdue_seconds", "schedule")["nightly"] > 2 * 86_400
    looked = of(never, "rung_schedule_seen_timestamp_seconds", "schedule")["nightly"]
    assert time.time() - looked < 60
    assert of(fired, "rung_schedule_overdue_seconds", "schedule") == {"nightly": 0}
    assert of(fired, "rung_schedule_failed", "schedule") == {"nightly": 1}
