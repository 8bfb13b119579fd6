"""What a claim brings: the job, its message and its past, and the plan for one attempt."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from models.vocabulary import Lane, Purpose, Stage
from worker.domain.answers import ModelAnswer
from worker.domain.messages import MessageText
from worker.domain.next_step import PastAttempt
from worker.domain.policy import Difficulty, Policy


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """An answer attempt that was judged, with what the model said in it."""

    fence: int
    tier: str
    model: str
    reasons: tuple[str, ...]
    decision: str | None
    hint: Mapping[str, Any] | None
    output: str | None
    simulated: bool

    @property
    def past(self) -> PastAttempt:
        """As the engine wants to know it."""
        return PastAttempt(self.tier, self.reasons)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A paid answer whose separate check could not be asked yet, and the attempt it came from."""

    fence: int
    tier: str
    model: str
    answer: ModelAnswer


@dataclass(frozen=True, slots=True)
class Candidate:
    """A ready job, locked, with everything that a plan needs."""

    job_id: int
    run_id: int
    fence: int
    stage: Stage
    lane: Lane
    tier: str | None
    remembered: Difficulty | None
    """Label of an identical text, when this job is to be routed and one is known."""
    failures: int
    deferrals: int
    message: MessageText
    policy: Policy
    policy_version: str
    history: tuple[PastAnswer, ...]
    available_at: dt.datetime
    kept: KeptAnswer | None = None
    """Set when the last attempt brought an answer and could not have it checked."""
    alone: bool = False
    """Whether a routing call shared with other messages did not serve this one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an attempt will do. `purpose` is None when nothing is asked of Claude."""

    purpose: Purpose | None
    tier: str | None
    model: str | None
    worst_cost: Decimal
    call_worst_cost: Decimal
    prompt_version: str | None = None
    schema_version: str | None = None
    effort: str | None = None
    max_tokens: int | None = None
    together: int = 1
    """Messages that its routing call may be shared by."""
    answer_fence: int | None = None
    """Set when only a kept answer is to be checked: the attempt that it came from."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job whose lease is ours, with its plan. `candidate.fence` is the new one."""

    candidate: Candidate
    plan: Plan
