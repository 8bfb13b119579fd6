"""What follows from a judgement: accept, climb, ask again here, or hand to a person.

Bounded by construction: a step either ends the job, or raises the tier, or is the one `again` that
a reason has at a tier; and `max_attempts` ends whatever is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.domain.endings import Accepted, Again, ClimbTo, ToReview
from worker.domain.judgement import HANDED_OVER, LOW_CONFIDENCE, NOT_COVERED, Judgement
from worker.domain.policy import AGAIN, NEXT, TO_PERSON, TOP, Policy

MAX_TOKENS_FACTOR = 2
MAX_TOLD_FINDINGS = 5


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An answer attempt of this job that was paid for and judged."""

    tier: str
    reasons: tuple[str, ...]


def decide(
    policy: Policy,
    tier: str,
    judgement: Judgement,
    history: Sequence[PastAttempt] = (),
    *,
    critical: str | None = None,
) -> Accepted | ClimbTo | Again | ToReview:
    """The next step of a job whose answer at `tier` was judged. `history` is oldest first;
    `critical` names the rule that marks its message as critical."""
    if judgement.accepted:
        return Accepted(judgement.reply or "", judgement.fields)
    reason = judgement.reasons[0]
    if len(history) + 1 >= policy.climb.max_attempts:
        return ToReview(reason)
    longer = _longer_step(policy, reason) if critical else None
    step = longer or _step_for(policy, reason)
    if step == AGAIN:
        asked_before = any(p.tier == tier and p.reasons[:1] == (reason,) for p in history)
        if not asked_before:
            return Again(_hint(judgement))
        step = policy.climb.otherwise if policy.climb.otherwise != AGAIN else NEXT
    target = _target(policy, tier, step)
    if target is None:
        return ToReview(reason)
    grounds = f"{', '.join(judgement.reasons)}; critical by rule: {critical}" if longer else None
    return ClimbTo(tier=target, rung=policy.rungs.rung(target), reason=reason, detail=grounds)


def _longer_step(policy: Policy, reason: str) -> str | None:
    """What the policy has for critical messages, where it has that."""
    return policy.climb.critical_low_confidence if reason == LOW_CONFIDENCE else None


def _step_for(policy: Policy, reason: str) -> str:
    climb, family = policy.climb, reason.partition(":")[0]
    named = climb.by_reason.get(reason) or climb.by_reason.get(family)
    # A higher tier is shown the same pages, and a matter for people is one for people there too.
    return named or (TO_PERSON if reason in (HANDED_OVER, NOT_COVERED) else climb.otherwise)


def _target(policy: Policy, tier: str, step: str) -> str | None:
    """A tier above this one, or None when there is none to climb to."""
    rungs = policy.rungs
    if step == TO_PERSON:
        return None
    if step == NEXT:
        return rungs.above(tier)
    wanted = rungs.top if step == TOP else step
    return wanted if rungs.rung(wanted) > rungs.rung(tier) else None


def _hint(judgement: Judgement) -> Mapping[str, Any]:
    if judgement.reasons[0] == "truncated":
        return {"max_tokens_factor": MAX_TOKENS_FACTOR}
    told = [f"{finding.validator}: {finding.finding}" for finding in judgement.findings]
    return {"findings": told[:MAX_TOLD_FINDINGS] or [judgement.reasons[0]]}
