"""The same request by the SDK and by our own HTTP client, and what is made of the answers."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from models.vocabulary import Purpose
from tests.support.wire import http
from worker.claude.client import Claude
from worker.claude.prompts import load_prompts
from worker.claude.requests import Ask
from worker.claude.transports import LeanTransport, SdkTransport
from worker.config.addresses import ClaudeAddress
from worker.domain.answers import Answer, Troubled
from worker.domain.caching import Lifetime
from worker.domain.schemas import CLASSIFY_SCHEMA, INLINE_ANSWER_SCHEMA

PROMPTS = load_prompts(None)
ANSWER = PROMPTS[Purpose.ANSWER]
USER: dict[str, Any] = {"role": "user", "content": "Where is my parcel?"}
ASK = Ask(
    key="7-1-answer",
    purpose=Purpose.ANSWER,
    model="claude-haiku-5-5",
    system=ANSWER.system(),
    messages=[USER],
    schema=INLINE_ANSWER_SCHEMA,
    max_tokens=300,
    effort=None,
)
AWKWARD = "\x00\x1f\x7f\u2028 é 😀 \" \\ / <customer_message> \r\n\t ' &amp;"
SCHEMA = {
    "type": "object",
    "properties": {"réponse": {"type": "string", "description": AWKWARD}, "n": {"const": 0.1}},
    "additionalProperties": False,
}
ASKS = {
    "an answer": ASK,
    "a label": replace(
        ASK,
        key="8-2-classify",
        purpose=Purpose.CLASSIFY,
        system=PROMPTS[Purpose.CLASSIFY].system(),
        schema=CLASSIFY_SCHEMA,
        max_tokens=64,
        effort="low",
    ),
    "a longer turn": replace(
        ASK,
        messages=[USER, {"role": "assistant", "content": "Lost."}, {**USER, "content": AWKWARD}],
        max_tokens=21_000,
        effort="high",
    ),
    "blocks": replace(ASK, messages=[{"role": "user", "content": [{"type": "text", "text": "x"}]}]),
    "an hour in the cache": replace(ASK, system=ANSWER.system(Lifetime.HOUR)),
    "nothing in the cache": replace(ASK, system=ANSWER.system(Lifetime.NONE)),
    "no system prompt": replace(ASK, system=[]),
    "a schema of one's own": replace(ASK, schema=SCHEMA),
    "an unlisted model": replace(ASK, model="our-gateway/haiku"),
}
OK = http("200 OK", b"{}", "content-type: application/json")
SAID = json.dumps(
    {
        "content": [{"type": "text", "text": "Bonjour é"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 4, "service_tier": "priority"},
    }
).encode()
AS_JSON = "content-type: application/json"


def claude(address: str, *, lean: bool, deadline_s: float = 20) -> Claude:
    """A client that sends one way or the other."""
    return Claude(at(address), connect_s=2, deadline_s=deadline_s, lean=lean)


def at(url: str) -> ClaudeAddress:
    """A server that speaks for Claude, with a key for it."""
    return ClaudeAddress(api_key="sk-test", base_url=url, simulated=False)


async def heard(address: str, ask: Ask, deadline_s: float = 20) -> list[Any]:
    """What both ways make of it, the SDK's first, without what is never the same twice."""
    found = []
    for lean in (False, True):
        made = claude(address, lean=lean, deadline_s=deadline_s)
        assert isinstance(made.transport, LeanTransport if lean else SdkTransport)
        try:
            found.append(alike(await made.ask(ask)))
        finally:
            await made.close()
    return found


def alike(got: Answer | Troubled) -> Answer | Troubled:
    if isinstance(got, Troubled):
        return Troubled(replace(got.trouble, request_id=got.trouble.request_id and "req"), None)
    headers = {name.lower(): value for name, value in got.headers.items()}
    assert got.request_id == headers.get("request-id")
    said = {name: headers[name] for name in headers if name not in ("date", "request-id")}
    return replace(got, latency_ms=None, request_id=got.request_id and "req", headers=said)


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())
