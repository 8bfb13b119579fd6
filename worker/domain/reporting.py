"""What happened, put as reports for the recorder: in the same words for every lane."""

from decimal import Decimal

from models.vocabulary import (
    EVERYTHING,
    ROUTING,
    AttemptOutcome,
    CallState,
    Lane,
    Purpose,
    Stage,
)
from worker.domain.answers import Answer, ModelAnswer, Troubled, parse_object, storable
from worker.domain.attempts import Claimed
from worker.domain.judgement import Judgement
from worker.domain.pricing import Price
from worker.domain.reports import (
    AttemptReport,
    BestEffort,
    CallReport,
    Dead,
    Deferred,
    Ending,
    Failed,
    RoutedTo,
)
from worker.domain.trouble import Defer, Die, Fail, Halt, Meaning, Trouble, follow_up


def best_effort(
    claimed: Claimed, judgement: Judgement, calls: tuple[CallReport, ...]
) -> BestEffort | None:
    """This attempt's reply, or else the latest earlier one that a person could use."""
    candidate, plan = claimed.candidate, claimed.plan
    if judgement.reply:
        return BestEffort(
            candidate.fence,
            judgement.reply,
            judgement.fields,
            plan.tier or "",
            plan.model or "",
            judgement.confidence,
            judgement.reasons,
            any(call.simulated for call in calls),
        )
    for past in reversed(candidate.history):
        document = parse_object(past.output or "")
        reply = document.get("reply") if document else None
        if isinstance(reply, str) and reply.strip():
            return BestEffort(
                past.fence,
                reply,
                {},
                past.tier,
                past.model,
                None,
                past.reasons,
                past.simulated,
            )
    return None


def check_answer(got: Answer | Troubled) -> ModelAnswer:
    """A check that brought nothing leaves confidence unreadable, which is LOW."""
    return got.answer if isinstance(got, Answer) else ModelAnswer("", "check failed")


def answered_call(purpose: Purpose, got: Answer, price: Price | None) -> CallReport:
    lane = Lane.BATCH if got.service_tier == "batch" else Lane.REALTIME
    rates = price.rates(got.usage.total_input, lane) if price is not None else None
    return CallReport(
        purpose,
        CallState.DONE,
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
    )


def troubled_call(purpose: Purpose, got: Troubled, worst: Decimal | None) -> CallReport:
    trouble = got.trouble
    return CallReport(
        purpose,
        CallState.FAILED,
        sent=trouble.meaning is not Meaning.NOT_SENT,
        cost=worst if trouble.may_be_billed else Decimal(0),
        latency_ms=got.latency_ms,
        request_id=trouble.request_id,
        http_status=trouble.status,
        error=trouble.summary,
        meaning=trouble.meaning,
    )


def routed(
    claimed: Claimed,
    tier: str,
    difficulty: str | None,
    calls: tuple[CallReport, ...],
    rule: str | None,
) -> AttemptReport:
    candidate = claimed.candidate
    return AttemptReport(
        candidate.job_id,
        candidate.fence,
        AttemptOutcome.ROUTED,
        RoutedTo(tier, candidate.policy.rungs.rung(tier), difficulty),
        calls,
        () if difficulty is not None or not calls else ("unknown label",),
        difficulty=difficulty,
        rule=rule,
    )


def troubled_report(
    claimed: Claimed, trouble: Trouble, calls: tuple[CallReport, ...], jitter: float
) -> AttemptReport:
    """What follows from trouble with a call. `jitter` is 0 to 1."""
    candidate = claimed.candidate
    step = follow_up(trouble, candidate.failures, candidate.deferrals, jitter)
    ending: Ending
    outcome = AttemptOutcome.DEFERRED
    match step:
        case Defer(delay_s, reason):
            ending = Deferred(delay_s, reason)
        case Halt(delay_s, reason, everything):
            queue = ROUTING if candidate.stage is Stage.ROUTE else claimed.plan.tier
            ending = Deferred(delay_s, reason, EVERYTHING if everything else queue)
        case Fail(delay_s, reason):
            ending, outcome = Failed(delay_s, reason), AttemptOutcome.FAILED
        case Die(reason):
            ending, outcome = Dead(reason), AttemptOutcome.FAILED
    return AttemptReport(candidate.job_id, candidate.fence, outcome, ending, calls, (trouble.kind,))


def not_sent(claimed: Claimed, reason: str) -> AttemptReport:
    assert claimed.plan.purpose is not None, "only a call can be held back"
    return AttemptReport(
        claimed.candidate.job_id,
        claimed.candidate.fence,
        AttemptOutcome.DEFERRED,
        Deferred(0, reason),
        (CallReport(claimed.plan.purpose, CallState.FAILED, sent=False),),
        ("not sent",),
    )


def failed_inside(claimed: Claimed, error: Exception, jitter: float) -> AttemptReport:
    trouble = Trouble(Meaning.UNKNOWN, f"internal error ({type(error).__name__})")
    step = follow_up(trouble, claimed.candidate.failures, 0, jitter)
    ending = Dead(step.reason) if isinstance(step, Die) else Failed(60, step.reason)
    calls: tuple[CallReport, ...] = ()
    if claimed.plan.purpose is not None:
        calls = (
            CallReport(
                claimed.plan.purpose,
                CallState.LOST,
                cost=claimed.plan.call_worst_cost,
                error=trouble.summary,
            ),
        )
    return AttemptReport(
        claimed.candidate.job_id,
        claimed.candidate.fence,
        AttemptOutcome.FAILED,
        ending,
        calls,
        (trouble.kind,),
    )
