"""What follows from a judgement: accept, climb, ask again here, or hand to a person.

Bounded by construction: a step either ends the job, or raises the tier, or is the one `again` that
a reason has at a tier; and `max_attempts` ends whatever is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.domain.judgement import LOW_CONFIDENCE, Judgement
from worker.domain.policy import AGAIN, NEXT, TO_PERSON, TOP, Policy

MAX_TOKENS_FACTOR = 2
MAX_TOLD_FINDINGS = 5


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An answer attempt of this job that was paid for and judged."""

    tier: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer is the job's result."""


@dataclass(frozen=True, slots=True)
class Climbed:
    """On to a higher tier, because of `reason`."""

    tier: str
    reason: str


@dataclass(frozen=True, slots=True)
class AskAgain:
    """The same tier once more, told something: findings to mend, or room for more tokens."""

    reason: str
    hint: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HandOver:
    """No rung does better, or the policy says so: a person must look."""

    reason: str


Decision = Accepted | Climbed | AskAgain | HandOver


def decide(
    policy: Policy,
    tier: str,
    judgement: Judgement,
    history: tuple[PastAttempt, ...] = (),
    *,
    critical: bool = False,
) -> Decision:
    """The next step of a job whose answer at `tier` was judged. `history` is oldest first."""
    if judgement.accepted:
        return Accepted()
    reason = judgement.reasons[0]
    if len(history) + 1 >= policy.climb.max_attempts:
        return HandOver(reason)
    step = _step_for(policy, reason, critical)
    if step == AGAIN:
        asked_before = any(p.tier == tier and p.reasons[:1] == (reason,) for p in history)
        if not asked_before:
            return AskAgain(reason, _hint(judgement))
        step = policy.climb.otherwise if policy.climb.otherwise != AGAIN else NEXT
    target = _target(policy, tier, step)
    return Climbed(target, reason) if target is not None else HandOver(reason)


def _step_for(policy: Policy, reason: str, critical: bool) -> str:
    climb = policy.climb
    if critical and reason == LOW_CONFIDENCE and climb.critical_low_confidence is not None:
        return climb.critical_low_confidence
    family = reason.partition(":")[0]
    return climb.by_reason.get(reason) or climb.by_reason.get(family) or climb.otherwise


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
