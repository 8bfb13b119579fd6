"""The HTTP side: routes, mood on the wire, and the control door `/_sim`."""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from worker.sandbox.simulator import batches as batching
from worker.sandbox.simulator.answering import Made, make
from worker.sandbox.simulator.cache import count_tokens
from worker.sandbox.simulator.mind import family_of
from worker.sandbox.simulator.problems import Problem
from worker.sandbox.simulator.requests import MODELS, RETIRES, Asked, read_request
from worker.sandbox.simulator.state import State
from worker.sandbox.simulator.streaming import events
from worker.sandbox.simulator.wire import Abort, Cut

MARK = {"x-rung-simulated": "true"}
MAX_BODY = 32 * 1024 * 1024
MAX_BATCH_BODY = 256 * 1024 * 1024
HANG_S = 3600.0
BATCH_S = 2.0
"""Seconds that a batch takes, before scaling."""
VISIBLE_AFTER_S = 1.0

Handler = Callable[[Request], Awaitable[Response]]


def make_app(state: State) -> Starlette:
    """The simulator as an ASGI app."""
    door = Door(state)
    routes = [
        Route("/v1/messages", door.guarded(door.messages), methods=["POST"]),
        Route("/v1/messages/count_tokens", door.guarded(door.count), methods=["POST"]),
        Route("/v1/messages/batches", door.guarded(door.create_batch), methods=["POST"]),
        Route("/v1/messages/batches", door.guarded(door.list_batches), methods=["GET"]),
        Route("/v1/messages/batches/{id}", door.guarded(door.get_batch), methods=["GET"]),
        Route("/v1/messages/batches/{id}", door.guarded(door.delete_batch), methods=["DELETE"]),
        Route(
            "/v1/messages/batches/{id}/cancel", door.guarded(door.cancel_batch), methods=["POST"]
        ),
        Route("/v1/messages/batches/{id}/results", door.guarded(door.results), methods=["GET"]),
        Route("/v1/models", door.guarded(door.models), methods=["GET"]),
        Route("/v1/models/{id}", door.guarded(door.model), methods=["GET"]),
        Route("/_sim/stats", door.stats, methods=["GET"]),
        Route("/_sim/moods", door.set_moods, methods=["PUT", "POST"]),
        Route("/_sim/reset", door.reset, methods=["POST"]),
    ]
    return Starlette(routes=routes)


class Door:
    """Handlers over one state."""

    def __init__(self, state: State) -> None:
        self.state = state

    def guarded(self, handler: Handler) -> Handler:
        """Counts the request, checks the key, and turns a Problem into the API's error."""

        async def handle(request: Request) -> Response:
            counts, request_id = self.state.counts, self.state.next_request_id()
            request.state.request_id = request_id
            try:
                limit = MAX_BATCH_BODY if "batches" in request.url.path else MAX_BODY
                body = await request.body()
                counts.total += 1
                counts.by_path[request.scope["route"].path] += 1
                if not (request.headers.get("x-api-key") or request.headers.get("authorization")):
                    raise Problem(401, "x-api-key header is required")
                if len(body) > limit:
                    raise Problem(413, "Request exceeds the maximum size")
                response = await handler(request)
            except Problem as problem:
                response = _json(problem.body(request_id), problem.status, problem.headers)
            except ConnectionResetError:
                response = Abort()
            counts.by_status[str(response.status_code)] += 1
            response.headers["request-id"] = request_id
            response.headers["x-rung-simulated"] = "true"
            return response

        return handle

    async def messages(self, request: Request) -> Response:
        raw = await request.body()
        try:
            asked = read_request(orjson.loads(raw))
        except orjson.JSONDecodeError:
            raise Problem(400, "the request body is not valid JSON") from None
        state, now = self.state, time.monotonic()
        call = request.headers.get("x-rung-call", "")
        state.counts.by_model[asked.model] += 1
        state.counts.by_call[call] += 1
        mood = state.moods.of(asked.model, raw.decode("utf-8", "replace"), call)
        await _trouble_before(mood)
        family = family_of(asked.model)
        counted = state.cache.count(asked.model, asked.segments, now)
        wait = state.limits.take(family, counted.limited, now)
        if wait is not None:
            headers = {"retry-after": f"{max(wait, 0.01):.2f}"} | state.limits.headers(family, now)
            words = "This request would exceed your organization's rate limit"
            raise Problem(429, words, headers=headers)
        made = make(asked, counted, state.seed, mood, "standard")
        state.limits.spend_output(family, made.output_tokens)
        if (seconds := made.latency_s * state.latency_scale) > 0:
            await asyncio.sleep(seconds)
        return self._answer(asked, made, mood, state.limits.headers(family, time.monotonic()))

    def _answer(
        self, asked: Asked, made: Made, mood: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Response:
        if asked.stream:
            return StreamingResponse(
                events(made.message), media_type="text/event-stream", headers=dict(headers)
            )
        body = orjson.dumps(made.message)
        if mood.get("garbage"):
            body = body[: len(body) // 2] + b"}{"
        if mood.get("cut"):
            return Cut(body, headers)
        if "drip" in mood:
            return StreamingResponse(
                _drip(body, float(mood["drip"])),
                media_type="application/json",
                headers=dict(headers),
            )
        return Response(body, media_type="application/json", headers=dict(headers))

    async def count(self, request: Request) -> Response:
        body = orjson.loads(await request.body())
        asked = read_request({"max_tokens": 1, **body} if isinstance(body, dict) else body)
        total = sum(count_tokens(segment.text, asked.model) for segment in asked.segments)
        return _json({"input_tokens": total})

    async def models(self, request: Request) -> Response:
        found = [_model(name) for name in MODELS]
        ends = {"first_id": found[0]["id"], "last_id": found[-1]["id"], "has_more": False}
        return _json({"data": found, **ends})

    async def model(self, request: Request) -> Response:
        name = request.path_params["id"]
        if name not in MODELS:
            raise Problem(404, f"model: {name}")
        return _json(_model(name))

    async def create_batch(self, request: Request) -> Response:
        raw = await request.body()
        requests = batching.read_batch(orjson.loads(raw))
        state, now = self.state, time.monotonic()
        mood = state.moods.of("", "", "create")
        await _trouble_before(mood)
        if mood.get("create") == "refuse":
            raise Problem(400, "the batch was refused")
        batch = batching.Batch(
            batching.batch_id(len(state.batches) + 1),
            requests,
            dt.datetime.now(dt.UTC),
            now + BATCH_S * state.latency_scale,
            now + VISIBLE_AFTER_S if mood.get("create") == "404" else now,
        )
        state.batches[batch.id] = batch
        if mood.get("create") == "drop":
            return Abort()
        return _json(batch.as_document(_base(request)))

    async def list_batches(self, request: Request) -> Response:
        size = int(request.query_params.get("limit", 20))
        newest = sorted(self.state.batches.values(), key=lambda b: b.id, reverse=True)
        newest = [batch for batch in newest if not batch.deleted]
        ids = [batch.id for batch in newest]
        if (after := request.query_params.get("after_id")) in ids:
            newest = newest[ids.index(after) + 1 :]
        elif (before := request.query_params.get("before_id")) in ids:
            newest = newest[max(0, ids.index(before) - size) : ids.index(before)]
        page = newest[:size]
        for batch in page:
            self._advance(batch)
        return _json(
            {
                "data": [batch.as_document(_base(request)) for batch in page],
                "has_more": len(newest) > size,
                "first_id": page[0].id if page else None,
                "last_id": page[-1].id if page else None,
            }
        )

    async def get_batch(self, request: Request) -> Response:
        return _json(self._batch(request).as_document(_base(request)))

    async def cancel_batch(self, request: Request) -> Response:
        batch = self._batch(request)
        if batch.ended is None:
            batch.cancelled = True
            batch.ready_at = min(batch.ready_at, time.monotonic())
        return _json(batch.as_document(_base(request)))

    async def delete_batch(self, request: Request) -> Response:
        batch = self._batch(request)
        if batch.ended is None:
            raise Problem(400, "a batch that is still processing cannot be deleted")
        batch.deleted = True
        return _json({"id": batch.id, "type": "message_batch_deleted"})

    async def results(self, request: Request) -> Response:
        batch = self._batch(request)
        if batch.ended is None:
            raise Problem(404, "the results of this batch are not available yet")
        mood = self.state.moods.of("", "", "results")
        results = batching.shuffled(batch.results, self.state.seed)
        lines = [
            b'{"custom_id": "broken\n' if line is None else orjson.dumps(line) + b"\n"
            for line in batching.bent(results, str(mood.get("results", "")))
        ]
        return Response(b"".join(lines), media_type="application/x-jsonl")

    def _batch(self, request: Request) -> batching.Batch:
        batch = self.state.batches.get(request.path_params["id"])
        if batch is None or batch.deleted or time.monotonic() < batch.visible_at:
            raise Problem(404, f"batch {request.path_params['id']} not found")
        self._advance(batch)
        return batch

    def _advance(self, batch: batching.Batch) -> None:
        """Ends a batch whose time has come."""
        if batch.ended is None and time.monotonic() >= batch.ready_at:
            batch.results = [self._item(batch, request) for request in batch.requests]
            batch.ended = dt.datetime.now(dt.UTC)

    def _item(self, batch: batching.Batch, request: Mapping[str, Any]) -> dict[str, Any]:
        custom_id, params = str(request["custom_id"]), request.get("params")
        if batch.cancelled:
            return {"custom_id": custom_id, "result": {"type": "canceled"}}
        body = orjson.dumps(params).decode()
        mood = self.state.moods.of(str((params or {}).get("model", "")), body, custom_id)
        if mood.get("batch") in ("expired", "canceled"):
            return {"custom_id": custom_id, "result": {"type": mood["batch"]}}
        try:
            if mood.get("batch") == "errored" or "status" in mood:
                raise _problem({"status": 500, **mood})
            asked = read_request(params)
        except Problem as problem:
            error = problem.body(self.state.next_request_id())
            return {"custom_id": custom_id, "result": {"type": "errored", "error": error}}
        self.state.counts.batch_items[custom_id] += 1
        counted = self.state.cache.count(asked.model, asked.segments, time.monotonic())
        message = make(asked, counted, self.state.seed, mood, "batch").message
        return {"custom_id": custom_id, "result": {"type": "succeeded", "message": message}}

    async def stats(self, request: Request) -> Response:
        calls = request.query_params.get("calls") == "1"
        return _json(self.state.counts.as_document(calls=calls))

    async def set_moods(self, request: Request) -> Response:
        try:
            self.state.moods.replace(orjson.loads(await request.body()))
        except (ValueError, AttributeError) as error:
            return _json({"error": str(error)}, 400)
        return _json({"moods": len(self.state.moods.rules)})

    async def reset(self, request: Request) -> Response:
        self.state.counts = type(self.state.counts)()
        self.state.moods.replace([])
        return _json({})


async def _trouble_before(mood: Mapping[str, Any]) -> None:
    """What goes wrong before an answer is made. Raises Problem, or Abort's exception."""
    if "slow" in mood:
        await asyncio.sleep(float(mood["slow"]))
    if mood.get("hang"):
        await asyncio.sleep(HANG_S)
    if mood.get("reset"):
        raise ConnectionResetError
    if "status" in mood:
        raise _problem(mood)


def _problem(mood: Mapping[str, Any]) -> Problem:
    return Problem(
        int(mood["status"]),
        str(mood.get("message", "the simulator was told to fail")),
        mood.get("type"),
        mood.get("code"),
        mood.get("headers", {}),
    )


async def _drip(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    for byte in body:
        yield bytes([byte])
        await asyncio.sleep(seconds)


def _model(name: str) -> dict[str, Any]:
    retires = RETIRES.get(name)
    return {
        "id": name,
        "type": "model",
        "display_name": MODELS[name],
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "deprecated" if retires else "active",
        "retires_at": retires,
        "max_input_tokens": 200_000,
        "max_tokens": 128_000,
        "capabilities": None,
    }


def _json(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(document), status, dict(headers or {}), media_type="application/json"
    )


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")
