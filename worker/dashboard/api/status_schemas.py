"""How runs and queues stand, as pydantic models."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from models.vocabulary import Lane, RunKind, RunState
from worker.dashboard.api.schemas import Count, Dollars, Level, PageDocument


class OutlookDocument(BaseModel):
    """Whether a run will be done in time."""

    level: Level
    words: str
    done_at: dt.datetime | None


class RunDocument(BaseModel):
    """A run of a list."""

    run: str
    id: Count
    kind: Annotated[RunKind, Field(description="Shadows and judges answer nobody.")]
    state: RunState
    state_reason: str | None
    paused_by: Annotated[str, Field(description="rung where it did so itself.")] | None
    paused_at: dt.datetime | None
    waiting_for: str | None
    accepting: bool
    policy: str
    policy_version: str
    lane: Lane
    priority: int
    total: Count
    ended: Count
    by_state: dict[str, Count]
    by_tier: dict[str, Count]
    by_verdict: Annotated[dict[str, Count], Field(description="Of those in review, by verdict.")]
    for_people: Annotated[int, Field(description="Of those in review, without a verdict.")]
    escalations: Count
    calls: Count
    spent_usd: Dollars
    reserved_usd: Dollars
    budget_usd: Dollars | None
    budget_left_usd: Annotated[Dollars, Field(description="Neither spent nor reserved.")] | None
    budget_warned_percent: Annotated[Count, Field(description="The last that was warned of.")]
    enough_usd: (
        Annotated[Dollars, Field(description="A budget that would do, of one that waits.")] | None
    )
    likely_usd: (
        Annotated[
            Dollars, Field(description="What all of it is likely to cost, of one that waits.")
        ]
        | None
    )
    rejected: Count
    duplicates: Count
    simulated: bool
    created_at: dt.datetime
    deadline: dt.datetime | None
    finished_at: dt.datetime | None
    prompts: dict[str, str] | None


class EscalationDocument(BaseModel):
    """Steps up, by reason."""

    from_tier: str
    to_tier: str
    reason: str
    escalations: Count


class LiveRunDocument(RunDocument):
    """A run under way."""

    outlook: OutlookDocument


class BatchesDocument(BaseModel):
    """Message Batches under way together."""

    batches: Count
    messages: Count
    oldest_since: Annotated[dt.datetime, Field(description="When Claude got the oldest.")] | None
    next_look_s: Annotated[float, Field(description="Until one is looked at.")] | None
    words: Annotated[str, Field(description="In a sentence; empty where there are none.")]


class BatchDocument(BaseModel):
    """A Message Batch under way."""

    batch: Count
    state: str
    stage: str
    tier: str | None
    requests: Count
    error: str | None
    submitted_at: dt.datetime | None
    age_s: float
    external_id: str | None
    look_s: Annotated[float, Field(description="Until its next look.")]


class RunDetailDocument(LiveRunDocument):
    """One run."""

    troubles: Annotated[list[str], Field(description="Why queues stand still or are slow.")]
    batches: list[BatchDocument]
    batches_under_way: BatchesDocument
    escalations_by_reason: list[EscalationDocument]


class QueueDocument(BaseModel):
    """A queue, with its tier."""

    queue: str
    waiting: int
    in_flight: Count
    in_batches: Annotated[Count, Field(description="Messages in Message Batches.")]
    workers: Count
    done_a_minute: float | None
    oldest_wait_s: Annotated[float, Field(description="For a budget too.")] | None
    state: Annotated[str, Field(description="How it stands, in a word: ok when it goes on.")]
    limit_used: Annotated[float, Field(description="Share of the nearest limit, 0 to 1.")] | None
    paused: Annotated[bool, Field(description="Alone, or with everything.")]
    paused_reason: str | None
    paused_by: Annotated[str, Field(description="rung where it did so itself.")] | None
    paused_at: dt.datetime | None
    failed_jobs: Annotated[
        list[Count], Field(description="Jobs whose answers its canary failed on.")
    ]
    breaker: Literal["closed", "open", "half_open"]
    breaker_until: dt.datetime | None
    breaker_reason: str | None
    held_s: Annotated[float, Field(description="Until Claude may be asked again.")]
    held_at: dt.datetime | None
    held_reason: str | None
    trial_good: (
        Annotated[
            Count,
            Field(
                description="Calls of a new prompt, schema or model that have gone well, while"
                " these are tried and all others wait; null while nothing is on trial."
            ),
        ]
        | None
    )
    trial_bad: Annotated[Count, Field(description="Those of them that have failed.")] | None


class HeadlineDocument(BaseModel):
    """The first page's sentence."""

    level: Level
    words: str


class TroubleDocument(HeadlineDocument):
    """What is wrong, and the button that helps."""

    help: Annotated[str, Field(description="What the button that helps says.")] | None
    href: Annotated[str, Field(description="The page that helps.")] | None
    more: Annotated[
        list[tuple[str, str]], Field(description="Further links: what each says, its page.")
    ]


class DayDocument(BaseModel):
    """The day's budget."""

    day: str
    budget_usd: Dollars | None
    spent_usd: Dollars
    reserved_usd: Dollars


class StatusDocument(BaseModel):
    """How it all stands."""

    simulated: bool
    headline: HeadlineDocument
    troubles: list[TroubleDocument]
    everything_paused: str | None
    queues: list[QueueDocument]
    batches_under_way: BatchesDocument
    runs: list[LiveRunDocument]
    day: DayDocument | None


class RunsDocument(PageDocument):
    """A page of runs."""

    runs: list[RunDocument]
