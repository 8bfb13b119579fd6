"""Whatever Claude, a gateway or the wire answers, it comes to the same both ways."""

import asyncio
import gzip
import json
import time
from typing import Any

import pytest

from tests.integration.simulator.conftest import Told
from tests.support.both_ways import AS_JSON, ASK, ASKS, SAID, at, heard, run
from tests.support.wire import answering, http
from worker.claude.client import Claude
from worker.domain.answers import Answer, Troubled
from worker.domain.trouble import Meaning
from worker.sandbox.simulator.state import State

STATUSES = (400, 401, 402, 403, 404, 408, 409, 413, 418, 422, 429, 500, 502, 503, 504, 529)
MOODS: dict[str, dict[str, Any]] = {
    **{f"status {status}": {"status": status, "message": "as told"} for status in STATUSES},
    "spend limit": {"status": 400, "message": "You have reached your specified API spend limit."},
    "too long": {"status": 413, "message": "prompt is too long: 300000 tokens"},
    "spend code": {"status": 429, "code": "enforced_spend_limit_reached"},
    "ramp": {"status": 429, "code": "ramp_limit_exceeded"},
    "hold": {"status": 429, "code": "organization_on_hold"},
    "seconds": {"status": 429, "headers": {"retry-after": "7"}},
    "a date": {"status": 529, "headers": {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}},
    "no sense": {"status": 429, "headers": {"retry-after": "soon"}},
    "another type": {"status": 400, "type": "a_word_of_tomorrow"},
    "refusal": {"refusal": "bio"},
    "refusal without": {"refusal": None},
    "truncated": {"truncated": True},
    "empty": {"empty": True},
    "new stop reason": {"stop_reason": "a_word_of_tomorrow"},
    "text": {"text": "no JSON at all, é"},
    "json": {"json": {"reply": "Hello"}},
    "merge": {"merge": {"confidence": 2}},
    "drop": {"drop": "confidence"},
    "lower case": {"lower_case": True},
    "thinking": {"thinking": True},
    "slow": {"slow": 0.05},
    "nothing": {},
    "reset": {"reset": True},
    "cut": {"cut": True},
    "garbage": {"garbage": True},
}


@pytest.mark.parametrize("mood", MOODS)
def test_every_mood_comes_to_the_same(simulator: tuple[State, str], told: Told, mood: str) -> None:
    told(**MOODS[mood])
    ask = ASKS["nothing in the cache"]
    sdk, lean = asyncio.run(heard(simulator[1], ask))
    assert lean == sdk
    assert simulator[0].counts.by_call == {ask.key: 2}


@pytest.mark.parametrize("mood", [{"hang": True}, {"drip": 0.05}, {"slow": 30}])
def test_the_deadline_ends_both(
    simulator: tuple[State, str], told: Told, mood: dict[str, Any]
) -> None:
    told(**mood)
    sdk, lean = asyncio.run(heard(simulator[1], ASK, deadline_s=0.4))
    assert (lean, lean.trouble.kind) == (sdk, "deadline")


def test_an_answer_says_that_it_is_simulated(simulator: tuple[State, str]) -> None:
    assert all(
        isinstance(one, Answer) and one.simulated for one in asyncio.run(heard(simulator[1], ASK))
    )


def test_a_call_ends_with_its_lease(simulator: tuple[State, str], told: Told) -> None:
    async def asked() -> Answer | Troubled:
        claude = Claude(at(simulator[1]), connect_s=2, deadline_s=30)
        try:
            return await claude.ask(ASK, 0.2)
        finally:
            await claude.close()

    told(hang=True)
    began = time.monotonic()
    got = asyncio.run(asked())
    assert isinstance(got, Troubled)
    assert got.trouble.kind == "deadline"
    assert time.monotonic() - began < 20


RESPONSES: dict[str, tuple[bytes, bool]] = {
    "an answer": (http("200 OK", SAID, AS_JSON, "request-id: r"), True),
    "gzipped": (http("200 OK", gzip.compress(SAID), AS_JSON, "content-encoding: gzip"), True),
    "badly gzipped": (http("200 OK", b"no gzip", AS_JSON, "content-encoding: gzip"), True),
    "in chunks": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
        % (len(SAID), SAID),
        True,
    ),
    "bad chunks": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n", False),
    "until it closes": (b"HTTP/1.1 200 OK\r\n\r\n" + SAID, False),
    "created": (http("201 Created", SAID), True),
    "no content": (http("204 No Content", b""), True),
    "empty": (http("200 OK", b"", AS_JSON), True),
    "a list": (http("200 OK", b"[1]", AS_JSON), True),
    "null": (http("200 OK", b"null", AS_JSON), True),
    "half of it": (http("200 OK", SAID, AS_JSON)[:-20], False),
    "the head alone": (b"HTTP/1.1 200 OK\r\ncontent-le", False),
    "nothing": (b"", False),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", False),
    "a gateway's page": (http("502 Bad", b"<html>Oops</html>", "content-type: text/html"), True),
    "a gateway's list": (http("503 Away", b'[{"error": 1}]', AS_JSON), True),
    "a gateway's word": (http("429 Slow", b'{"error": "slow down"}', AS_JSON), True),
    "a gateway's number": (http("400 No", b'{"error": {"message": 7, "type": 8}}', AS_JSON), True),
    "details that are none": (http("400 No", b'{"error": {"details": "x"}}', AS_JSON), True),
    "a code that is none": (
        http("400 No", b'{"error": {"type": "t", "details": {"error_code": 9}}}', AS_JSON),
        True,
    ),
    "an error in no UTF-8": (http("400 No", b'{"error": {"message": "\xff"}}', AS_JSON), True),
    "a long error": (
        http("400 No", json.dumps({"error": {"message": "x" * 900}}).encode(), AS_JSON),
        True,
    ),
    "not modified": (http("304 Not Modified", b""), True),
    "a redirect to nowhere": (http("302 Found", b""), True),
}  # fmt: skip


@pytest.mark.parametrize("name", RESPONSES)
def test_every_response_comes_to_the_same(name: str) -> None:
    response, stay = RESPONSES[name]

    async def scenario() -> None:
        async with answering(response, stay=stay) as server:
            sdk, lean = await heard(server.url, ASK)
            assert lean == sdk
            assert server.requests[0] == server.requests[1]
            assert len(server.requests) == 2, "neither asks again"

    run(scenario)


@pytest.mark.parametrize("status", [307, 308])
def test_neither_follows_a_gateway_that_has_moved(status: int) -> None:
    async def scenario() -> None:
        async with answering(http("200 OK", SAID, AS_JSON)) as there:
            moved = http(f"{status} Moved", b"", f"location: {there.url}/elsewhere")
            async with answering(moved) as here:
                sdk, lean = await heard(here.url, ASK)
            assert lean == sdk
            assert isinstance(lean, Troubled)
            assert (lean.trouble.meaning, lean.trouble.kind) == (Meaning.CONFIGURATION, "redirect")
            assert not there.requests, "words of a customer went where nobody sent them"

    run(scenario)
