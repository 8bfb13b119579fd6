"""Forecasts from the record: what a backlog will cost, how long it takes, how much people must
look at; and afterwards, what it came to."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from models.vocabulary import Measure, RunLane
from worker.domain.policy import Policy
from worker.domain.pricing import BATCH_FACTOR
from worker.domain.proof.forecast import Forecast, Observed, forecast
from worker.domain.proof.quantiles import student
from worker.domain.proof.replayed_cost import (
    Ladderlike,
    RecordedJob,
    ReplayedCost,
    replayed,
    tier_means,
)
from worker.store.actions.forecasts import keep
from worker.store.policies import put_in_force
from worker.store.reading.records import RunPace, paces, recorded_jobs
from worker.store.runs import find_run

ENOUGH = 30
"""Recorded jobs below which the record says too little."""
MOST_STRANGERS = 0.02
"""Of the messages to come, the share of which the record may know nothing of that length."""
TAIL = 0.1


@dataclass(frozen=True, slots=True)
class Span:
    """What it will be below with 10, 50 and 90 %."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunForecast:
    """A backlog's forecast. `basis` says in words what it rests on; `seconds` is None where no run
    of the lane has finished."""

    dollars: Span
    people: Span
    seconds: Span | None
    strata: Mapping[str, int]
    detail: Forecast
    basis: str

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "usd": _document(self.dollars),
            "people": _document(self.people),
            "seconds": _document(self.seconds) if self.seconds else None,
            "messages": self.detail.messages,
            "recorded": self.detail.recorded,
            "days": self.detail.days,
            "between_days": round(self.detail.between_days, 4),
            "strata": dict(self.strata),
            "basis": self.basis,
        }

    def as_expected(self) -> dict[str, Any]:
        """In the place of what is assumed without a record."""
        return {
            "total_usd": round(self.dollars.p50, 6),
            "assumption": f"Measured {self.basis}.",
            "forecast": self.as_document(),
        }

    def rows(self) -> list[tuple[Measure, Span]]:
        """The measures that are kept with a run."""
        found = [(Measure.DOLLARS, self.dollars), (Measure.PEOPLE, self.people)]
        return found + ([(Measure.SECONDS, self.seconds)] if self.seconds else [])


def _document(span: Span) -> dict[str, float]:
    return {name: round(getattr(span, name), 6) for name in Span.__slots__}


def foresee(
    connection: Connection,
    policy: Policy,
    coming: Mapping[str, int],
    lane: str = RunLane.REALTIME,
    before_run: int | None = None,
) -> RunForecast | None:
    """The forecast for messages by stratum; None where too little is recorded, or nothing of such
    lengths: what a document costs, a thousand short questions do not tell. A policy that was
    run before is forecast from its own jobs, another one by replaying it on those there are.

    `coming` is what a hand-over counts, a dry one too (`outcome.counts.coming`), so whoever takes a
    backlog in, a page as well as a command, can show this before anything is stored. Raises
    ConfigurationError where the policy names a certificate that is not in force."""
    policy = put_in_force(connection, policy)
    held = policy.accept.in_force
    jobs, basis = recorded_jobs(connection, policy.name, before_run, held), f"policy {policy.name}"
    if len(jobs) < ENOUGH:
        jobs = recorded_jobs(connection, None, before_run, held)
        basis = f"{policy.name} replayed on jobs of other policies"
    if len(jobs) < ENOUGH or not sum(coming.values()):
        return None
    found = costs_under(policy, jobs)
    dollars = _sum(jobs, [_dollars(one, lane) for one in found], coming)
    if dollars.strangers > MOST_STRANGERS * dollars.messages:
        return None
    people = _sum(jobs, [one.person for one in found], coming)
    return RunForecast(
        dollars=Span(dollars.p10, dollars.p50, dollars.p90),
        people=Span(people.p10, people.p50, min(people.p90, sum(coming.values()))),
        seconds=_seconds(paces(connection, lane, before_run), sum(coming.values())),
        strata=dict(coming),
        detail=dollars,
        basis=f"from {len(jobs):,} recorded jobs {_on_days(dollars.days)}, {basis}",
    )


def _on_days(days: int) -> str:
    return "on one day" if days == 1 else f"on {days:,} days"


def costs_under(policy: Policy, jobs: Sequence[RecordedJob]) -> list[ReplayedCost]:
    """What each of the recorded jobs would have cost under the policy. The record is gone over a
    fixed number of times, however long it is."""
    ladder = _ladderlike(policy, jobs)
    return [replayed(job, ladder) for job in jobs]


def keep_forecast(
    engine: Engine, policy: Policy, name: str, strata: Mapping[str, int], lane: str
) -> None:
    """Keeps what is expected of a run that has just been submitted, to compare it with fact."""
    with engine.begin() as connection:
        run = find_run(connection, name)
        found = foresee(connection, policy, strata, lane, before_run=run.id)
        if found is not None:
            rows = [(measure, one.p10, one.p50, one.p90) for measure, one in found.rows()]
            keep(connection, run.id, found.detail.recorded, rows)


def _ladderlike(policy: Policy, jobs: Sequence[RecordedJob]) -> Ladderlike:
    asked = policy.accept.confidence != "off"
    thresholds: dict[str, float | None] = {
        tier: float(policy.accept.threshold_at(tier)) if asked else None for tier in policy.ladder
    }
    standards = {}
    if (held := policy.accept.in_force) is not None:
        standards[held.tier] = math.inf if held.standard is None else float(held.standard)
    return Ladderlike(
        ladder=policy.ladder,
        thresholds=thresholds,
        standards=standards,
        means=tier_means(jobs, thresholds, standards),
    )


def _dollars(one: ReplayedCost, lane: str) -> float:
    batched = float(BATCH_FACTOR)
    match lane:
        case RunLane.BATCH:
            return batched * (one.first + one.climbs)
        case RunLane.MIXED:
            return one.first + batched * one.climbs
    return one.first + one.climbs


def _sum(
    jobs: Sequence[RecordedJob], amounts: Sequence[float], coming: Mapping[str, int]
) -> Forecast:
    record = [
        Observed(job.stratum, job.day, amount) for job, amount in zip(jobs, amounts, strict=True)
    ]
    return forecast(record, coming)


def _seconds(seen: Sequence[RunPace], messages: int) -> Span | None:
    """From the paces of finished runs, whose logarithms are taken to be bell-shaped."""
    if not seen:
        return None
    logs = [math.log(pace.seconds / pace.jobs) for pace in seen]
    mean = math.fsum(logs) / len(logs)
    if len(logs) < 2:
        return Span(*(messages * math.exp(mean) * factor for factor in (0.5, 1.0, 2.0)))
    variance = math.fsum((x - mean) ** 2 for x in logs) / (len(logs) - 1)
    half = student(1 - TAIL, len(logs) - 1) * math.sqrt(variance * (1 + 1 / len(logs)))
    return Span(*(messages * math.exp(mean + step) for step in (-half, 0.0, half)))
