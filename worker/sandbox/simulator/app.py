"""The HTTP side: routes, the guard before them, models, and the control door `/_sim`."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.sandbox.simulator.batching import Batching
from worker.sandbox.simulator.elsewhere import AMAZONS, ANTHROPICS, GOOGLES, Manner, invoked
from worker.sandbox.simulator.messaging import Messaging
from worker.sandbox.simulator.problems import Problem
from worker.sandbox.simulator.replies import as_json, page_size
from worker.sandbox.simulator.requests import MODELS, RETIRES
from worker.sandbox.simulator.state import State
from worker.sandbox.simulator.wire import Abort

MAX_BODY = 32 * 1024 * 1024
MAX_BATCH_BODY = 256 * 1024 * 1024

ORGANIZATION = "00000000-0000-4000-8000-000000000000"
LINES = ("haiku", "sonnet", "opus", "fable")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

BEDROCK = "/model/{model}/invoke"
VERTEX = "/v1/projects/{project}/locations/{region}/publishers/anthropic/models/{model}"

Handler = Callable[[Request], Awaitable[Response]]


def make_app(state: State) -> Starlette:
    """The simulator as an ASGI app."""
    door, messages, batches = Door(state), Messaging(state), Batching(state)
    guarded: list[tuple[str, str, Handler]] = [
        ("POST", "/v1/messages", messages.create),
        ("POST", "/v1/messages/count_tokens", messages.count),
        ("POST", "/v1/messages/batches", batches.create),
        ("GET", "/v1/messages/batches", batches.list),
        ("GET", "/v1/messages/batches/{id}", batches.get),
        ("DELETE", "/v1/messages/batches/{id}", batches.delete),
        ("POST", "/v1/messages/batches/{id}/cancel", batches.cancel),
        ("GET", "/v1/messages/batches/{id}/results", batches.results),
        ("GET", "/v1/models", door.models),
        ("GET", "/v1/models/{id}", door.model),
        *((how, "/v1/{rest:path}", door.unknown) for how in METHODS),
    ]
    cloud = invoked(messages.create)
    return Starlette(
        routes=[
            Route(BEDROCK, door.guarded(cloud, AMAZONS), methods=["POST"]),
            Route(VERTEX, door.guarded(cloud, GOOGLES), methods=["POST"]),
            *(Route(path, door.guarded(handler), methods=[how]) for how, path, handler in guarded),
            Route("/_sim/stats", door.stats, methods=["GET"]),
            Route("/_sim/moods", door.set_moods, methods=["PUT", "POST"]),
            Route("/_sim/reset", door.reset, methods=["POST"]),
        ]
    )


class Door:
    """Handlers over one state."""

    def __init__(self, state: State) -> None:
        self.state = state

    def guarded(self, handler: Handler, manner: Manner = ANTHROPICS) -> Handler:
        """Counts the request, checks the key, and turns a Problem into the door's error."""

        async def handle(request: Request) -> Response:
            counts, request_id = self.state.counts, self.state.next_request_id()
            request.state.request_id = request_id
            try:
                limit = MAX_BATCH_BODY if "batches" in request.url.path else MAX_BODY
                body = await request.body()
                counts.total += 1
                counts.by_path[request.scope["route"].path] += 1
                if not (request.headers.get("x-api-key") or request.headers.get("authorization")):
                    raise Problem(status=401, message="x-api-key header is required")
                if len(body) > limit:
                    raise Problem(status=413, message="Request exceeds the maximum size")
                response = await handler(request)
            except Problem as problem:
                response = manner.refused(problem, request_id)
            except ConnectionResetError:
                response = Abort()
            except Exception as error:
                fault = Problem(
                    status=500, message=f"Internal server error ({type(error).__name__})"
                )
                response = manner.refused(fault, request_id)
            counts.by_status[str(response.status_code)] += 1
            response.headers[manner.id_header] = request_id
            if manner is ANTHROPICS:
                response.headers["anthropic-organization-id"] = ORGANIZATION
            response.headers["x-rung-simulated"] = "true"
            return response

        return handle

    async def models(self, request: Request) -> Response:
        names = list(MODELS)
        if (after := request.query_params.get("after_id")) in names:
            names = names[names.index(after) + 1 :]
        found = [_model(name) for name in names[: page_size(request.query_params)]]
        ends = [model["id"] for model in (found[:1] + found[-1:])] or [None, None]
        pages = {"first_id": ends[0], "last_id": ends[-1], "has_more": len(found) < len(names)}
        return as_json({"data": found, **pages})

    async def model(self, request: Request) -> Response:
        name = request.path_params["id"]
        if name not in MODELS:
            raise Problem(status=404, message=f"model: {name}")
        return as_json(_model(name))

    async def unknown(self, request: Request) -> Response:
        raise Problem(status=404, message=f"{request.method} {request.url.path} does not exist")

    async def stats(self, request: Request) -> Response:
        calls = request.query_params.get("calls") == "1"
        now = time.monotonic()
        limits = {"at": now, "limits": self.state.limits.as_document(now)}
        return as_json(self.state.counts.as_document(calls=calls) | limits)

    async def set_moods(self, request: Request) -> Response:
        try:
            self.state.moods.replace(orjson.loads(await request.body()))
        except (ValueError, AttributeError) as error:
            return as_json({"error": str(error)}, 400)
        return as_json({"moods": len(self.state.moods.rules)})

    async def reset(self, request: Request) -> Response:
        self.state.counts = type(self.state.counts)()
        self.state.moods.replace([])
        return as_json({})


def _model(name: str) -> dict[str, Any]:
    retires = RETIRES.get(name)
    return {
        "id": name,
        "type": "model",
        "display_name": MODELS[name],
        "created_at": "2026-01-01T00:00:00Z",
        "line": next((line for line in LINES if line in name), None),
        "lifecycle": "deprecated" if retires else "active",
        "deprecated_at": "2026-09-01T00:00:00Z" if retires else None,
        "retires_at": retires,
        "max_input_tokens": 200_000,
        "max_tokens": 128_000,
        "capabilities": None,
    }
