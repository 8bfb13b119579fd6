"""Reprocessing that pays for the difference: a new threshold or ladder over recorded answers asks
only where a decision changes; what stands is taken over at no cost."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from worker.domain.policy import Policy
from worker.domain.policy_documents import to_document
from worker.domain.proof.changed_decisions import (
    Asks,
    ForPeople,
    RecordedAnswer,
    Stands,
    decision,
)
from worker.domain.wording import listed
from worker.errors import UsageError
from worker.store.actions.taken_over import Copied, TakenOver, copied, write
from worker.store.policies import policies_of_origins
from worker.store.reading.records import recorded_answer
from worker.store.runs import RunRef


@dataclass(slots=True, kw_only=True)
class PaidDifference:
    """Of the new run's jobs: answers taken over, jobs that begin at a tier with a call, and jobs
    that end with a person by what is recorded. `anew` had no recorded answer."""

    taken_over: int = 0
    asked: int = 0
    for_people: int = 0
    anew: int = 0


def take_over(connection: Connection, run: RunRef, policy: Policy) -> PaidDifference:
    """Decides every new job of the run by the record of the job that it is made from. Raises
    UsageError when the policy differs from the recorded ones in more than the record can tell."""
    for recorded in policies_of_origins(connection, run.id):
        _comparable(policy, recorded)
    found = PaidDifference()
    asked = policy.accept.confidence != "off"
    thresholds: dict[str, float | None] = {
        tier: float(policy.accept.threshold_at(tier)) if asked else None for tier in policy.ladder
    }
    for group in copied(connection, run.id):
        written = TakenOver()
        for job in group:
            _decide(found, written, job, policy, thresholds)
        write(connection, run.id, written)
    return found


def _decide(
    found: PaidDifference,
    written: TakenOver,
    job: Copied,
    policy: Policy,
    thresholds: dict[str, float | None],
) -> None:
    answers: list[RecordedAnswer] = [recorded_answer(row) for row in job.answers]
    if not answers:
        found.anew += 1
        return
    start = answers[0].tier if answers[0].tier in policy.ladder else policy.ladder[0]
    match decision(policy.ladder, start, thresholds, answers):
        case Stands(tier, fence):
            found.taken_over += 1
            written.results.append(_result(job, policy, tier, fence, accepted=True))
        case Asks(tier):
            found.asked += 1
            rung = policy.rungs.rung(tier)
            label = job.answers[0].difficulty
            written.begins.append(
                {"job": job.job_id, "tier": tier, "rung": rung, "difficulty": label}
            )
        case ForPeople(fence):
            found.for_people += 1
            tier = next(row.tier for row in job.answers if row.fence == fence)
            written.results.append(_result(job, policy, tier, fence, accepted=False))


def _result(
    job: Copied, policy: Policy, tier: str, fence: int, *, accepted: bool
) -> dict[str, Any]:
    reasons = next(row.reasons for row in job.answers if row.fence == fence)
    threshold = policy.accept.threshold_at(tier) if policy.accept.confidence != "off" else None
    return {
        "job": job.job_id,
        "origin": job.origin_id,
        "fence": fence,
        "accepted": accepted,
        "threshold": threshold,
        "rung": policy.rungs.rung(tier),
        "reason": None if accepted else (reasons[0] if reasons else "low_confidence"),
    }


def _comparable(policy: Policy, before: Policy) -> None:
    """What the record can decide again: thresholds, the ladder and where to climb. Validators,
    schema, the way confidence is asked and where to start are not."""
    new, old = to_document(policy), to_document(before)
    for document in (new, old):
        for name in ("threshold", "thresholds", "certificate", "in_force"):
            document["accept"].pop(name, None)
    differing = [name for name in ("start", "accept") if new[name] != old[name]]
    if policy.accept.certificate is not None:
        differing.append("accept.certificate")
    if differing:
        raise UsageError(
            f"Policy {policy.name!r} differs from {before.name!r} in {listed(differing)}, which the"
            " record cannot decide again: only thresholds, the ladder and where to climb.",
            mend="leave --changed out: everything is answered anew",
        )
