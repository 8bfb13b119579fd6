"""A Message Batch in the simulator's memory."""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.sandbox.simulator.problems import Problem
from worker.sandbox.simulator.replies import page_size

CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
MAX_REQUESTS = 100_000
LIFETIME, KEPT = dt.timedelta(hours=24), dt.timedelta(days=29)
NO_COUNTS = {"processing": 0, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}


@dataclass(slots=True, kw_only=True)
class SimulatedBatch:
    """Requests that end together, `ready_at` on the monotonic clock."""

    id: str
    requests: Sequence[Mapping[str, Any]]
    created: dt.datetime
    ready_at: float
    visible_at: float
    results: list[dict[str, Any]] = field(default_factory=list)
    cancelled: dt.datetime | None = None
    deleted: bool = False
    archived: bool = False
    """Its results are no longer kept."""
    ended: dt.datetime | None = None

    def status(self) -> str:
        """`in_progress`, `canceling` or `ended`."""
        if self.ended is not None:
            return "ended"
        return "canceling" if self.cancelled else "in_progress"

    def as_document(self, base_url: str) -> dict[str, Any]:
        """As the API shows it: counts stay all `processing` until the batch has ended."""
        counts = dict(NO_COUNTS)
        if self.ended is None:
            counts["processing"] = len(self.requests)
        for result in self.results if self.ended is not None else ():
            counts[result["result"]["type"]] += 1
        url = f"{base_url}/v1/messages/batches/{self.id}/results"
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": self.status(),
            "request_counts": counts,
            "created_at": stamp(self.created),
            "expires_at": stamp(self.created + LIFETIME),
            "ended_at": stamp(self.ended) if self.ended else None,
            "cancel_initiated_at": stamp(self.cancelled) if self.cancelled else None,
            "archived_at": stamp(self.created + KEPT) if self.archived else None,
            "results_url": url if self.ended is not None and not self.archived else None,
        }


def stamp(moment: dt.datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_batch(body: Any) -> list[Mapping[str, Any]]:
    """The requests of a create. Raises Problem as the API does before it accepts a batch."""
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests:
        raise Problem(status=400, message="requests: at least one request is required")
    if len(requests) > MAX_REQUESTS:
        raise Problem(status=400, message=f"requests: at most {MAX_REQUESTS} requests")
    seen: set[str] = set()
    for place, request in enumerate(requests):
        custom_id = request.get("custom_id") if isinstance(request, dict) else None
        if not isinstance(custom_id, str) or not CUSTOM_ID.fullmatch(custom_id):
            raise Problem(
                status=400, message=f"requests.{place}.custom_id: must match {CUSTOM_ID.pattern}"
            )
        if custom_id in seen:
            raise Problem(
                status=400, message=f"requests.{place}.custom_id: is not unique in the batch"
            )
        seen.add(custom_id)
    return requests


def batch_id(birth: str, number: int) -> str:
    """`msgbatch_sim…`: like Claude's, never given twice, in another life of the simulator neither.
    Whoever keeps them could not tell an old batch from a new one."""
    return f"msgbatch_sim{birth}{number:08d}"


def shuffled(results: Sequence[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """In an order that has nothing to do with that of the requests, yet is always the same."""

    def key(result: Mapping[str, Any]) -> bytes:
        return hashlib.blake2b(f"{seed}{result['custom_id']}".encode(), digest_size=8).digest()

    return sorted(results, key=key)


def bent(results: Sequence[dict[str, Any]], how: str) -> Iterator[dict[str, Any] | None]:
    """Results with something wrong in them; None stands for a malformed line."""
    for place, result in enumerate(results):
        if place == 0 and how == "missing":
            continue
        yield result
        if place == 0:
            if how == "duplicate":
                yield result
            elif how == "unknown":
                yield {**result, "custom_id": "999999999-1-answer"}
            elif how == "malformed":
                yield None


def page_of(
    batches: Iterable[SimulatedBatch], query: Mapping[str, str]
) -> tuple[list[SimulatedBatch], bool]:
    """A page of a listing, newest first, and whether there is more in that direction."""
    newest = sorted(batches, key=lambda batch: batch.id, reverse=True)
    ids, most = [batch.id for batch in newest], page_size(query)
    if (before := query.get("before_id")) in ids:
        until = ids.index(before)
        return newest[max(0, until - most) : until], until > most
    if (after := query.get("after_id")) in ids:
        newest = newest[ids.index(after) + 1 :]
    return newest[:most], len(newest) > most
