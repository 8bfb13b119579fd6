"""What a claim brings: the job, its message and its past, and the plan for one attempt."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple

from models.vocabulary import ROUTING, Lane, Purpose, Stage
from worker.domain.answers import ModelAnswer
from worker.domain.context import NO_CONTEXT, MessageContext, ShownPassage
from worker.domain.first_tier import Decided
from worker.domain.messages import MessageText
from worker.domain.next_step import PastAttempt
from worker.domain.policy import Difficulty, Policy
from worker.domain.prompts import Prompts


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """A paid answer whose separate check could not be asked yet, and the attempt it came from."""

    fence: int
    tier: str
    model: str
    answer: ModelAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
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
    difficulty: str | None = None
    """The label that routing gave it, once it is routed."""
    alone: bool = False
    """Whether a routing call shared with other messages did not serve this one."""
    message_id: int = 0
    context: MessageContext = NO_CONTEXT
    """What the model is shown beside the message, where it is asked for an answer."""
    knowledge_version: str = ""
    """Of the folders that its passages were looked for in; empty without any."""
    judged: str | None = None
    """The reply that is to be judged, in a run that judges another one's answers."""
    spent: Decimal = Decimal(0)
    """Dollars that earlier attempts came to."""
    prompts: Prompts | None = None
    """Those that the run began with; None in a run that froze none."""
    unready: "Unready | None" = None
    """Why it is not asked now."""
    retrieved: tuple[str, ...] = ()
    """Ids of passages that a retriever found, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One call of an attempt: what is asked of which model, and what it can cost at most, in
    dollars. Versions are those of the attempt's prompt and schema."""

    purpose: Purpose
    tier: str
    model: str
    worst_cost: Decimal
    reserved: Decimal
    """For the whole attempt: this call, and the check that may follow it."""
    prompt_version: str
    schema_version: str
    effort: str | None
    max_tokens: int
    rate: Decimal | None = None
    """Dollars for a million tokens that an answer's model writes; None without a price."""
    together: int = 1
    """Messages that a routing call may be shared by."""
    answer_fence: int | None = None
    """Set when only a kept answer is to be checked: the attempt that it came from."""
    reply: str = ""
    """What a check is asked about."""
    said: int = 0
    """Bytes of what is said to the model in this message's part of the request."""
    most_input: int | None = None
    """Tokens of input that `worst_cost` allows for, where the request is for this message alone."""
    knowledge_version: str = ""
    """Of the pages that an answer may stand on, beside those in its prompt."""
    turns: Sequence[Mapping[str, Any]] | None = field(default=None, repr=False, compare=False)
    """The conversation as it was measured for the worst case, where it is sent within moments."""

    @property
    def queue(self) -> str:
        """Where its job was claimed."""
        return ROUTING if self.purpose is Purpose.CLASSIFY else self.tier

    def check(self, reply: str) -> "Question":
        """The separate check of this one's answer, or of a kept one."""
        worst = self.reserved - self.worst_cost or self.worst_cost
        return replace(
            self, purpose=Purpose.CHECK, worst_cost=worst, reply=reply, most_input=None, turns=None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A question that is not asked: `worst` more dollars after `spent` could pass `most`, what a
    message may cost."""

    tier: str
    worst: Decimal
    spent: Decimal
    most: Decimal


@dataclass(frozen=True, slots=True)
class Unready:
    """A look-up brought nothing, and the model is not asked without it: `reason` is the record's
    word, `why` says it to people."""

    reason: str
    why: str
    for_person: bool


Plan = Decided | Question | Withheld | Unready


class FoundPages(NamedTuple):
    """What was found for a message in its policy's pages, in folders of this version; `at` stands
    for all folders as they were then."""

    passages: tuple[ShownPassage, ...]
    version: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was found out about a message before it is claimed."""

    context: MessageContext
    """Without passages."""
    pages: FoundPages | None = None
    unready: Unready | None = None
    retrieved: tuple[str, ...] = ()
    """Ids of passages that a retriever found, best first."""
    message: MessageText | None = None
    """As it was read for this: a message does not change, so its columns are not read again."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job whose lease is ours, with its plan. `candidate.fence` is the new one."""

    candidate: Candidate
    plan: Plan

    @property
    def attempt(self) -> tuple[int, int]:
        """Which attempt this is: its job, and its fence."""
        return self.candidate.job_id, self.candidate.fence

    @property
    def question(self) -> Question | None:
        """What is asked first; None where nothing is."""
        return self.plan if isinstance(self.plan, Question) else None

    @property
    def reserved(self) -> Decimal:
        """The most that the attempt can cost, in dollars."""
        return self.plan.reserved if isinstance(self.plan, Question) else Decimal(0)
