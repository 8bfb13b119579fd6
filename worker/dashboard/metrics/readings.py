"""What each metric says just now, read on request from the counters that the screens use."""

import datetime as dt
import time
from collections.abc import Iterable, Iterator
from dataclasses import fields
from importlib.metadata import version
from itertools import groupby
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from sqlalchemy import Connection, Row

from models.totals import TIMING_BOUNDS, WAIT
from models.vocabulary import EVERYTHING, CertificateState, FiringState, JobState, Verdict
from worker.dashboard.context import Dashboard
from worker.dashboard.metrics.families import METRICS
from worker.dashboard.metrics.metric import Family
from worker.domain.pricing import Usage
from worker.domain.timetable import Timetable, next_due
from worker.store.engine import STOPPED
from worker.store.queue import deliveries
from worker.store.queue.lookup_failures import failing_lookups
from worker.store.queue.rounds import late as late_steps
from worker.store.queue.rounds import report
from worker.store.reading import screens
from worker.store.reading.metrics import LIVE_RUNS_SHOWN, rows
from worker.store.reading.outlook import deadline_risks
from worker.store.reading.status import paused_everything, queues
from worker.store.reading.surrounding import read_surrounding

TOKENS = tuple(field.name for field in fields(Usage))
"""Kinds of tokens, as counters call them."""
BREAKER = {"closed": 0.0, "half_open": 0.5, "open": 1.0}


class Reading:
    """Families being filled, by name."""

    def __init__(self) -> None:
        self.families = {metric.name: metric.family() for metric in METRICS}

    def set(self, name: str, value: Any, *labels: Any) -> None:
        """Adds a sample of a counter or gauge."""
        family = self.families[name]
        assert isinstance(family, CounterMetricFamily | GaugeMetricFamily)
        family.add_metric([_label(value) for value in labels], float(value))

    def histogram(
        self, name: str, buckets: list[tuple[str, float]], total: float, *labels: str
    ) -> None:
        """Adds a histogram; buckets are cumulative."""
        family = self.families[name]
        assert isinstance(family, HistogramMetricFamily)
        family.add_metric(list(labels), buckets, total)


def read_all(dashboard: Dashboard) -> list[Family]:
    """Every family, in the order of `METRICS`."""
    began, reading = time.perf_counter(), Reading()
    # What this process has counted itself goes where every copy of the dashboard sees it.
    report(dashboard.engine, {}, STOPPED.take())
    with dashboard.engine.connect() as connection:
        _totals(reading, connection)
        _timings(reading, connection)
        _runs(reading, dashboard, connection)
        _certificates(reading, connection)
        _deliveries(reading, connection)
        _queues(reading, dashboard, connection)
        _batches(reading, connection)
        _schedules(reading, dashboard, connection)
        _steps(reading, connection)
    _limits(reading, dashboard)
    reading.set("rung_build_info", 1, version("rung"))
    reading.set("rung_simulated", dashboard.simulated)
    reading.set("rung_scrape_seconds", time.perf_counter() - began)
    return list(reading.families.values())


def _totals(reading: Reading, connection: Connection) -> None:
    _jobs(reading, connection)
    for row in rows(connection, "escalations"):
        steps = (row.from_tier, row.to_tier, row.reason)
        reading.set("rung_escalations_total", row.escalations, *steps)
    for row in rows(connection, "attempts"):
        reading.set("rung_attempts_closed_total", row.attempts, row.queue, row.lane, row.outcome)
        if row.outcome == "lost":
            reading.set("rung_rescued_attempts_total", row.attempts, row.queue, row.lane)
    calls = rows(connection, "calls")
    for row in calls:
        labels = (row.tier, row.purpose, row.model, row.lane, row.simulated)
        reading.set("rung_calls_total", row.calls, *labels, row.state)
    for row in rows(connection, "errors"):
        reading.set("rung_call_errors_total", row.errors, row.tier, row.lane, row.status)
    for labels, of in _grouped(calls, "tier", "purpose", "model", "lane", "simulated"):
        reading.set("rung_spend_usd_total", sum(row.cost for row in of), *labels)
    for labels, of in _grouped(calls, "tier", "model", "lane", "simulated"):
        for kind in TOKENS:
            count = sum(getattr(row, kind) for row in of)
            reading.set("rung_tokens_total", count, *labels, kind.removesuffix("_tokens"))
    for labels, of in _grouped(calls, "tier", "model"):
        reading.set("rung_unpriced_calls_total", sum(row.unpriced for row in of), *labels)


def _jobs(reading: Reading, connection: Connection) -> None:
    """A state that no job was ever in is told as 0: where there is no series, no rule compares."""
    found = rows(connection, "jobs")
    for state in set(JobState) - {row.state for row in found}:
        reading.set("rung_jobs", 0, state, "")
    for row in found:
        reading.set("rung_jobs", row.jobs, row.state, row.tier)
    decided = {row.verdict: row.jobs for row in rows(connection, "verdicts")}
    for verdict in Verdict:
        reading.set("rung_jobs_decided", decided.get(verdict, 0), verdict)
    review = sum(row.jobs for row in found if row.state == JobState.REVIEW)
    reading.set("rung_jobs_for_people", review - sum(decided.values()))


def _grouped(found: Iterable[Row[Any]], *names: str) -> Iterator[tuple[Any, list[Row[Any]]]]:
    def key(row: Row[Any]) -> tuple[Any, ...]:
        return tuple(getattr(row, name) for name in names)

    for labels, of in groupby(sorted(found, key=key), key):
        yield labels, list(of)


def _timings(reading: Reading, connection: Connection) -> None:
    for (what, queue, lane), of in _grouped(rows(connection, "timings"), "what", "queue", "lane"):
        counts = {row.bucket: row.observations for row in of}
        total, buckets = 0, []
        for place, bound in enumerate((*map(str, map(float, TIMING_BOUNDS)), "+Inf")):
            total += counts.get(place, 0)
            buckets.append((bound, float(total)))
        seconds = sum(row.seconds for row in of)
        if what == WAIT:
            reading.histogram("rung_wait_seconds", buckets, seconds, queue, lane)
        else:
            reading.histogram("rung_call_seconds", buckets, seconds, what, queue, lane)


def _certificates(reading: Reading, connection: Connection) -> None:
    found = {row.state: row.certificates for row in rows(connection, "certificates")}
    for state in CertificateState:
        reading.set("rung_certificates", found.get(state, 0), state)


def _deliveries(reading: Reading, connection: Connection) -> None:
    for row in deliveries.standing(connection):
        reading.set("rung_deliveries", row.waiting, row.name, "waiting")
        reading.set("rung_deliveries", row.dead, row.name, "dead")
        reading.set("rung_delivery_oldest_seconds", row.oldest_s or 0, row.name)


def _steps(reading: Reading, connection: Connection) -> None:
    for row in rows(connection, "steps"):
        reading.set("rung_step_age_seconds", row.age_s, row.step)
    late = len(late_steps(connection))
    reading.set("rung_steps_late", late)
    for one in failing_lookups(connection):
        reading.set("rung_lookup_failing_seconds", one.seconds, one.name, one.on_failure)
    reading.set("rung_statements_stopped_total", rows(connection, "stopped")[0].statements)


def _runs(reading: Reading, dashboard: Dashboard, connection: Connection) -> None:
    late = _late(dashboard, connection)
    states = {"active": 0, "paused": 0} | {r.state: r.runs for r in rows(connection, "runs")}
    for state, count in states.items():
        reading.set("rung_runs", count, state)
    for row in rows(connection, "live"):
        reading.set("rung_run_open_jobs", row.open, row.name)
        reading.set("rung_run_waiting_for_budget", row.waits, row.name)
        reading.set("rung_run_paused", row.paused, row.name)
        if row.deadline is not None:
            reading.set("rung_run_deadline_timestamp_seconds", row.deadline, row.name)
            reading.set("rung_run_deadline_at_risk", row.name in late, row.name)
        _budget(reading, row, f"run:{row.name}")
    for row in rows(connection, "day"):
        _budget(reading, row, "day")


def _late(dashboard: Dashboard, connection: Connection) -> set[str]:
    """Names of the live runs that may miss their deadline."""
    assumed_s = dashboard.assumed_turnaround_s
    around = read_surrounding(connection, dashboard.queues, assumed_s)
    found = deadline_risks(connection, around, LIVE_RUNS_SHOWN)
    return {run.name for run, why in found if why is not None}


def _budget(reading: Reading, row: Row[Any], scope: str) -> None:
    if row.cap is not None:
        reading.set("rung_budget_cap_usd", row.cap, scope)
        reading.set("rung_budget_left_usd", row.cap + row.overrun - row.spent - row.reserved, scope)


def _queues(reading: Reading, dashboard: Dashboard, connection: Connection) -> None:
    waits = screens.oldest_waits(connection, dashboard.queues)
    for line in queues(connection, dashboard.queues):
        queue = line.queue
        reading.set("rung_queue_waiting", max(line.waiting, 0), queue)
        reading.set("rung_queue_in_flight", line.in_flight, queue)
        reading.set("rung_queue_workers", line.workers, queue)
        reading.set("rung_queue_oldest_wait_seconds", waits.get(queue, 0), queue)
        reading.set("rung_queue_paused", line.paused, queue)
        reading.set("rung_breaker_open", BREAKER[line.breaker], queue)
    everything = paused_everything(connection) is not None
    reading.set("rung_queue_paused", everything, EVERYTHING)


def _batches(reading: Reading, connection: Connection) -> None:
    for row in rows(connection, "batches"):
        reading.set("rung_batches", row.batches, row.tier, row.state)
        reading.set("rung_batch_requests", row.requests, row.tier, row.state)
        reading.set("rung_batch_oldest_seconds", row.oldest_s, row.tier, row.state)


def _schedules(reading: Reading, dashboard: Dashboard, connection: Connection) -> None:
    """A schedule that no scheduler has ever seen counts from nowhere: it is not overdue yet."""
    fired = {row.name: row for row in rows(connection, "firings")}
    seen = {row.name: row for row in rows(connection, "schedules")}
    now: dt.datetime = rows(connection, "now")[0][0]
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


def _label(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
