"""What comes back: frozen values. Each keeps the whole document, so that fields of a newer server
are at hand before this client has a name for them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

OVER = frozenset({"finished", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What became of rows that were submitted. `run` is None when nothing was new."""

    run: str | None
    accepted: int
    rejected: int
    duplicates: int
    document: Mapping[str, Any]
    """`rejects` names each row that was not taken: line, reason, external_id."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Handed":
        """From the server's document."""
        counts = {name: int(document[name]) for name in ("accepted", "rejected", "duplicates")}
        return cls(run=document["run"], document=document, **counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """How a run stands. Money is in dollars."""

    run: str
    state: str
    """`active`, `paused`, `finished` or `cancelled`."""
    total: int
    ended: int
    by_state: Mapping[str, int]
    spent_usd: Decimal
    simulated: bool
    """Answers and costs are made up by Rung's own simulator."""
    document: Mapping[str, Any]

    @property
    def over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in OVER

    @property
    def waiting_for(self) -> str | None:
        """What keeps the run from going on: a budget, a pause. None when nothing does."""
        reason = self.document.get("waiting_for") or self.document.get("state_reason")
        return str(reason) if reason else None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "RunState":
        """From the server's document."""
        by_state = {str(name): int(jobs) for name, jobs in document["by_state"].items()}
        return cls(
            run=document["run"],
            state=document["state"],
            total=int(document["total"]),
            ended=int(document["ended"]),
            by_state=by_state,
            spent_usd=Decimal(str(document["spent_usd"])),
            simulated=bool(document["simulated"]),
            document=document,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One row of the results: a message and what became of it."""

    external_id: str
    state: str
    send: str | None
    """The one reply that may go out: accepted, or given by a person. None otherwise."""
    tier: str | None
    confidence: float | None
    cost_usd: Decimal | None
    document: Mapping[str, Any]

    @property
    def answered_at(self) -> dt.datetime | None:
        """When; with its zone."""
        moment = self.document.get("answered_at")
        return dt.datetime.fromisoformat(moment) if moment else None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Answered":
        """From a row of the server's."""
        confidence, cost = document.get("confidence"), document.get("cost_usd")
        return cls(
            external_id=document["external_id"],
            state=document["state"],
            send=document.get("send") or None,
            tier=document.get("tier"),
            confidence=float(confidence) if confidence is not None else None,
            cost_usd=Decimal(str(cost)) if cost is not None else None,
            document=document,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTurn:
    """A best effort that waits for a person, theirs until `until`. `document` is the whole receipt:
    each attempt with its reasons."""

    job: int
    run: str
    external_id: str
    message: str
    reply: str | None
    """The best answer there was. None where no model gave one."""
    reason: str | None
    """Why it was not good enough: `low_confidence`, say."""
    until: dt.datetime
    waiting: int
    """All that wait, this one with them."""
    document: Mapping[str, Any]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "ReviewTurn | None":
        """From the server's document; None where it gives no job."""
        job = document["job"]
        if job is None:
            return None
        return cls(
            job=int(job["job"]),
            run=job["run"],
            external_id=job["external_id"],
            message=job["body"] or "",
            reply=(job["result"] or {}).get("reply"),
            reason=job["reason"],
            until=dt.datetime.fromisoformat(document["until"]),
            waiting=int(document["waiting"]),
            document=job,
        )
