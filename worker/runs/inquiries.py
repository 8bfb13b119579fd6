"""What is asked only to know more of a run's answers: whether a stronger tier finds them right, and
what the tiers that were not needed would have said."""

from dataclasses import dataclass, replace
from decimal import Decimal
from shlex import quote

from sqlalchemy import Connection

from models.vocabulary import Lane, RunKind
from worker.claude.prompts import prompts_of
from worker.config.settings import Settings
from worker.domain.policy import Policy
from worker.domain.policy_documents import from_document
from worker.domain.proof.tier_judge import judge_policy, shadow_policy
from worker.errors import UsageError
from worker.store.actions.audits import raise_shadows
from worker.store.actions.inquiries import ask_about, hand_over, unasked
from worker.store.audit import Actor, audit
from worker.store.new_runs import NewRun, create_run
from worker.store.prompts import frozen
from worker.store.queue.run_intake import close_intake, inherit_columns
from worker.store.runs import RunRef, StoredRun


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRequest:
    """Which tier judges, of what it passes which share people see all the same, and what it may
    cost in dollars; None means as configured."""

    tier: str
    passes: Decimal | None = None
    max_cost: Decimal | None = None


def ask_judge(
    connection: Connection, settings: Settings, actor: Actor, run: StoredRun, request: JudgeRequest
) -> tuple[RunRef, int]:
    """Makes the run in the batch lane that judges what was drawn of `run`, and says of how many.
    Raises UsageError where the tier is none of the ladder, or nothing below it waits."""
    policy = from_document(run.policy)
    ladder = policy.ladder
    if request.tier not in ladder or request.tier == ladder[0]:
        raise UsageError(
            f"{request.tier!r} cannot judge run {run.name}: it takes a tier above the cheapest of"
            f" its ladder, {', '.join(ladder)}.",
            mend=f"rung audit {quote(run.name)} --by {ladder[-1]}",
        )
    judging = create_run(connection, _judging(settings, run, policy, request))
    below = ladder[: ladder.index(request.tier)]
    passes = request.passes if request.passes is not None else settings.audit.passes
    jobs = hand_over(connection, run.id, below, passes)
    if not jobs:
        raise UsageError(
            f"Nothing that was drawn of run {run.name} below {request.tier} waits for a verdict.",
            mend=f"to draw more: rung audit {quote(run.name)} --share 2%",
        )
    ask_about(connection, judging, request.tier, jobs)
    close_intake(connection, judging, 0, 0)
    inherit_columns(connection, judging, [run.id])
    told = {"by": request.tier, "run": judging.name}
    audit(connection, actor, "judge", f"run {run.name}", len(jobs), **told)
    return judging, len(jobs)


def ask_shadows(
    connection: Connection,
    settings: Settings,
    actor: Actor,
    run: StoredRun,
    share: Decimal,
    max_cost: Decimal | None,
) -> list[tuple[RunRef, int]]:
    """Draws `share` of the run's messages, and asks every tier that was not needed for them, each
    in a batch run of its own whose answers people judge all. `max_cost` is for each. Returns the
    runs with their numbers of messages."""
    raise_shadows(
        connection, RunRef(id=run.id, name=run.name, lane=run.lane, priority=run.priority), share
    )
    return ask_unasked(connection, settings, actor, run, max_cost)


def ask_unasked(
    connection: Connection,
    settings: Settings,
    actor: Actor,
    run: StoredRun,
    max_cost: Decimal | None,
) -> list[tuple[RunRef, int]]:
    """Asks every tier that was not needed about the shadows that are drawn, as `ask_shadows`; none
    that the configuration no longer has, for nobody would answer."""
    policy, prompts = from_document(run.policy), frozen(connection, run.prompts)
    made = []
    for tier in policy.ladder:
        jobs = unasked(connection, run.id, tier) if tier in settings.tiers else []
        if jobs:
            new = _shadowing(settings, run, shadow_policy(tier, policy), max_cost)
            asking = create_run(connection, replace(new, prompts=prompts))
            ask_about(connection, asking, tier, jobs)
            close_intake(connection, asking, 0, 0)
            inherit_columns(connection, asking, [run.id])
            made.append((asking, len(jobs)))
    asked = sum(number for _, number in made)
    told = {"runs": [one.name for one, _ in made]}
    audit(connection, actor, "shadow", f"run {run.name}", asked, **told)
    return made


def _shadowing(
    settings: Settings, run: StoredRun, policy: Policy, max_cost: Decimal | None
) -> NewRun:
    return NewRun(
        name=f"{run.name}-shadow-{policy.ladder[0]}",
        policy=policy,
        lane=Lane.BATCH,
        budget_cap=_cap(settings, max_cost),
        kind=RunKind.SHADOW,
        parent_id=run.id,
        audit_share=Decimal(1),
    )


def _cap(settings: Settings, max_cost: Decimal | None) -> Decimal | None:
    caps = (max_cost, settings.audit.budget_usd, settings.budget.per_run_usd)
    return next((cap for cap in caps if cap is not None), None)


def _judging(settings: Settings, run: StoredRun, policy: Policy, request: JudgeRequest) -> NewRun:
    return NewRun(
        name=f"{run.name}-judged-by-{request.tier}",
        policy=judge_policy(request.tier, policy),
        prompts=prompts_of(settings, policy),
        lane=Lane.BATCH,
        budget_cap=_cap(settings, request.max_cost),
        kind=RunKind.JUDGE,
        parent_id=run.id,
    )
