"""What a change answers, as pydantic models."""

import datetime as dt

from pydantic import BaseModel

from worker.dashboard.api.job_schemas import ReceiptDocument
from worker.dashboard.api.schemas import Anything, Count, Dollars


class RejectDocument(BaseModel):
    """A row that was not taken, or that one should look at."""

    file: str
    line: Count
    reason: str
    external_id: str | None


class NoteDocument(BaseModel):
    """What was found out about a column."""

    care: str
    column: str
    words: str
    rows: Count
    first_line: Count


class EnqueuedDocument(BaseModel):
    """What became of a backlog."""

    run: str | None
    accepted: Count
    rejected: Count
    duplicates: Count
    rejects: list[RejectDocument]
    rejects_file: str | None
    warnings: list[RejectDocument]
    notes: list[NoteDocument]
    known_in: list[str]
    read: list[Anything]


class DoneDocument(BaseModel):
    """What an action did, or would do. Where a preview looked at the newest alone, `affected` is
    how many there are at least."""

    action: str
    target: str
    preview: bool
    affected: Count | None
    at_least: bool
    effect: list[str]
    expected_usd: Dollars | None
    undo: str
    until: str | None
    event: Count | None


class JudgedDocument(BaseModel):
    """A verdict that was taken."""

    job: Count
    verdict: str
    reviewer: str


class NextReviewDocument(BaseModel):
    """The next best effort that waits, with its texts; nobody else is given it until `until`. No
    job where nothing waits that others do not read."""

    job: ReceiptDocument | None
    until: dt.datetime | None
    waiting: Count
    read_by_others: Count


class LeftDocument(BaseModel):
    """How many items others may be given again."""

    freed: Count
