"""The series of `/metrics` as values: a class for each statement."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class JobCount:
    """Jobs of all runs."""

    state: str
    tier: str
    jobs: int


@dataclass(frozen=True, slots=True)
class VerdictCount:
    """Jobs that a person has decided."""

    verdict: str
    jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCount:
    """Calls that failed, by HTTP status; `none` where no reply came."""

    tier: str
    lane: str
    status: str
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptCount:
    """Attempts that were closed."""

    queue: str
    lane: str
    outcome: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingBucket:
    """A bucket of a histogram: how many, and how many seconds together."""

    what: str
    queue: str
    lane: str
    bucket: int
    observations: int
    seconds: float


@dataclass(frozen=True, slots=True)
class CertificateCount:
    """Certificates; void ones of the last day only."""

    state: str
    certificates: int


@dataclass(frozen=True, slots=True)
class StoppedCount:
    """Statements of workers that ran into their time."""

    statements: int


@dataclass(frozen=True, slots=True)
class StepAge:
    """How long ago a step of the upkeep was done."""

    step: str
    age_s: float


@dataclass(frozen=True, slots=True)
class LiveRunCount:
    """Live runs."""

    state: str
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRunLine:
    """A live run with its budget; `deadline` is Unix time."""

    name: str
    deadline: float | None
    cap: Decimal | None
    spent: Decimal
    reserved: Decimal
    overrun: Decimal
    paused: bool
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBudgetLine:
    """The day's budget."""

    cap: Decimal | None
    spent: Decimal
    reserved: Decimal
    overrun: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCount:
    """Batches under way; the first of them was made `oldest_s` seconds ago."""

    tier: str
    state: str
    batches: int
    requests: int
    oldest_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFiring:
    """The last night of a schedule, also as Unix time."""

    name: str
    due: float
    due_at: dt.datetime
    state: str


@dataclass(frozen=True, slots=True)
class SeenSchedule:
    """Since when a schedule is known, and when a scheduler last saw it (Unix time)."""

    name: str
    since: dt.datetime
    seen: float
