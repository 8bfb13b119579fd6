"""The rows that a report becomes: pure, for `record` to write."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from models.vocabulary import AttemptOutcome
from worker.domain.endings import Again, BestEffort
from worker.domain.reports import AttemptReport


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
