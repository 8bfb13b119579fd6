"""Addresses as an endpoint reads them, without anything behind it."""

import asyncio
import time

import pytest
from starlette.requests import Request

from worker.dashboard.api.endpoints import ApiCall, Endpoint

MANY = "&".join(f"{n:x}" for n in range(15_000))
"""As many names as a request's head has room for."""
MOST_CPU_S = 1.5


def never(_: ApiCall) -> None:
    raise AssertionError("it was not to be served")


@pytest.mark.parametrize(
    ("query", "words"), [(MANY, "not known here"), (f"{MANY}&7", "'7' is given twice")]
)
def test_very_many_parameters_hold_nobody_up(query: str, words: str) -> None:
    # given
    scope = {"type": "http", "method": "GET", "path": "/api", "query_string": query.encode()}
    request = Request({**scope, "headers": []})
    endpoint = Endpoint(method="GET", path="/api", summary="", handler=never, answer=dict)
    # when
    began = time.process_time()
    answer = asyncio.run(endpoint.serve(request))
    # then
    assert time.process_time() - began < MOST_CPU_S
    assert answer.status_code == 400
    assert words in bytes(answer.body).decode()
