"""Every metric: its name, kind, help and labels, in one table that the documents are held against.

Names follow Prometheus: base units, `_total` for counters. No label holds message text or ids of
jobs; series by run exist for live runs only.
"""

from dataclasses import dataclass
from typing import Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

Kind = Literal["counter", "gauge", "histogram"]
Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
CALL = ("tier", "purpose", "model", "lane", "simulated")


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as it is called on the wire, histograms without their endings."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()

    def family(self) -> Family:
        """An empty family."""
        if self.kind == "counter":
            return CounterMetricFamily(self.name, self.help, labels=self.labels)
        if self.kind == "gauge":
            return GaugeMetricFamily(self.name, self.help, labels=self.labels)
        return HistogramMetricFamily(self.name, self.help, labels=self.labels)


METRICS: tuple[Metric, ...] = (
    Metric("rung_build_info", "gauge", "1; the version is a label.", ("version",)),
    Metric("rung_simulated", "gauge", "1 when Claude is Rung's own simulator."),
    Metric("rung_redis_up", "gauge", "1 when Redis answers; without it nothing is sent."),
    Metric("rung_jobs", "gauge", "Jobs of all runs, by state and tier.", ("state", "tier")),
    Metric("rung_jobs_decided", "gauge", "Jobs for a person, by verdict.", ("verdict",)),
    Metric("rung_jobs_for_people", "gauge", "Jobs for a person that wait for a verdict."),
    Metric("rung_runs", "gauge", "Live runs, by state.", ("state",)),
    Metric("rung_run_open_jobs", "gauge", "Open jobs of a live run.", ("run",)),
    Metric(
        "rung_run_deadline_timestamp_seconds",
        "gauge",
        "Deadline of a live run that has one, as Unix time.",
        ("run",),
    ),
    Metric(
        "rung_run_deadline_at_risk",
        "gauge",
        "1 when a live run will miss its deadline at the pace so far.",
        ("run",),
    ),
    Metric("rung_run_paused", "gauge", "1 when a live run is paused.", ("run",)),
    Metric("rung_run_waiting_for_budget", "gauge", "1 when a live run waits for budget.", ("run",)),
    Metric(
        "rung_escalations_total",
        "counter",
        "Steps up the ladder, or to a person, by reason.",
        ("from_tier", "to_tier", "reason"),
    ),
    Metric(
        "rung_attempts_closed_total",
        "counter",
        "Attempts by how they ended.",
        ("queue", "lane", "outcome"),
    ),
    Metric(
        "rung_rescued_attempts_total",
        "counter",
        "Attempts that dead workers held, given back.",
        ("queue", "lane"),
    ),
    Metric("rung_calls_total", "counter", "Closed calls to Claude.", (*CALL, "state")),
    Metric(
        "rung_call_errors_total",
        "counter",
        "Calls that failed or were lost, by HTTP status; `none` where no reply came.",
        ("tier", "lane", "status"),
    ),
    Metric(
        "rung_unpriced_calls_total",
        "counter",
        "Calls whose model has no price.",
        ("tier", "model"),
    ),
    Metric(
        "rung_tokens_total",
        "counter",
        "Tokens, by kind; the kinds are disjoint.",
        ("tier", "model", "lane", "simulated", "kind"),
    ),
    Metric("rung_spend_usd_total", "counter", "Dollars settled.", CALL),
    Metric(
        "rung_call_seconds",
        "histogram",
        "How long calls took.",
        ("purpose", "tier", "lane"),
    ),
    Metric(
        "rung_wait_seconds",
        "histogram",
        "How long jobs were ready before they were claimed.",
        ("queue", "lane"),
    ),
    Metric("rung_queue_waiting", "gauge", "Jobs that wait in a queue.", ("queue",)),
    Metric("rung_queue_in_flight", "gauge", "Jobs that a worker has claimed.", ("queue",)),
    Metric("rung_queue_workers", "gauge", "Live workers that consume a queue.", ("queue",)),
    Metric(
        "rung_queue_oldest_wait_seconds",
        "gauge",
        "How long the longest waiting job has been ready; 0 when none waits.",
        ("queue",),
    ),
    Metric("rung_queue_paused", "gauge", "1 when paused; `everything` pauses all.", ("queue",)),
    Metric(
        "rung_breaker_open", "gauge", "1 when the breaker is open, 0.5 while it probes.", ("queue",)
    ),
    Metric(
        "rung_limit_headroom_ratio",
        "gauge",
        "Share of the nearest rate limit that was left in the last minute.",
        ("tier",),
    ),
    Metric(
        "rung_limit_held_seconds", "gauge", "How long Claude asked us to wait still.", ("tier",)
    ),
    Metric(
        "rung_budget_cap_usd",
        "gauge",
        "Cap of a budget that has one: the day's, or a live run's.",
        ("scope",),
    ),
    Metric(
        "rung_budget_left_usd", "gauge", "What is neither spent nor reserved of it.", ("scope",)
    ),
    Metric(
        "rung_step_age_seconds",
        "gauge",
        "How long ago a worker last got this step of its routines done.",
        ("step",),
    ),
    Metric(
        "rung_steps_late",
        "gauge",
        "Steps that no worker got done for a minute, although workers are there.",
    ),
    Metric(
        "rung_lookup_failing_seconds",
        "gauge",
        "For how long this look-up has brought nothing; what follows is its `on_failure`.",
        ("lookup", "on_failure"),
    ),
    Metric(
        "rung_statements_stopped_total",
        "counter",
        "Statements of workers and dashboards that ran into their time.",
    ),
    Metric("rung_batches", "gauge", "Message Batches under way.", ("tier", "state")),
    Metric("rung_batch_requests", "gauge", "Requests in them.", ("tier", "state")),
    Metric("rung_batch_oldest_seconds", "gauge", "Age of the oldest of them.", ("tier", "state")),
    Metric(
        "rung_schedule_last_due_timestamp_seconds",
        "gauge",
        "When the last fired night of a schedule was due, as Unix time.",
        ("schedule",),
    ),
    Metric(
        "rung_schedule_seen_timestamp_seconds",
        "gauge",
        "When a scheduler last looked at a schedule, as Unix time; 0 when none ever did.",
        ("schedule",),
    ),
    Metric(
        "rung_schedule_overdue_seconds",
        "gauge",
        "How long a schedule's next night has been due without being fired; 0 when it is not due.",
        ("schedule",),
    ),
    Metric(
        "rung_schedule_failed", "gauge", "1 when a schedule's last night failed.", ("schedule",)
    ),
    Metric(
        "rung_certificates",
        "gauge",
        "Certificates by state: valid, amber (in doubt), and void for a day.",
        ("state",),
    ),
    Metric(
        "rung_deliveries",
        "gauge",
        "Answers for a webhook, up to 10,000 of a state: waiting, or dead (given up).",
        ("webhook", "state"),
    ),
    Metric("rung_delivery_oldest_seconds", "gauge", "Age of the oldest that waits.", ("webhook",)),
    Metric("rung_scrape_seconds", "gauge", "How long it took to read all this."),
)
