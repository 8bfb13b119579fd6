"""The rows that a group of reports becomes, for `record` to write in one transaction."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from models.vocabulary import INQUIRIES, OPEN_STATES, PERSON, AttemptOutcome, JobState
from worker.domain.endings import (
    Accepted,
    Again,
    BestEffort,
    ClimbTo,
    Deferred,
    Failed,
    Lost,
    ToReview,
)
from worker.domain.reports import AttemptReport
from worker.store.queue import audits, canaries, judgements, ledger
from worker.store.queue.changes import change_of, lane_change

NOTHING_USABLE = {"state": JobState.CANCELLED, "reason": "said nothing usable", "escalations": 0}
"""Where a run that only asks to know more got no answer: nobody has to look at that."""


@dataclass(slots=True, kw_only=True)
class Group:
    """The rows that one transaction writes, gathered from its reports."""

    jobs: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    escalations: list[dict[str, Any]] = field(default_factory=list)
    halts: dict[str, str] = field(default_factory=dict)
    drawn: list[dict[str, Any]] = field(default_factory=list)
    trials: list[dict[str, Any]] = field(default_factory=list)
    judgements: list[dict[str, Any]] = field(default_factory=list)
    books: ledger.Books = field(default_factory=ledger.Books)


def add_report(group: Group, report: AttemptReport, row: Row[Any]) -> None:
    """Adds one report's rows. `row` is its attempt and job, locked."""
    ending, is_open = report.ending, row.state in OPEN_STATES
    late = row.outcome == AttemptOutcome.LOST
    if late and isinstance(ending, Lost | Deferred | Failed):
        # Rescue has already counted this failure; only the money may be known better by now.
        _correct_cost(group, report, row)
        return
    cost = group.books.settle(report, row, late=late)
    ours = row.job_fence == report.fence
    took = is_open and (ours or isinstance(ending, Accepted))
    outcome = report.outcome
    if not is_open and outcome is not AttemptOutcome.LOST:
        outcome = AttemptOutcome.SUPERSEDED
    group.attempts.append(attempt_row(report, outcome, cost))
    if trial := canaries.heard(report, row):
        group.trials.append(trial)
    change = {
        "id": report.job_id,
        "unlease": ours,
        "cost": cost - (row.attempt_cost if late else 0),
    }
    if took:
        change |= change_of(ending, failures=row.failures, counted=late)
        change |= lane_change(ending, row.run_lane)
        group.judgements += judgements.judgement(report, row)
        if isinstance(ending, ToReview) and row.kind in INQUIRIES:
            change |= NOTHING_USABLE
        else:
            _add_side_rows(group, report, row)
    group.jobs.append(change)


def _correct_cost(group: Group, report: AttemptReport, row: Row[Any]) -> None:
    """A lost attempt stays lost, at what its calls turned out to cost."""
    cost = group.books.settle(report, row, late=True)
    if cost != row.attempt_cost:
        lost = replace(report, outcome=AttemptOutcome.LOST, ending=Lost())
        group.attempts.append(attempt_row(lost, AttemptOutcome.LOST, cost))
        group.jobs.append({"id": report.job_id, "cost": cost - row.attempt_cost})


def _add_side_rows(group: Group, report: AttemptReport, row: Row[Any]) -> None:
    """Results, escalations and pauses that come with an ending."""
    match report.ending:
        case Accepted(reply, fields):
            group.results.append(result_row(report, row, reply, fields))
            group.drawn += audits.chance(report, row)
        case ClimbTo(tier=tier, rung=_, reason=reason, detail=detail):
            _escalate(group, report, row, tier, reason, detail)
        case ToReview(reason, best):
            _escalate(group, report, row, PERSON, reason, None)
            if best is not None:
                group.results.append(best_effort_row(report, best))
            group.drawn += audits.chance(report, row)
        case Deferred(_, reason, str() as halts):
            group.halts[halts] = reason
        case _:
            pass


def _escalate(
    group: Group, report: AttemptReport, row: Row[Any], to: str, reason: str, detail: str | None
) -> None:
    step = {
        "job_id": report.job_id,
        "fence": report.fence,
        "run_id": row.run_id,
        "from_tier": row.attempt_tier,
        "to_tier": to,
        "reason": reason,
        "detail": detail or ", ".join(report.reasons),
    }
    group.escalations.append(step)


def attempt_row(report: AttemptReport, outcome: AttemptOutcome, cost: Decimal) -> dict[str, Any]:
    """How an attempt is closed."""
    hint = report.ending.hint if isinstance(report.ending, Again) else None
    return {
        "job_id": report.job_id,
        "fence": report.fence,
        "outcome": outcome,
        "reasons": list(report.reasons),
        "findings": [
            {"validator": f.validator, "severity": f.severity, "finding": f.finding}
            for f in report.findings
        ],
        "difficulty": report.difficulty,
        "rule": report.rule,
        "confidence": report.confidence,
        "threshold": report.threshold,
        "score": report.standing.score if report.standing else None,
        "standard": report.standing.standard if report.standing else None,
        "certificate_id": report.standing.certificate if report.standing else None,
        "decision": report.ending.word,
        "hint": hint,
        "cost": cost,
    }


def result_row(report: AttemptReport, row: Row[Any], reply: str, fields: Any) -> dict[str, Any]:
    """The accepted answer of an attempt; `row` is the attempt as it was claimed."""
    return {
        "job_id": report.job_id,
        "fence": report.fence,
        "reply": reply,
        "fields": fields,
        "tier": row.attempt_tier,
        "model": row.model,
        "accepted": True,
        "confidence": report.confidence,
        "reasons": list(report.reasons),
        "simulated": any(call.simulated for call in report.calls),
        "certificate_id": report.standing.certificate if report.standing else None,
    }


def best_effort_row(report: AttemptReport, best: BestEffort) -> dict[str, Any]:
    """What a person is given to work with."""
    return {
        "job_id": report.job_id,
        "fence": best.fence,
        "reply": best.reply,
        "fields": best.fields,
        "tier": best.tier,
        "model": best.model,
        "accepted": False,
        "confidence": best.confidence,
        "reasons": list(best.reasons),
        "simulated": best.simulated,
    }
