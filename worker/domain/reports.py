"""What a worker reports of an attempt, for `record` to write down."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from models.vocabulary import AttemptOutcome, CallState, Lane, Purpose
from worker.domain.answers import Answer, Troubled
from worker.domain.claimed import Question
from worker.domain.endings import Ending
from worker.domain.in_force import CertifiedScore
from worker.domain.pricing import NO_TOKENS, Price, Usage
from worker.domain.text import storable
from worker.domain.trouble import Meaning, Trouble
from worker.domain.validation import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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
    standing: CertifiedScore | None = None
    """Against the certificate in force, if there is one."""


def call_of(question: Question, got: Answer | Troubled, price: Price | None) -> CallReport:
    """The ledger's entry of one call. One that may be billed is charged its worst case; one without
    a price is charged nothing, and said to be so."""
    if isinstance(got, Troubled):
        return _troubled(question, got, question.worst_cost if price is not None else None)
    lane = Lane.BATCH if got.service_tier == "batch" else Lane.REALTIME
    # At the rates of a shared request as a whole, so that the shares add up to its price.
    rates = price.rates((got.whole or got.usage).total_input, lane) if price is not None else None
    return CallReport(
        purpose=question.purpose,
        state=CallState.DONE,
        usage=got.usage,
        cost=rates.cost(got.usage) if rates is not None else None,
        price=rates.as_document() if rates is not None else None,
        latency_ms=got.latency_ms,
        stop_reason=got.answer.stop_reason,
        stop_category=got.answer.category,
        request_id=got.request_id,
        http_status=200,
        service_tier=got.service_tier,
        simulated=got.simulated,
        output=storable(got.answer.text),
        shared=got.shared,
    )


def lost_call(question: Question, trouble: Trouble) -> CallReport:
    """Of a call that may have been sent, and that nothing is known of: charged its worst case."""
    return CallReport(
        purpose=question.purpose,
        state=CallState.LOST,
        cost=question.worst_cost,
        error=trouble.summary,
    )


def unsent_call(question: Question) -> CallReport:
    """Of a call that was never sent."""
    return CallReport(purpose=question.purpose, state=CallState.FAILED, sent=False)


def _troubled(question: Question, got: Troubled, worst: Decimal | None) -> CallReport:
    trouble = got.trouble
    return CallReport(
        purpose=question.purpose,
        state=CallState.FAILED,
        sent=trouble.meaning is not Meaning.NOT_SENT,
        cost=worst if trouble.may_be_billed else Decimal(0),
        latency_ms=got.latency_ms,
        request_id=trouble.request_id,
        http_status=trouble.status,
        error=trouble.summary,
        meaning=trouble.meaning,
        shared=got.shared,
    )
