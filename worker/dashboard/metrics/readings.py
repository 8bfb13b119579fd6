"""What each metric says just now, read on request from the counters that the screens use."""

import time
from collections.abc import Sequence
from importlib.metadata import version

from sqlalchemy import Connection

from models.vocabulary import EVERYTHING, CertificateState, FiringState
from worker.dashboard.context import Dashboard
from worker.dashboard.metrics.metric import Family
from worker.dashboard.metrics.samples import Reading
from worker.dashboard.metrics.work import timings, totals
from worker.dashboard.screens.queues import surrounding
from worker.domain.timetable import Timetable, next_due
from worker.store.engine import STOPPED, at_one_moment
from worker.store.queue import deliveries
from worker.store.queue.lookup_failures import failing_lookups
from worker.store.queue.rounds import late as late_steps
from worker.store.queue.rounds import report
from worker.store.reading.metrics import LIVE_RUNS_SHOWN, moment, series
from worker.store.reading.outlook import deadline_risks
from worker.store.reading.queue_states import ON_TRIAL, queue_states
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.series import (
    BatchCount,
    CertificateCount,
    DayBudgetLine,
    LastFiring,
    LiveRunCount,
    LiveRunLine,
    SeenSchedule,
    StepAge,
    StoppedCount,
)
from worker.store.reading.standings import LIVE_MOST, live_runs
from worker.store.reading.surrounding import Surrounding

BREAKER = {"closed": 0.0, "half_open": 0.5, "open": 1.0}


def read_all(dashboard: Dashboard) -> list[Family]:
    """Every family, in the order of `METRICS`."""
    began, reading = time.perf_counter(), Reading()
    # What this process has counted itself goes where every copy of the dashboard sees it.
    report(dashboard.engine, {}, STOPPED.take())
    with at_one_moment(dashboard.engine) as connection:
        totals(reading, connection)
        timings(reading, connection)
        around = surrounding(dashboard, connection)
        runs = live_runs(connection, LIVE_MOST)
        _runs(reading, connection, around, runs[:LIVE_RUNS_SHOWN])
        _certificates(reading, connection)
        _deliveries(reading, connection)
        _queues(reading, connection, around, runs)
        _batches(reading, connection)
        _schedules(reading, dashboard, connection)
        _steps(reading, connection)
    _limits(reading, dashboard)
    reading.set("rung_build_info", 1, version("rung"))
    reading.set("rung_simulated", dashboard.simulated)
    reading.set("rung_scrape_seconds", time.perf_counter() - began)
    return list(reading.families.values())


def _certificates(reading: Reading, connection: Connection) -> None:
    found = {row.state: row.certificates for row in series(connection, CertificateCount)}
    for state in CertificateState:
        reading.set("rung_certificates", found.get(state, 0), state)


def _deliveries(reading: Reading, connection: Connection) -> None:
    for row in deliveries.standing(connection):
        reading.set("rung_deliveries", row.waiting, row.name, "waiting")
        reading.set("rung_deliveries", row.dead, row.name, "dead")
        reading.set("rung_delivery_oldest_seconds", row.oldest_s or 0, row.name)


def _steps(reading: Reading, connection: Connection) -> None:
    for row in series(connection, StepAge):
        reading.set("rung_step_age_seconds", row.age_s, row.step)
    late = len(late_steps(connection))
    reading.set("rung_steps_late", late)
    for one in failing_lookups(connection):
        reading.set("rung_lookup_failing_seconds", one.seconds, one.name, one.on_failure)
    reading.set("rung_statements_stopped_total", series(connection, StoppedCount)[0].statements)


def _runs(
    reading: Reading, connection: Connection, around: Surrounding, runs: Sequence[RunStanding]
) -> None:
    risks = deadline_risks(connection, around, runs)
    late = {run.name for run, why in risks if why is not None}
    stopped = {run.name for run in runs if run.out_of_money}
    states = {"active": 0, "paused": 0} | {
        r.state: r.runs for r in series(connection, LiveRunCount)
    }
    for state, count in states.items():
        reading.set("rung_runs", count, state)
    for row in series(connection, LiveRunLine):
        reading.set("rung_run_open_jobs", row.open, row.name)
        reading.set("rung_run_stopped_by_budget", row.name in stopped, row.name)
        reading.set("rung_run_paused", row.paused, row.name)
        if row.deadline is not None:
            reading.set("rung_run_deadline_timestamp_seconds", row.deadline, row.name)
            reading.set("rung_run_deadline_at_risk", row.name in late, row.name)
        _budget(reading, row, f"run:{row.name}")
    for day in series(connection, DayBudgetLine):
        _budget(reading, day, "day")


def _budget(reading: Reading, row: LiveRunLine | DayBudgetLine, scope: str) -> None:
    if row.cap is not None:
        reading.set("rung_budget_cap_usd", row.cap, scope)
        reading.set("rung_budget_spent_usd", row.spent, scope)
        reading.set("rung_budget_left_usd", row.cap + row.overrun - row.spent - row.reserved, scope)


def _queues(
    reading: Reading, connection: Connection, around: Surrounding, runs: Sequence[RunStanding]
) -> None:
    for line in queue_states(connection, around.queues, runs, redis_away=around.redis_away):
        queue = line.queue
        reading.set("rung_queue_waiting", max(line.waiting, 0), queue)
        reading.set("rung_queue_in_flight", line.in_flight, queue)
        reading.set("rung_queue_workers", line.workers, queue)
        reading.set("rung_queue_oldest_wait_seconds", line.waited_s or 0, queue)
        reading.set("rung_queue_paused", line.stands, queue)
        reading.set("rung_queue_on_trial", line.state == ON_TRIAL, queue)
        reading.set("rung_breaker_open", BREAKER[line.breaker], queue)
    reading.set("rung_queue_paused", around.halted, EVERYTHING)


def _batches(reading: Reading, connection: Connection) -> None:
    for row in series(connection, BatchCount):
        reading.set("rung_batches", row.batches, row.tier, row.state)
        reading.set("rung_batch_requests", row.requests, row.tier, row.state)
        reading.set("rung_batch_oldest_seconds", row.oldest_s, row.tier, row.state)


def _schedules(reading: Reading, dashboard: Dashboard, connection: Connection) -> None:
    """A schedule that no scheduler has ever seen counts from nowhere: it is not overdue yet."""
    fired = {row.name: row for row in series(connection, LastFiring)}
    seen = {row.name: row for row in series(connection, SeenSchedule)}
    now = moment(connection)
    for name, schedule in dashboard.settings.schedule.items():
        last = fired.get(name)
        since = seen[name].since if name in seen else None
        begin = max((t for t in (last.due_at if last else None, since) if t), default=None)
        due = next_due(Timetable(schedule.cron, schedule.timezone), begin) if begin else None
        overdue = (now - due.at).total_seconds() if due is not None else 0
        reading.set("rung_schedule_overdue_seconds", max(overdue, 0), name)
        looked = seen[name].seen if name in seen else 0
        reading.set("rung_schedule_seen_timestamp_seconds", looked, name)
        if last is not None:
            reading.set("rung_schedule_last_due_timestamp_seconds", last.due, name)
            reading.set("rung_schedule_failed", last.state == FiringState.FAILED, name)


def _limits(reading: Reading, dashboard: Dashboard) -> None:
    up = False
    for tier in dashboard.settings.tiers:
        used = dashboard.used(tier)
        if used is None:
            continue
        up = True
        reading.set("rung_limit_held_seconds", used.held_s, tier)
        if used.share is not None:
            reading.set("rung_limit_headroom_ratio", max(1 - used.share, 0), tier)
    reading.set("rung_redis_up", up)
