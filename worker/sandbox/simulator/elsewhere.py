"""The doors of other clouds: the same messages, with the model in the path."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response

NAME = re.compile(r"claude-[a-z0-9.-]+?(?=-v\d|[@:]|$)")
Handler = Callable[[Request], Awaitable[Response]]


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

        return await create(Request(request.scope, receive))

    return handle
