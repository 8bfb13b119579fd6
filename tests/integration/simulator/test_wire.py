"""Connections that fail: what the worker's own client makes of them."""

import asyncio
import socket
from typing import Any

import pytest

from models.vocabulary import Purpose
from tests.integration.simulator.conftest import Told
from tests.support.both_ways import at
from worker.claude.client import Claude
from worker.claude.requests import Ask
from worker.domain.answers import Answer, Troubled
from worker.domain.trouble import Meaning
from worker.sandbox.simulator.state import State

HAIKU = "claude-haiku-5-5"
SAID: list[dict[str, Any]] = [{"role": "user", "content": "Where is my parcel?"}]
CLOSED = {"type": "object", "properties": {}, "additionalProperties": False}
ASK = Ask(
    key="7-1-answer",
    purpose=Purpose.ANSWER,
    model=HAIKU,
    system=[],
    messages=SAID,
    schema=CLOSED,
    max_tokens=300,
    effort=None,
)


def heard(address: str, deadline_s: float = 20) -> Answer | Troubled:
    """What the worker's own client makes of the reply."""

    async def once() -> Answer | Troubled:
        claude = Claude(at(address), connect_s=2, deadline_s=deadline_s)
        try:
            return await claude.ask(ASK)
        finally:
            await claude.close()

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("mood", "kind"),
    [
        ({"reset": True}, "connection lost"),
        ({"cut": True}, "connection lost"),
        ({"hang": True}, "deadline"),
        ({"slow": 30}, "deadline"),
        ({"drip": 0.05}, "deadline"),
        ({"garbage": True}, "unreadable answer (JSONDecodeError)"),
    ],
)
def test_trouble_on_the_wire_is_an_unknown_outcome(
    simulator: tuple[State, str], told: Told, mood: dict[str, Any], kind: str
) -> None:
    # given
    told(**mood)
    # when
    found = heard(simulator[1], 1.0)
    # then
    assert isinstance(found, Troubled)
    assert (found.trouble.meaning, found.trouble.kind) == (Meaning.UNKNOWN, kind)


def test_a_connection_that_never_stood_was_never_sent() -> None:
    # given
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        # when
        found = heard(address)
    # then
    assert isinstance(found, Troubled)
    assert found.trouble.meaning is Meaning.NOT_SENT
