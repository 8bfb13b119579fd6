"""Metrics of what answers messages: queues, limits, budgets, rounds, batches, schedules, mails."""

from worker.dashboard.metrics.metric import Metric

OF_THE_SERVICE: tuple[Metric, ...] = (
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
        help="How long the longest has waited, for its turn or a budget; 0 when none waits.",
        labels=("queue",),
    ),
    Metric(
        name="rung_queue_paused",
        kind="gauge",
        help="1 when paused, alone or with `everything`.",
        labels=("queue",),
    ),
    Metric(
        name="rung_queue_on_trial",
        kind="gauge",
        help="1 while a new prompt, schema or model is tried there and all others wait.",
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
        name="rung_budget_spent_usd",
        kind="gauge",
        help="What is spent of it.",
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
)
