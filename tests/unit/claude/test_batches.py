"""Batches as Claude describes them: the real SDK reads a server that says what a test tells it."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.support.wire import serving
from worker.claude.batches import Batches, Item, Seen
from worker.claude.client import SIMULATED_HEADER
from worker.config.addresses import ClaudeAddress
from worker.domain.answers import Answer, Troubled
from worker.domain.trouble import Meaning, Trouble

NOW = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
Said = dict[str, str]
"""Answers by path."""


@pytest.fixture(scope="module")
def said() -> Iterator[tuple[Said, str]]:
    answers: Said = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers[self.path.partition("?")[0].removeprefix("/v1/messages/batches")]
            self.send_response(200)
            kind = "application/x-jsonl" if self.path.endswith("/results") else "application/json"
            for name, value in (("Content-Type", kind), (SIMULATED_HEADER, "true")):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with serving(Handler) as url:
        yield answers, url


@contextmanager
def batches(url: str) -> Iterator[Batches]:
    asking = Batches(ClaudeAddress(api_key="k", base_url=url, simulated=True), 5.0)
    yield asking
    asking.close()


def batch(name: str, age_s: float = 0, **more: object) -> dict[str, object]:
    counts = {"processing": 0, "succeeded": 3, "errored": 1, "canceled": 0, "expired": 2}
    shape: dict[str, object] = {
        "id": name,
        "type": "message_batch",
        "processing_status": "ended",
        "request_counts": counts,
        "created_at": (NOW - dt.timedelta(seconds=age_s)).isoformat(),
        "expires_at": NOW.isoformat(),
        "ended_at": NOW.isoformat(),
        "results_url": "http://127.0.0.1/results",
        "archived_at": None,
        "cancel_initiated_at": None,
    }
    return shape | more


def test_what_was_created_since_then_by_either_clock_comes_oldest_first(
    said: tuple[Said, str],
) -> None:
    answers, url = said
    listed = [batch("new", 10), batch("edge", 70), batch("old", 500)]
    answers[""] = json.dumps({"data": listed, "has_more": False, "first_id": None, "last_id": None})
    with batches(url) as asking:
        found = asking.recent(NOW - dt.timedelta(seconds=60), skew_s=30)
    assert not isinstance(found, Trouble)
    assert [one.external_id for one in found] == ["edge", "new"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, (True, False)),
        ({"processing_status": "canceling"}, (False, False)),
        ({"processing_status": "in_progress", "results_url": None}, (False, False)),
        ({"archived_at": NOW.isoformat()}, (True, True)),
        ({"results_url": None}, (True, True)),
    ],
)
def test_a_batch_has_ended_when_claude_says_so_and_is_gone_with_its_results(
    said: tuple[Said, str], more: dict[str, object], told: tuple[bool, bool]
) -> None:
    answers, url = said
    answers["/b"] = json.dumps(batch("b", **more))
    with batches(url) as asking:
        seen = asking.look("b")
    assert isinstance(seen, Seen)
    assert (seen.ended, seen.gone) == told
    assert (seen.requests, seen.simulated) == (6, True)


def test_of_the_results_only_what_is_a_line_is_an_item(said: tuple[Said, str]) -> None:
    answers, url = said
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {
        "id": "msg_1",
        "content": [{"type": "text", "text": "On its way."}],
        "stop_reason": "end_turn",
        "usage": usage,
    }
    good = {"custom_id": "1-1-answer", "result": {"type": "succeeded", "message": message}}
    odd = good | {"custom_id": 5}
    ended = [{"custom_id": kind, "result": {"type": kind}} for kind in ("expired", "canceled")]
    lines = [*map(json.dumps, (good, odd, *ended)), "", "  ", "{"]
    answers["/b"] = json.dumps(batch("b", results_url=f"{url}/v1/messages/batches/b/results"))
    answers["/b/results"] = "\n".join(lines)
    with batches(url) as asking, asking.results("b") as items:
        found = list(items)
    got: Callable[[Item | None], object] = lambda item: item.got if item is not None else None  # noqa: E731
    answer, nothing, expired, canceled, broken = map(got, found)
    assert isinstance(answer, Answer)
    assert answer.simulated
    assert (nothing, broken) == (None, None)
    for one in (expired, canceled):
        assert isinstance(one, Troubled)
        assert one.trouble.meaning is Meaning.NOT_SENT
