"""The doors of other clouds: the same messages, with the model in the path, and each cloud's own
way to refuse."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from worker.sandbox.simulator.problems import TYPES, Problem
from worker.sandbox.simulator.replies import as_json

NAME = re.compile(r"claude-[a-z0-9.-]+?(?=-v\d|[@:]|$)")
Handler = Callable[[Request], Awaitable[Response]]
AMAZON_KINDS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
"""InvokeModel's, of Bedrock's API reference."""
AMAZON_STATUSES = {401: 403, 402: 403, 413: 400, 422: 400, 504: 408, 529: 503}
"""What it has no status for, and says with another."""
AMAZON_WORDS = {
    "prompt is too long": (400, "Input is too long for requested model."),
    "model: ": (400, "The provided model identifier is invalid."),
}
GOOGLE_KINDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""google.rpc.Code, by the status that it goes out with."""
MODELS_OWN = frozenset({400, 413, 422, 529})
"""What Claude itself refuses behind Vertex comes through as Anthropic says it, unless a mood gives
one of Google's kinds."""
LIMITS = "anthropic-ratelimit-"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a door refuses, and in which header it says a request's id."""

    refused: Callable[[Problem, str], Response]
    id_header: str = "request-id"


def by_anthropic(problem: Problem, request_id: str) -> Response:
    """As Anthropic's own door says it."""
    return as_json(problem.body(request_id), problem.status, problem.headers)


def by_amazon(problem: Problem, _request_id: str) -> Response:
    """The kind in a header, the words alone in the body; no header says when to ask again."""
    status, words = next(
        (told for start, told in AMAZON_WORDS.items() if problem.message.startswith(start)),
        (AMAZON_STATUSES.get(problem.status, problem.status), problem.message),
    )
    kind = _own_kind(problem) or AMAZON_KINDS.get(status, "InternalServerException")
    where = "http://internal.amazon.com/coral/com.amazon.bedrock/"
    return as_json({"message": words}, status, {"x-amzn-errortype": f"{kind}:{where}"})


def by_google(problem: Problem, request_id: str) -> Response:
    """google.rpc.Status as JSON."""
    own = _own_kind(problem)
    if own is None and problem.status in MODELS_OWN:
        return as_json(problem.body(request_id), problem.status)
    error = {
        "code": problem.status,
        "message": problem.message,
        "status": own or GOOGLE_KINDS.get(problem.status, "UNKNOWN"),
    }
    return as_json({"error": error}, problem.status)


ANTHROPICS = Manner(by_anthropic)
AMAZONS = Manner(by_amazon, "x-amzn-requestid")
GOOGLES = Manner(by_google)


def invoked(create: Handler) -> Handler:
    """Bedrock's `/model/{model}/invoke`, and Vertex's `…/models/{model}:rawPredict`, as a message
    at Anthropic's door."""

    async def handle(request: Request) -> Response:
        model = unquote(request.path_params["model"])
        found = NAME.search(model)
        document = orjson.loads(await request.body())
        document.pop("anthropic_version", None)
        body = orjson.dumps({**document, "model": found[0] if found else model})

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        response = await create(Request(request.scope, receive))
        for name in _limits(response.headers):
            del response.headers[name]
        return response

    return handle


def _limits(headers: Mapping[str, str]) -> list[str]:
    """Which headers tell Anthropic's rate limits: clouds have their own, and tell none."""
    return [name for name in headers if name.startswith(LIMITS)]


def _own_kind(problem: Problem) -> str | None:
    """The kind that a mood gives in the cloud's own words."""
    return None if problem.kind in TYPES.values() else problem.kind
