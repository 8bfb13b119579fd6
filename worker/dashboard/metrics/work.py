"""What messages have come to: jobs by state, attempts, calls, tokens, dollars, and their times."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from models.totals import TIMING_BOUNDS, WAIT
from models.vocabulary import JobState, Verdict
from worker.dashboard.metrics.samples import Reading
from worker.domain.pricing import TOKENS
from worker.store.reading.metrics import Line, calls, series
from worker.store.reading.screens import ClimbCount
from worker.store.reading.series import (
    AttemptCount,
    ErrorCount,
    JobCount,
    TimingBucket,
    VerdictCount,
)


def totals(reading: Reading, connection: Connection) -> None:
    """Jobs as they stand; steps up, attempts, calls and dollars since the beginning."""
    _jobs(reading, connection)
    for step in series(connection, ClimbCount):
        steps = (step.from_tier, step.to_tier, step.reason)
        reading.set("rung_escalations_total", step.escalations, *steps)
    for closed in series(connection, AttemptCount):
        reading.set(
            "rung_attempts_closed_total", closed.attempts, closed.queue, closed.lane, closed.outcome
        )
        if closed.outcome == "lost":
            reading.set("rung_rescued_attempts_total", closed.attempts, closed.queue, closed.lane)
    spent = calls(connection)
    for line in spent:
        labels = (line.tier, line.purpose, line.model, line.lane, line.simulated)
        reading.set("rung_calls_total", line.calls, *labels, line.state)
    for row in series(connection, ErrorCount):
        reading.set("rung_call_errors_total", row.errors, row.tier, row.lane, row.status)
    for labels, of in _grouped(spent, "tier", "purpose", "model", "lane", "simulated"):
        reading.set("rung_spend_usd_total", sum(row.cost for row in of), *labels)
    for labels, of in _grouped(spent, "tier", "model", "lane", "simulated"):
        for kind in TOKENS:
            count = sum(getattr(row.usage, kind) for row in of)
            reading.set("rung_tokens_total", count, *labels, kind.removesuffix("_tokens"))
    for labels, of in _grouped(spent, "tier", "model"):
        reading.set("rung_unpriced_calls_total", sum(row.unpriced for row in of), *labels)


def _jobs(reading: Reading, connection: Connection) -> None:
    """A state that no job was ever in is told as 0: where there is no series, no rule compares."""
    found = series(connection, JobCount)
    for state in set(JobState) - {row.state for row in found}:
        reading.set("rung_jobs", 0, state, "")
    for row in found:
        reading.set("rung_jobs", row.jobs, row.state, row.tier)
    decided = {row.verdict: row.jobs for row in series(connection, VerdictCount)}
    for verdict in Verdict:
        reading.set("rung_jobs_decided", decided.get(verdict, 0), verdict)
    review = sum(row.jobs for row in found if row.state == JobState.REVIEW)
    reading.set("rung_jobs_for_people", review - sum(decided.values()))


def _grouped(found: Iterable[Line], *names: str) -> Iterator[tuple[Any, list[Line]]]:
    def key(row: Line) -> tuple[Any, ...]:
        return tuple(getattr(row, name) for name in names)

    for labels, of in groupby(sorted(found, key=key), key):
        yield labels, list(of)


def timings(reading: Reading, connection: Connection) -> None:
    """Histograms of waiting and of calls."""
    for (what, queue, lane), of in _grouped(
        series(connection, TimingBucket), "what", "queue", "lane"
    ):
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
