"""What a client makes of servers that are busy, gone for a while, or somebody else's."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

import rung
from rung import lifetimes
from tests.support.wire import serving

RUNNING = {"run": "r", "state": "active", "total": 2, "ended": 1, "by_state": {}, "spent_usd": 0}
RUNNING["simulated"] = True
OVER = {**RUNNING, "state": "finished", "ended": 2}
BUSY = {"title": "Too Many Requests", "detail": "Slowly, please."}
Said = tuple[int, dict[str, str], bytes]


def test_an_address_without_its_beginning_is_called_so() -> None:
    with pytest.raises(rung.CannotReach, match="begins with http://"):
        rung.Client("localhost:8420", "token").status("day")


def said(status: int, document: object, **headers: str) -> Said:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, named, json.dumps(document).encode()


@contextmanager
def answering(*answers: Said) -> Iterator[str]:
    """The address of a server that gives these answers, the last one over and over."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, content = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with serving(Handler) as address:
        yield address


def by_thread(url: str, ask: Callable[[Any], Any]) -> Any:
    with rung.Client(url, "token") as client:
        found = ask(client)
        return found if isinstance(found, rung.RunState) else list(found)


def by_loop(url: str, ask: Callable[[Any], Any]) -> Any:
    async def use() -> Any:
        async with rung.AsyncClient(url, "token") as client:
            found = ask(client)
            if hasattr(found, "__aiter__"):
                return [row async for row in found]
            return await found

    return asyncio.run(use())


@pytest.fixture(params=[by_thread, by_loop])
def asked(request: pytest.FixtureRequest) -> Callable[[str, Callable[[Any], Any]], Any]:
    found: Callable[[str, Callable[[Any], Any]], Any] = request.param
    return found


def test_who_is_asked_to_come_later_learns_when(asked: Any) -> None:
    with answering(said(429, BUSY, Retry_After="7")) as url:
        with pytest.raises(rung.CannotReach, match="Slowly") as caught:
            asked(url, lambda client: client.status("r"))
        assert (caught.value.status, caught.value.retry_after_s) == (429, 7)
        with pytest.raises(rung.CannotReach, match="Slowly") as caught:
            asked(url, lambda client: client.results("r"))
        assert caught.value.retry_after_s == 7
    with answering(said(409, BUSY, Retry_After="Fri, 27 Nov 2026 08:00:00 GMT")) as url:
        with pytest.raises(rung.Conflicting) as refused:
            asked(url, lambda client: client.status("r"))
        assert refused.value.retry_after_s is None


@pytest.mark.parametrize("status", [200, 301])
def test_the_server_of_somebody_else_is_said(asked: Any, status: int) -> None:
    elsewhere = {"Location": "https://x.example/"} if status == 301 else {}
    with answering((status, elsewhere, b"<html>Sign in</html>")) as url:
        for ask in (lambda client: client.status("r"), lambda client: client.results("r")):
            with pytest.raises(rung.Refused, match="is the address right"):
                asked(url, ask)


def test_waiting_outlives_a_server_that_is_gone_for_a_while(asked: Any) -> None:
    gone = [said(503, {"detail": "Starting."}), said(429, BUSY, Retry_After="0")]
    with answering(said(200, RUNNING), *gone, said(200, OVER)) as url:
        assert asked(url, lambda client: client.wait("r", poll_s=0.001)).ended == 2


def test_waiting_ends_where_nobody_ever_was(asked: Any) -> None:
    with answering(said(503, {"detail": "Starting."})) as url, pytest.raises(rung.CannotReach):
        asked(url, lambda client: client.wait("r", poll_s=0.001))


def test_waiting_ends_in_its_time_and_after_its_patience(
    asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = said(429, BUSY, Retry_After="30")
    with answering(said(200, RUNNING), busy) as url, pytest.raises(rung.StillRunning, match="1 of"):
        asked(url, lambda client: client.wait("r", poll_s=0.001, timeout_s=5))
    monkeypatch.setattr(lifetimes, "PATIENCE_S", 0.0)
    with (
        answering(said(200, RUNNING), busy) as url,
        pytest.raises(rung.CannotReach, match="Slowly"),
    ):
        asked(url, lambda client: client.wait("r", poll_s=0.001))
