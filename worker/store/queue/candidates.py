"""Candidates: what a planner is shown of a ready job, from the row that locked it."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Row

from models.vocabulary import Lane, Stage
from worker.domain.claimed import Candidate, Prepared, Unready
from worker.domain.context import NO_CONTEXT, of_row
from worker.domain.messages import MessageText
from worker.domain.policy import Policy
from worker.store.policies import Frozen
from worker.store.queue.history import Past
from worker.store.rows import message_of

NOTHING = Prepared(context=NO_CONTEXT)
LOOKUP = "lookup"
"""Before the colon of a reason: what follows is the look-up that brought nothing."""


def candidate_of(
    row: Row[Any], frozen: Frozen, past: Past, found: Prepared | None = None
) -> Candidate:
    """From a row as `LOCK_READY` gives it; `fence` is that of before the claim. `found` is what the
    model is shown, where more than the row had to be asked for it; what pages held counts as long
    as the folders are as they were."""
    stage = Stage.ROUTE if row.state == "queued" else Stage.ANSWER
    message = (found and found.message) or message_of(row)
    if found is None:
        found = _of_row(frozen.policy, message) if stage is Stage.ANSWER else NOTHING
    pages = found.pages
    if pages is not None and pages.at != row.pages_at:
        pages = None
    return Candidate(
        job_id=row.id,
        run_id=row.run_id,
        fence=row.fence + 1,
        stage=stage,
        lane=Lane(row.lane),
        tier=row.tier,
        remembered=row.remembered,
        failures=row.failures,
        deferrals=row.deferrals,
        message=message,
        policy=frozen.policy,
        policy_version=frozen.version,
        history=past.answers,
        available_at=row.available_at,
        kept=past.kept,
        difficulty=row.difficulty,
        alone=past.alone,
        message_id=row.message_id,
        context=replace(found.context, passages=pages.passages) if pages else found.context,
        knowledge_version=pages.version if pages else "",
        unready=found.unready,
        retrieved=found.retrieved,
        prompts=frozen.prompts,
        judged=row.judged,
        spent=row.spent,
    )


def _of_row(policy: Policy, message: MessageText) -> Prepared:
    lookups = policy.context.lookups
    unasked = Unready(f"{LOOKUP}:{lookups[0]}", UNASKED, False) if lookups else None
    return Prepared(context=of_row(policy.context, message), unready=unasked)


UNASKED = "its look-ups were not asked before it was claimed"
