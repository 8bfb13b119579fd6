"""What is asked only to know more of a run's answers: whether a stronger tier finds them right."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row

from models.vocabulary import Lane, RunKind
from worker.config.settings import Settings
from worker.domain.policy import Policy, from_document
from worker.domain.proof.tier_judge import judge_policy
from worker.errors import UsageError
from worker.store.actions.inquiries import ask_about, hand_over
from worker.store.audit import Actor, audit
from worker.store.runs import NewRun, RunRef, close_intake, create_run


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRequest:
    """Which tier judges, of what it passes which share people see all the same, and what it may
    cost in dollars; None means as configured."""

    tier: str
    passes: Decimal | None = None
    max_cost: Decimal | None = None


def ask_judge(
    connection: Connection, settings: Settings, actor: Actor, run: Row[Any], request: JudgeRequest
) -> tuple[RunRef, int]:
    """Makes the run in the batch lane that judges what was drawn of `run`, and says of how many.
    Raises UsageError where the tier is none of the ladder, or nothing below it waits."""
    policy = from_document(run.policy)
    ladder = policy.ladder
    if request.tier not in ladder or request.tier == ladder[0]:
        raise UsageError(
            f"{request.tier!r} cannot judge run {run.name}: it takes a tier above the cheapest of"
            f" its ladder, {', '.join(ladder)}.",
            mend=f"rung audit {run.name} --by {ladder[-1]}",
        )
    judging = create_run(connection, _judging(settings, run, policy, request))
    below = ladder[: ladder.index(request.tier)]
    passes = request.passes if request.passes is not None else settings.audit.passes
    jobs = hand_over(connection, run.id, below, passes)
    if not jobs:
        raise UsageError(
            f"Nothing that was drawn of run {run.name} below {request.tier} waits for a verdict.",
            mend=f"rung audit {run.name} --share 2% draws more",
        )
    ask_about(connection, judging, request.tier, jobs)
    close_intake(connection, judging, 0, 0)
    told = {"by": request.tier, "run": judging.name}
    audit(connection, actor, "judge", f"run {run.name}", len(jobs), **told)
    return judging, len(jobs)


def _judging(settings: Settings, run: Row[Any], policy: Policy, request: JudgeRequest) -> NewRun:
    caps = (request.max_cost, settings.audit.budget_usd, settings.budget.per_run_usd)
    return NewRun(
        name=f"{run.name}-judged-by-{request.tier}",
        policy=judge_policy(request.tier, policy),
        lane=Lane.BATCH,
        budget_cap=next((cap for cap in caps if cap is not None), None),
        kind=RunKind.JUDGE,
        parent_id=run.id,
    )
