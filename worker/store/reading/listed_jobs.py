"""A page of a list of jobs, and the orders that it comes in."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Sort(StrEnum):
    """Orders of a list; what is asked for is at the top."""

    NEWEST = ""
    ENDED = "ended"
    COST = "cost"
    CONFIDENCE = "confidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedJob:
    """One job of a list: what it came to."""

    job: int
    run_id: int
    run: str
    source: str
    external_id: str
    channel: str | None
    language: str | None
    state: str
    tier: str | None
    difficulty: str | None
    confidence: float | None
    escalations: int
    attempts: int
    cost_usd: Decimal
    reason: str | None
    created_at: dt.datetime
    finished_at: dt.datetime | None
    simulated: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Jobs, and where the next page begins (None at the end). `looked_at` is set where the page
    ends because it has looked at enough, rather than because it is full. Of a filter or an order,
    `matched` says how many of those that were looked at meet it, `unfinished` how many of these
    are open and `dead` how many are dead letters, and `whole` that no others do."""

    jobs: Sequence[ListedJob]
    next: int | None
    looked_at: int | None = None
    matched: int | None = None
    unfinished: int = 0
    dead: int = 0
    whole: bool = True
