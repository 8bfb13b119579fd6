"""The example that puts answers into a helpdesk: private notes, once each, if they are signed."""

import asyncio
import importlib.util
import json
import time
from types import ModuleType
from typing import Any

import httpx2
import pytest

from rung.webhooks import signature
from tests.support.places import ROOT

SECRET = "whsec_c2VjcmV0"
ANSWER = {"external_id": "35436", "send": "It is on its way.", "job": 7}
BODY = json.dumps({"type": "answer.ready", "data": ANSWER}).encode()


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in (
        ("RUNG_WEBHOOK_SECRET", SECRET),
        ("HELPDESK_URL", "http://helpdesk.test"),
        ("HELPDESK_TOKEN", "t0ken"),
        ("HELPDESK_ADMIN", "1"),
    ):
        monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location("receiver", ROOT / "examples/deliver/receiver.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def signed(webhook: str) -> dict[str, str]:
    now = int(time.time())
    return {
        "webhook-id": webhook,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(SECRET, webhook, now, BODY),
    }


def posted(
    example: ModuleType, name: str, headers: list[dict[str, str]], helpdesk_says: int = 200
) -> tuple[list[int], list[httpx2.Request]]:
    """Statuses of posts to the receiver, and what the helpdesk was asked."""
    asked: list[httpx2.Request] = []

    def helpdesk(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(helpdesk_says)

    async def post() -> list[int]:
        example.httpx2 = _over(httpx2.MockTransport(helpdesk))
        app = example.receiver(getattr(example, f"{name}_note"))
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://me") as client:
            return [(await client.post("/", content=BODY, headers=h)).status_code for h in headers]

    return asyncio.run(post()), asked


def _over(transport: httpx2.MockTransport) -> Any:
    """The HTTP library, with clients that reach the helpdesk of this test."""

    class Library:
        Request, BasicAuth = httpx2.Request, httpx2.BasicAuth

        @staticmethod
        def AsyncClient(**options: Any) -> httpx2.AsyncClient:
            return httpx2.AsyncClient(transport=transport, **options)

    return Library


@pytest.mark.parametrize(
    ("name", "method", "path", "private"),
    [
        ("zendesk", "PUT", "/api/v2/tickets/35436.json", ("ticket", "comment", "public", False)),
        ("freshdesk", "POST", "/api/v2/tickets/35436/notes", ("private", True)),
        ("intercom", "POST", "/conversations/35436/reply", ("message_type", "note")),
    ],
)
def test_an_answer_becomes_a_private_note_once(
    example: ModuleType, name: str, method: str, path: str, private: tuple[Any, ...]
) -> None:
    statuses, asked = posted(example, name, [signed("7.1"), signed("7.1")])
    assert statuses == [204, 204]
    (note,) = asked
    assert (note.method, note.url.path) == (method, path)
    said: Any = json.loads(note.content)
    assert ANSWER["send"] in note.content.decode()
    for key in private[:-1]:
        said = said[key]
    assert said == private[-1]
    assert "authorization" in note.headers


def test_what_the_helpdesk_refuses_is_asked_for_again(example: ModuleType) -> None:
    statuses, asked = posted(example, "zendesk", [signed("7.1"), signed("7.1")], 429)
    assert (statuses, len(asked)) == ([503, 503], 2)


def test_what_is_not_signed_goes_nowhere(example: ModuleType) -> None:
    statuses, asked = posted(example, "zendesk", [signed("7.1") | {"webhook-id": "8.1"}, {}])
    assert (statuses, asked) == ([401, 401], [])
