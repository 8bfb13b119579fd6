"""What every handler needs: JSON in and out, and the trouble that moods make before an answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from worker.sandbox.simulator.problems import Problem

HANG_S = 3600.0
MAX_PAGE = 1_000


def as_json(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(
        orjson.dumps(document), status, dict(headers or {}), media_type="application/json"
    )


def parsed(raw: bytes) -> Any:
    """The body of a request. Raises Problem with status 400 when it is not JSON."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Problem(status=400, message="the request body is not valid JSON") from None


def page_size(query: Mapping[str, str]) -> int:
    """The `limit` of a listing. Raises Problem when it is not from 1 to 1,000."""
    size = query.get("limit", "20")
    if not (size.isascii() and size.isdigit() and 1 <= int(size) <= MAX_PAGE):
        raise Problem(status=400, message=f"limit: Input should be from 1 to {MAX_PAGE}")
    return int(size)


def base_of(request: Request) -> str:
    """The address that the client used, for links in answers."""
    return str(request.base_url).rstrip("/")


async def trouble_before(mood: Mapping[str, Any]) -> None:
    """What goes wrong before an answer is made. Raises Problem, or ConnectionResetError for a
    connection that is to be cut."""
    if "slow" in mood:
        await asyncio.sleep(float(mood["slow"]))
    if mood.get("hang"):
        await asyncio.sleep(HANG_S)
    if mood.get("reset"):
        raise ConnectionResetError
    if "status" in mood:
        raise problem_of(mood)


def problem_of(mood: Mapping[str, Any]) -> Problem:
    """The error that a mood asks for."""
    return Problem(
        status=int(mood["status"]),
        message=str(mood.get("message", "the simulator was told to fail")),
        kind=mood.get("type"),
        code=mood.get("code"),
        headers=mood.get("headers", {}),
    )


async def drip(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    """The body a byte at a time, `seconds` after each."""
    for byte in body:
        yield bytes([byte])
        await asyncio.sleep(seconds)
