"""Handlers of the Messages API: one request, one answer, bent by the mood."""

import asyncio
import math
import time
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from worker.sandbox.simulator.answering import Made, make
from worker.sandbox.simulator.cache import count_tokens
from worker.sandbox.simulator.mind import family_of
from worker.sandbox.simulator.problems import Problem
from worker.sandbox.simulator.replies import as_json, drip, parsed, trouble_before
from worker.sandbox.simulator.requests import Asked, read_request
from worker.sandbox.simulator.state import State
from worker.sandbox.simulator.streaming import events
from worker.sandbox.simulator.wire import Cut


class Messaging:
    """`/v1/messages` and `/v1/messages/count_tokens` over one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def create(self, request: Request) -> Response:
        """A message: counted, limited, made, and waited for."""
        raw = await request.body()
        asked = read_request(parsed(raw))
        state, now = self._state, time.monotonic()
        call = request.headers.get("x-rung-call", "")
        state.counts.by_model[asked.model] += 1
        state.counts.by_call[call] += 1
        mood = state.moods.of(asked.model, raw.decode("utf-8", "replace"), call)
        await trouble_before(mood)
        family = family_of(asked.model)
        counted = state.cache.count(asked.model, asked.segments, now)
        wait = state.limits.take(family, counted.limited, now)
        if wait is not None:
            headers = {"retry-after": str(math.ceil(wait))} | state.limits.headers(family, now)
            words = "This request would exceed your organization's rate limit"
            raise Problem(status=429, message=words, headers=headers)
        made = make(asked, counted, state.seed, mood, "standard")
        state.limits.spend_output(family, made.output_tokens)
        if (seconds := made.latency_s * state.latency_scale) > 0:
            await asyncio.sleep(seconds)
        return _answer(asked, made, mood, state.limits.headers(family, time.monotonic()))

    async def count(self, request: Request) -> Response:
        """Input tokens of a request that is not sent."""
        body = parsed(await request.body())
        asked = read_request({"max_tokens": 1, **body} if isinstance(body, dict) else body)
        total = sum(count_tokens(segment.text, asked.model) for segment in asked.segments)
        return as_json({"input_tokens": total})


def _answer(
    asked: Asked, made: Made, mood: Mapping[str, Any], headers: Mapping[str, str]
) -> Response:
    kind = "text/event-stream" if asked.stream else "application/json"
    body = b"".join(events(made.message)) if asked.stream else orjson.dumps(made.message)
    if mood.get("garbage"):
        body = body[: len(body) // 2] + b"}{"
    if mood.get("cut"):
        return Cut(body, kind, headers)
    if "drip" in mood:
        dripping = drip(body, float(mood["drip"]))
        return StreamingResponse(dripping, media_type=kind, headers=dict(headers))
    return Response(body, media_type=kind, headers=dict(headers))
