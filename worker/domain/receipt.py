"""The receipt of a job: every attempt in order, with what was asked, said, decided and paid."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from models.vocabulary import CallState
from worker.domain.bill import lane_effect
from worker.domain.trouble import label_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptCall:
    """One call of an attempt, as the ledger has it. Money is dollars; `price` those of a million
    tokens, as text; `output` what Claude wrote."""

    job_id: int
    fence: int
    purpose: str
    state: str
    tier: str
    model: str
    lane: str
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    worst_cost: Decimal
    cost: Decimal | None
    price: Mapping[str, str] | None
    unpriced: bool
    latency_ms: int | None
    stop_reason: str | None
    stop_category: str | None
    request_id: str | None
    http_status: int | None
    error: str | None
    service_tier: str | None
    simulated: bool
    output: str | None
    shared: int
    sent_at: dt.datetime
    finished_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptStep:
    """A climb, and why."""

    fence: int
    from_tier: str
    to_tier: str
    reason: str
    detail: str | None
    at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPiece:
    """What the model was shown beside the message; a piece of a page has a version."""

    id: str
    text: str | None
    version: str | None = None
    why_empty: str | None = None
    """Of a look-up that brought nothing: why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptAttempt:
    """One attempt: what decided, how sure it was against what was asked, what it led to, and its
    calls. `pages` says in words how it was shown the team's pages."""

    fence: int
    stage: str
    tier: str | None
    model: str | None
    lane: str
    outcome: str
    decision: str | None
    reasons: Sequence[str]
    findings: Sequence[Mapping[str, str]] | None
    difficulty: str | None
    rule: str | None
    confidence: Decimal | None
    threshold: Decimal | None
    score: Decimal | None
    standard: Decimal | None
    certificate_id: int | None
    policy_version: str | None
    prompt_version: str | None
    schema_version: str | None
    knowledge_version: str | None
    effort: str | None
    max_tokens: int | None
    hint: Any
    answer_fence: int | None
    reserved: Decimal
    cost: Decimal
    worker: str | None
    available_at: dt.datetime
    claimed_at: dt.datetime
    finished_at: dt.datetime | None
    waited_s: float
    took_s: float | None
    context_digest: str | None
    pages: str | None = None
    calls: Sequence[ReceiptCall] = ()
    escalation: ReceiptStep | None = None
    context: Sequence[ShownPiece] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptResult:
    """The answer that is kept: accepted, or the best effort."""

    job_id: int
    fence: int
    reply: str | None
    fields: Mapping[str, Any]
    tier: str
    model: str
    accepted: bool
    confidence: Decimal | None
    reasons: Sequence[str]
    simulated: bool
    created_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptReview:
    """A person's verdict; a later one counts, not an earlier one."""

    verdict: str
    reply: str | None
    reason: str | None
    reviewer: str
    at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Everything that is known of a job. `policy` is as its run froze it, `critical_by` its rule
    that marks the message as critical; `total_usd` is the sum of the calls."""

    job: int
    run_id: int
    run: str
    source: str
    external_id: str
    state: str
    tier: str | None
    lane: str
    run_lane: str
    difficulty: str | None
    escalations: int
    failures: int
    deferrals: int
    cost_usd: Decimal
    reason: str | None
    created_at: dt.datetime
    finished_at: dt.datetime | None
    policy_name: str
    policy_version: str
    policy: Mapping[str, Any]
    channel: str | None
    customer_id: str | None
    language: str | None
    received_at: dt.datetime | None
    subject: str | None
    body: str | None
    metadata: Mapping[str, Any] | None
    erased_at: dt.datetime | None = None
    """When its text was erased, here and with every other job of the message."""
    critical_by: str | None = None
    attempts: Sequence[ReceiptAttempt] = ()
    result: ReceiptResult | None = None
    reviews: Sequence[ReceiptReview] = ()
    total_usd: Decimal | int = 0
    simulated: bool = False

    @property
    def calls(self) -> Iterator[ReceiptCall]:
        """Of all attempts, in order."""
        return (call for attempt in self.attempts for call in attempt.calls)

    @property
    def lanes(self) -> tuple[Decimal, Decimal]:
        """Dollars that batches saved on this job, and that leaving them for the deadline cost."""
        done = [call for call in self.calls if call.state == CallState.DONE]
        return lane_effect([(one.lane, one.cost or Decimal(0)) for one in done], self.run_lane)

    def as_document(self) -> dict[str, Any]:
        """As commands and the API give it."""
        found = asdict(self)
        for attempt in found["attempts"]:
            for piece in attempt["context"]:
                if piece["version"] is None:
                    del piece["version"]
        return found

    def hidden(self, mask: str | None = None) -> "Receipt":
        """Without what the customer wrote, what was written back, and hints and words of errors,
        which may quote either; a finding holds no text of a customer's. `mask` stands where
        something was."""
        result = self.result
        if result is not None:
            result = replace(result, reply=mask, fields={})
        return replace(
            self,
            subject=mask if self.subject is not None else None,
            body=mask if self.body is not None else None,
            metadata={},
            attempts=[_hidden(attempt, mask) for attempt in self.attempts],
            result=result,
            reviews=[
                replace(one, reply=mask if one.reply is not None else None) for one in self.reviews
            ],
        )


def _hidden(attempt: ReceiptAttempt, mask: str | None) -> ReceiptAttempt:
    calls = [
        replace(
            call,
            output=mask if call.output is not None else None,
            error=label_of(call.error) if call.error else None,
        )
        for call in attempt.calls
    ]
    context = [replace(piece, text=mask) for piece in attempt.context]
    hint = mask if attempt.hint is not None else None
    return replace(attempt, hint=hint, calls=calls, context=context)
