"""A Claude that says what a test tells it to, behind the worker's own code for asking."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from models.vocabulary import Purpose
from worker.claude.requests import Ask
from worker.domain.answers import Answer, ModelAnswer, Troubled
from worker.domain.pricing import Usage
from worker.domain.trouble import Meaning, Trouble

REPLY = "Thank you for writing to us. Your card was sent on Monday, and it is on its way to you."


class Died(BaseException):
    """The worker died while a call was under way: nobody will report."""


def _document(ask: Ask, sure: bool) -> str:
    match ask.purpose:
        case Purpose.CLASSIFY:
            said: dict[str, Any] = {"difficulty": "SIMPLE" if sure else "MODERATE"}
        case Purpose.CHECK:
            said = {"reason": "as asked", "confidence": "HIGH" if sure else "LOW"}
        case _:
            said = {"reply": REPLY, "grounds": "as asked", "confidence": 0.95 if sure else 0.1}
    return json.dumps(said)


def _answer(text: str, stop: str = "end_turn", category: str | None = None) -> Answer:
    usage = Usage(
        input_tokens=120,
        cache_read_tokens=30,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        output_tokens=40,
    )
    return Answer(
        answer=ModelAnswer(text, stop, category),
        usage=usage,
        latency_ms=5,
        request_id="req_1",
        service_tier="standard",
        simulated=True,
        headers={},
    )


def _trouble(meaning: Meaning, status: int | None = None) -> Callable[[Ask], Troubled]:
    return lambda _: Troubled(Trouble(meaning=meaning, kind="as told", status=status), 5)


BEHAVIOURS: dict[str, Callable[[Ask], Answer | Troubled]] = {
    "sure": lambda ask: _answer(_document(ask, True)),
    "unsure": lambda ask: _answer(_document(ask, False)),
    "refused": lambda _: _answer("", "refusal", "bio"),
    "truncated": lambda ask: _answer(_document(ask, True)[:20], "max_tokens"),
    "empty": lambda _: _answer(""),
    "malformed": lambda _: _answer("well, let me see"),
    "new word": lambda ask: _answer(_document(ask, True), "a_new_word"),
    "too many": _trouble(Meaning.RATE_LIMITED, 429),
    "overloaded": _trouble(Meaning.OVERLOADED, 529),
    "broken": _trouble(Meaning.UNKNOWN, 500),
    "reset": _trouble(Meaning.UNKNOWN),
    "too long": _trouble(Meaning.TOO_LONG, 400),
    "wrong": _trouble(Meaning.PERMANENT, 400),
    "no key": _trouble(Meaning.CONFIGURATION, 401),
    "no money": _trouble(Meaning.MONEY, 402),
    "not sent": _trouble(Meaning.NOT_SENT),
}
DIES = "dies"
"""The worker dies after this call has left."""


class Scripted:
    """Stands where `worker.claude.client.Claude` does. `asked` counts what left, by call."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.script: dict[Purpose, str] = {}
        """What to do, by purpose; `sure` where nothing is said."""

    async def ask(self, ask: Ask, remaining_s: float | None = None) -> Answer | Troubled:
        """As the script says."""
        what = self.script.get(ask.purpose, "sure")
        if what != "not sent":
            self.asked[ask.key] += 1
        if what == DIES:
            raise Died
        return BEHAVIOURS[what](ask)
