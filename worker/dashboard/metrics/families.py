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


@dataclass(frozen=True, slots=True, kw_only=True)
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
    Metric(
        name="rung_build_info", kind="gauge", help="1; the version is a label.", labels=("version",)
    ),
    Metric(name="rung_simulated", kind="gauge", help="1 when Claude is Rung's own simulator."),
    Metric(
        name="rung_redis_up", kind="gauge", help="1 when Redis answers; without it nothing is sent."
    ),
    Metric(
        name="rung_jobs",
        kind="gauge",
        help="Jobs of all runs, by state and tier.",
        labels=("state", "tier"),
    ),
    Metric(
        name="rung_jobs_decided",
        kind="gauge",
        help="Jobs for a person, by verdict.",
        labels=("verdict",),
    ),
    Metric(
        name="rung_jobs_for_people", kind="gauge", help="Jobs for a person that wait for a verdict."
    ),
    Metric(name="rung_runs", kind="gauge", help="Live runs, by state.", labels=("state",)),
    Metric(
        name="rung_run_open_jobs", kind="gauge", help="Open jobs of a live run.", labels=("run",)
    ),
    Metric(
        name="rung_run_deadline_timestamp_seconds",
        kind="gauge",
        help="Deadline of a live run that has one, as Unix time.",
        labels=("run",),
    ),
    Metric(
        name="rung_run_deadline_at_risk",
        kind="gauge",
        help="1 when a live run will miss its deadline at the pace so far.",
        labels=("run",),
    ),
    Metric(
        name="rung_run_paused", kind="gauge", help="1 when a live run is paused.", labels=("run",)
    ),
    Metric(
        name="rung_run_waiting_for_budget",
        kind="gauge",
        help="1 when a live run waits for budget.",
        labels=("run",),
    ),
    Metric(
        name="rung_escalations_total",
        kind="counter",
        help="Steps up the ladder, or to a person, by reason.",
        labels=("from_tier", "to_tier", "reason"),
    ),
    Metric(
        name="rung_attempts_closed_total",
        kind="counter",
        help="Attempts by how they ended.",
        labels=("queue", "lane", "outcome"),
    ),
    Metric(
        name="rung_rescued_attempts_total",
        kind="counter",
        help="Attempts that dead workers held, given back.",
        labels=("queue", "lane"),
    ),
    Metric(
        name="rung_calls_total",
        kind="counter",
        help="Closed calls to Claude.",
        labels=(*CALL, "state"),
    ),
    Metric(
        name="rung_call_errors_total",
        kind="counter",
        help="Calls that failed or were lost, by HTTP status; `none` where no reply came.",
        labels=("tier", "lane", "status"),
    ),
    Metric(
        name="rung_unpriced_calls_total",
        kind="counter",
        help="Calls whose model has no price.",
        labels=("tier", "model"),
    ),
    Metric(
        name="rung_tokens_total",
        kind="counter",
        help="Tokens, by kind; the kinds are disjoint.",
        labels=("tier", "model", "lane", "simulated", "kind"),
    ),
    Metric(name="rung_spend_usd_total", kind="counter", help="Dollars settled.", labels=CALL),
    Metric(
        name="rung_call_seconds",
        kind="histogram",
        help="How long calls took.",
        labels=("purpose", "tier", "lane"),
    ),
    Metric(
        name="rung_wait_seconds",
        kind="histogram",
        help="How long jobs were ready before they were claimed.",
        labels=("queue", "lane"),
    ),
    Metric(
        name="rung_queue_waiting",
        kind="gauge",
        help="Jobs that wait in a queue.",
        labels=("queue",),
    ),
    Metric(
        name="rung_queue_in_flight",
        kind="gauge",
        help="Jobs that a worker has claimed.",
        labels=("queue",),
    ),
    Metric(
        name="rung_queue_workers",
        kind="gauge",
        help="Live workers that consume a queue.",
        labels=("queue",),
    ),
    Metric(
        name="rung_queue_oldest_wait_seconds",
        kind="gauge",
        help="How long the longest waiting job has been ready; 0 when none waits.",
        labels=("queue",),
    ),
    Metric(
        name="rung_queue_paused",
        kind="gauge",
        help="1 when paused; `everything` pauses all.",
        labels=("queue",),
    ),
    Metric(
        name="rung_breaker_open",
        kind="gauge",
        help="1 when the breaker is open, 0.5 while it probes.",
        labels=("queue",),
    ),
    Metric(
        name="rung_limit_headroom_ratio",
        kind="gauge",
        help="Share of the nearest rate limit that was left in the last minute.",
        labels=("tier",),
    ),
    Metric(
        name="rung_limit_held_seconds",
        kind="gauge",
        help="How long Claude asked us to wait still.",
        labels=("tier",),
    ),
    Metric(
        name="rung_budget_cap_usd",
        kind="gauge",
        help="Cap of a budget that has one: the day's, or a live run's.",
        labels=("scope",),
    ),
    Metric(
        name="rung_budget_left_usd",
        kind="gauge",
        help="What is neither spent nor reserved of it.",
        labels=("scope",),
    ),
    Metric(
        name="rung_step_age_seconds",
        kind="gauge",
        help="How long ago a worker last got this step of its routines done.",
        labels=("step",),
    ),
    Metric(
        name="rung_steps_late",
        kind="gauge",
        help="Steps that no worker got done for a minute, although workers are there.",
    ),
    Metric(
        name="rung_lookup_failing_seconds",
        kind="gauge",
        help="For how long this look-up has brought nothing; what follows is its `on_failure`.",
        labels=("lookup", "on_failure"),
    ),
    Metric(
        name="rung_statements_stopped_total",
        kind="counter",
        help="Statements of workers and dashboards that ran into their time.",
    ),
    Metric(
        name="rung_batches",
        kind="gauge",
        help="Message Batches under way.",
        labels=("tier", "state"),
    ),
    Metric(
        name="rung_batch_requests", kind="gauge", help="Requests in them.", labels=("tier", "state")
    ),
    Metric(
        name="rung_batch_oldest_seconds",
        kind="gauge",
        help="Age of the oldest of them.",
        labels=("tier", "state"),
    ),
    Metric(
        name="rung_schedule_last_due_timestamp_seconds",
        kind="gauge",
        help="When the last fired night of a schedule was due, as Unix time.",
        labels=("schedule",),
    ),
    Metric(
        name="rung_schedule_seen_timestamp_seconds",
        kind="gauge",
        help="When a scheduler last looked at a schedule, as Unix time; 0 when none ever did.",
        labels=("schedule",),
    ),
    Metric(
        name="rung_schedule_overdue_seconds",
        kind="gauge",
        help="How long a schedule's next night has been due without being fired; 0 when it is not"
        " due.",
        labels=("schedule",),
    ),
    Metric(
        name="rung_schedule_failed",
        kind="gauge",
        help="1 when a schedule's last night failed.",
        labels=("schedule",),
    ),
    Metric(
        name="rung_certificates",
        kind="gauge",
        help="Certificates by state: valid, amber (in doubt), and void for a day.",
        labels=("state",),
    ),
    Metric(
        name="rung_deliveries",
        kind="gauge",
        help="Answers for a webhook, up to 10,000 of a state: waiting, or dead (given up).",
        labels=("webhook", "state"),
    ),
    Metric(
        name="rung_delivery_oldest_seconds",
        kind="gauge",
        help="Age of the oldest that waits.",
        labels=("webhook",),
    ),
    Metric(name="rung_scrape_seconds", kind="gauge", help="How long it took to read all this."),
)
