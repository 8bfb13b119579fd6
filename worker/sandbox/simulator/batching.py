"""Handlers of the Message Batches API."""

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from worker.sandbox.simulator.answering import make
from worker.sandbox.simulator.batches import (
    SimulatedBatch,
    batch_id,
    bent,
    page_of,
    read_batch,
    shuffled,
)
from worker.sandbox.simulator.problems import Problem
from worker.sandbox.simulator.replies import (
    as_json,
    base_of,
    parsed,
    problem_of,
    trouble_before,
)
from worker.sandbox.simulator.requests import read_batch_item
from worker.sandbox.simulator.state import State
from worker.sandbox.simulator.wire import Abort

BATCH_S = 2.0
"""Seconds that a batch takes, before scaling."""
VISIBLE_AFTER_S = 1.0


class Batching:
    """`/v1/messages/batches` over one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def create(self, request: Request) -> Response:
        """Takes a batch; its items are looked at only when it ends."""
        requests = read_batch(parsed(await request.body()))
        state, now = self._state, time.monotonic()
        mood = state.moods.of("", "", "create")
        await trouble_before(mood)
        if mood.get("create") == "refuse":
            raise Problem(status=400, message="the batch was refused")
        batch = SimulatedBatch(
            id=batch_id(state.birth, len(state.batches) + 1),
            requests=requests,
            created=dt.datetime.now(dt.UTC),
            ready_at=now + BATCH_S * state.latency_scale,
            visible_at=now + VISIBLE_AFTER_S if mood.get("create") == "404" else now,
        )
        state.batches[batch.id] = batch
        if mood.get("create") == "drop":
            return Abort()
        return as_json(batch.as_document(base_of(request)))

    async def list(self, request: Request) -> Response:
        """Newest first, a page at a time."""
        kept = (batch for batch in self._state.batches.values() if not batch.deleted)
        page, has_more = page_of(kept, request.query_params)
        for batch in page:
            self._advance(batch)
        return as_json(
            {
                "data": [batch.as_document(base_of(request)) for batch in page],
                "has_more": has_more,
                "first_id": page[0].id if page else None,
                "last_id": page[-1].id if page else None,
            }
        )

    async def get(self, request: Request) -> Response:
        """One batch."""
        return as_json(self._batch(request).as_document(base_of(request)))

    async def cancel(self, request: Request) -> Response:
        """Ends a batch early: its items come out as `canceled`."""
        batch = self._batch(request)
        if batch.ended is None:
            batch.cancelled = batch.cancelled or dt.datetime.now(dt.UTC)
            batch.ready_at = min(batch.ready_at, time.monotonic())
        return as_json(batch.as_document(base_of(request)))

    async def delete(self, request: Request) -> Response:
        """Forgets a batch that has ended."""
        batch = self._batch(request)
        if batch.ended is None:
            raise Problem(status=400, message="a batch that is still processing cannot be deleted")
        batch.deleted = True
        return as_json({"id": batch.id, "type": "message_batch_deleted"})

    async def results(self, request: Request) -> Response:
        """One line an item, in no particular order."""
        batch = self._batch(request)
        if batch.ended is None or batch.archived:
            raise Problem(status=404, message="the results of this batch are not available")
        mood = self._state.moods.of("", "", "results")
        if mood.get("results") == "404":
            raise Problem(status=404, message=f"batch {batch.id} not found")
        results = shuffled(batch.results, self._state.seed)
        lines = [
            b'{"custom_id": "broken\n' if line is None else orjson.dumps(line) + b"\n"
            for line in bent(results, str(mood.get("results", "")))
        ]
        return Response(b"".join(lines), media_type="application/x-jsonl")

    def _batch(self, request: Request) -> SimulatedBatch:
        batch = self._state.batches.get(request.path_params["id"])
        if batch is None or batch.deleted or time.monotonic() < batch.visible_at:
            raise Problem(status=404, message=f"batch {request.path_params['id']} not found")
        self._advance(batch)
        return batch

    def _advance(self, batch: SimulatedBatch) -> None:
        """Ends a batch whose time has come."""
        if batch.ended is None and time.monotonic() >= batch.ready_at:
            batch.results = [self._item(batch, request) for request in batch.requests]
            batch.ended = dt.datetime.now(dt.UTC)

    def _item(self, batch: SimulatedBatch, request: Mapping[str, Any]) -> dict[str, Any]:
        custom_id, params = str(request["custom_id"]), request.get("params")
        if batch.cancelled:
            return {"custom_id": custom_id, "result": {"type": "canceled"}}
        body = orjson.dumps(params).decode()
        model = str(params.get("model", "")) if isinstance(params, dict) else ""
        mood = self._state.moods.of(model, body, custom_id)
        if mood.get("batch") in ("expired", "canceled"):
            return {"custom_id": custom_id, "result": {"type": mood["batch"]}}
        try:
            if mood.get("batch") == "errored" or "status" in mood:
                raise problem_of({"status": 500, **mood})
            asked = read_batch_item(params)
            counted = self._state.cache.count(asked.model, asked.segments, time.monotonic())
            message = make(asked, counted, self._state.seed, mood, "batch").message
        except Problem as problem:
            error = problem.body(self._state.next_request_id())
            return {"custom_id": custom_id, "result": {"type": "errored", "error": error}}
        self._state.counts.batch_items[custom_id] += 1
        return {"custom_id": custom_id, "result": {"type": "succeeded", "message": message}}
