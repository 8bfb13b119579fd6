"""Every metric: its name, kind, help and labels, in one table that the documents are held against.

Names follow Prometheus: base units, `_total` for counters. No label holds message text or ids of
jobs; series by run exist for live runs only.
"""

from worker.dashboard.metrics.metric import Metric
from worker.dashboard.metrics.service import OF_THE_SERVICE

CALL = ("tier", "purpose", "model", "lane", "simulated")
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
        name="rung_run_stopped_by_budget",
        kind="gauge",
        help="1 when a budget has stopped a live run.",
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
    *OF_THE_SERVICE,
    Metric(name="rung_scrape_seconds", kind="gauge", help="How long it took to read all this."),
)
