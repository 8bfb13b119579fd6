"""What a worker reports of an attempt, for `record` to write down."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from models.vocabulary import AttemptOutcome, CallState, Purpose
from worker.domain.pricing import NO_TOKENS, Usage
from worker.domain.trouble import Meaning
from worker.domain.validation import Finding


@dataclass(frozen=True, slots=True)
class CallReport:
    """One request and what came back. A call that was never sent is reported with `sent=False`,
    and its row leaves the ledger. `cost` is None when the model has no price."""

    purpose: Purpose
    state: CallState
    sent: bool = True
    usage: Usage = NO_TOKENS
    cost: Decimal | None = Decimal(0)
    price: Mapping[str, str] | None = None
    latency_ms: int | None = None
    stop_reason: str | None = None
    stop_category: str | None = None
    request_id: str | None = None
    http_status: int | None = None
    error: str | None = None
    meaning: Meaning | None = None
    """Of the trouble that it met."""
    service_tier: str | None = None
    simulated: bool = False
    output: str | None = None
    shared: int = 1
    """Jobs that the same request served; each has a row with its share of the tokens."""


@dataclass(frozen=True, slots=True)
class RoutedTo:
    """The routing stage decided where to start."""

    tier: str
    rung: int
    difficulty: str | None


@dataclass(frozen=True, slots=True)
class Answered:
    """The result: first paid answer wins."""

    reply: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClimbTo:
    """One step up, to a higher tier."""

    tier: str
    rung: int
    reason: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """The same tier once more."""

    hint: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BestEffort:
    """The last reply that a person could use, and the attempt that it came from."""

    fence: int
    reply: str
    fields: Mapping[str, Any]
    tier: str
    model: str
    confidence: Decimal | None
    reasons: tuple[str, ...]
    simulated: bool


@dataclass(frozen=True, slots=True)
class ToReview:
    """No rung did well enough: a person must look."""

    reason: str
    best: BestEffort | None


@dataclass(frozen=True, slots=True)
class Deferred:
    """Ready again later; nothing used up. `halts` names the tier to pause, or `everything`."""

    delay_s: float
    reason: str
    halts: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt is used up; ready again later."""

    delay_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Written by rescue for a worker that can no longer report."""


@dataclass(frozen=True, slots=True)
class Dead:
    """A dead letter."""

    reason: str


Ending = RoutedTo | Answered | ClimbTo | Again | ToReview | Deferred | Failed | Lost | Dead


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """How an attempt ended, and every call that it made."""

    job_id: int
    fence: int
    outcome: AttemptOutcome
    ending: Ending
    calls: tuple[CallReport, ...] = ()
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    difficulty: str | None = None
    rule: str | None = None
    confidence: Decimal | None = None
    threshold: Decimal | None = None
