"""What comes out of jobs, as pydantic models: lists, receipts, results."""

import datetime as dt
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from models.vocabulary import JobState
from worker.dashboard.api.schemas import Anything, Count, Dollars, PageDocument
from worker.store.reading.attention import Cause, Letter
from worker.store.reading.results import ALWAYS, COLUMNS, Holds


class JobDocument(BaseModel):
    """What a list and a receipt say alike of a job."""

    job: Count
    run: str
    source: str
    external_id: str
    state: JobState
    tier: str | None
    difficulty: str | None
    escalations: Count
    cost_usd: Dollars
    reason: str | None
    created_at: dt.datetime
    finished_at: dt.datetime | None


class ListedJobDocument(JobDocument):
    """A job of a list."""

    channel: str | None
    language: str | None
    confidence: float | None
    attempts: Count
    simulated: bool | None


class AttentionDocument(PageDocument):
    """What needs somebody, by cause, and a page of it."""

    causes: list[Cause]
    jobs: list[Letter]


class ReceiptDocument(JobDocument):
    """Why this answer, from whom, at what cost."""

    run_id: Count
    lane: str
    run_lane: Annotated[str, Field(description="Its run's.")]
    failures: Count
    deferrals: Annotated[Count, Field(description="How often it was put off.")]
    total_usd: Dollars
    policy_name: str
    policy_version: str
    policy: Annotated[Anything, Field(description="As its run froze it.")]
    critical_by: Annotated[str, Field(description="The rule that marks it as critical.")] | None
    channel: str | None
    customer_id: str | None
    language: str | None
    received_at: dt.datetime | None
    subject: str | None
    body: str | None
    metadata: Anything | None
    erased_at: Annotated[dt.datetime, Field(description="When its text was erased.")] | None
    text_shown: bool
    attempts: list[Anything]
    result: Anything | None
    reviews: list[Anything]
    simulated: bool


HELD: dict[Holds, Any] = {
    Holds.TEXT: str,
    Holds.TEXTS: list[str],
    Holds.COUNT: Count,
    Holds.FLAG: bool,
    Holds.SHARE: float,
    Holds.DOLLARS: Dollars,
    Holds.TIME: dt.datetime,
    Holds.ANY: Any,
}
_COLUMNS: Any = {
    name: (HELD[holds] if name in ALWAYS else HELD[holds] | None, ...)
    for name, holds in COLUMNS.items()
} | {"text_shown": (bool, True)}
ResultRowDocument = create_model(
    "ResultRowDocument", __doc__="As `rung results` gives it.", **_COLUMNS
)


class JobsDocument(PageDocument):
    """A page of jobs."""

    jobs: list[ListedJobDocument]
