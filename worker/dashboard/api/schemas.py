"""What comes out, as pydantic models: the description is made of them, and tests hold every answer
to them. Answers name their fields and may grow more."""

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Count = Annotated[int, Field(ge=0)]
Dollars = Annotated[float, Field(description="US dollars")]
Level = Literal["good", "calm", "warn", "bad"]
Anything = dict[str, Any]


class ProblemDocument(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    mend: Annotated[str, Field(description="What fixes it: a command or an edit.")] = ""


class SessionDocument(BaseModel):
    """Who asks."""

    user: str
    role: Literal["viewer", "operator"]
    via: Literal["session", "proxy", "token", "loopback"]
    csrf_token: Annotated[str, Field(description="Send it as X-CSRF-Token with every change.")]


class SideDocument(BaseModel):
    """What one of two runs came to, over the messages that have ended in both."""

    run: str
    answered: Count
    by_tier: dict[str, Count]
    confidence: Annotated[float, Field(description="Its mean.")] | None
    cost_usd: Dollars


class DifferenceDocument(BaseModel):
    """The second run less the first, for each message, and the 95 % interval around it."""

    pairs: Count
    b_less_a: float
    low: float
    high: float


class VerdictsDocument(BaseModel):
    """Pairs of which people judged both answers, by which are right."""

    both: Count
    only_a: Count
    only_b: Count
    neither: Count


class ComparisonDocument(BaseModel):
    """Two runs on the same messages."""

    messages: Count
    unfinished: Annotated[int, Field(description="Not ended in both, and left out.")]
    a: SideDocument
    b: SideDocument
    answered: Annotated[DifferenceDocument, Field(description="Of the share.")] | None
    cost_usd: DifferenceDocument | None
    right: Annotated[DifferenceDocument, Field(description="Of the share, judged blind.")] | None
    judged: Count
    verdicts: VerdictsDocument
    simulated: bool
    sentence: str


class WorkerDocument(BaseModel):
    """A worker process."""

    id: str
    host: str
    pid: Count
    version: str
    capacity: Anything
    in_flight: Anything
    stopping: bool
    alive: bool
    started_at: dt.datetime
    seen_at: dt.datetime
    last_claim_at: dt.datetime | None
    now: Annotated[dt.datetime, Field(description="The database's time.")]


class AuditEventDocument(BaseModel):
    """Who did what."""

    id: Count
    at: dt.datetime
    actor: str
    action: str
    target: str
    affected: int
    detail: Anything
    now: Annotated[dt.datetime, Field(description="The database's time.")]


class PageDocument(BaseModel):
    """A page; `next` is the `before` of the following one."""

    next: Count | None


class EventsDocument(PageDocument):
    """A page of the audit."""

    events: list[AuditEventDocument]
