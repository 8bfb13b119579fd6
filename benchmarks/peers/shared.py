"""What the peers' yards share: what is asked, and how long it takes until it has ended."""

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from benchmarks.house import House, backlog
from benchmarks.services import LOOK_EVERY_S
from benchmarks.worker_cpu import prompts_of
from models.vocabulary import Purpose
from worker.claude.prompts import fenced
from worker.claude.requests import Ask
from worker.domain.messages import MessageText
from worker.domain.schemas import PLAIN_ANSWER_SCHEMA

WITHIN_S = 900.0


def requests_for(home: House, count: int) -> list[dict[str, Any]]:
    """Parameters of `messages.create` for the sample backlog's first messages, at the tier haiku,
    as Rung would ask."""
    system = prompts_of(home)[Purpose.ANSWER].system()
    tier = home.settings.tiers["haiku"]
    found = []
    for _, record in zip(range(count), backlog(), strict=False):
        message = MessageText(
            body=record.body,
            subject=record.subject,
            channel=record.channel,
            language=record.language,
        )
        said = [{"role": "user", "content": fenced(message)}]
        ask = Ask(
            key="",
            purpose=Purpose.ANSWER,
            model=tier.model,
            system=system,
            messages=said,
            schema=PLAIN_ANSWER_SCHEMA,
            max_tokens=tier.max_tokens,
            effort=None,
        )
        found.append(ask.parameters())
    return found


def asked(home: House) -> dict[str, Any]:
    """What the simulator has counted so far."""
    with urllib.request.urlopen(f"{home.simulator_url}/_sim/stats") as response:
        found: dict[str, Any] = json.load(response)
    return found


def until(done: Callable[[], bool]) -> None:
    """Waits for it. Raises TimeoutError."""
    deadline = time.monotonic() + WITHIN_S
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError("a peer did not get there")
        time.sleep(LOOK_EVERY_S)
