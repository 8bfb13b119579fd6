"""What a model said, read without trusting it.

Nothing here raises: any text is an answer, perhaps a `malformed` one.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from worker.domain.policy import DIFFICULTIES, Difficulty
from worker.domain.pricing import Usage
from worker.domain.text import storable
from worker.domain.trouble import Trouble

USABLE_STOPS = frozenset({"end_turn", "stop_sequence"})
TRUNCATING_STOPS = frozenset({"max_tokens", "model_context_window_exceeded"})
REFUSAL = "refusal"
STOPS = USABLE_STOPS | TRUNCATING_STOPS | {REFUSAL, "tool_use", "pause_turn"}
CATEGORIES = frozenset({"cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms"})
SERVICE_TIERS = frozenset({"standard", "priority", "batch"})
"""Why Claude stops, what it refuses and as what it serves (November 2026)."""
MAX_ANSWER_CHARS = 400_000
"""Beyond this an answer is malformed unread; 21,333 tokens, the longest answer asked for without
streaming, stay far below."""

MAX_DEPTH = 64
"""Levels of lists and objects. Deeper ones no database, spreadsheet or person reads."""
MAX_INTEGER = 2**64
"""Whole numbers from here on are exact in no JSON library but Python's."""

CONFIDENCE_STEP = Decimal("0.0001")

_FENCE = "```"
_WORDS = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """The text blocks of one response joined, with why it stopped.

    `category` is a refusal's `stop_details.category`.
    """

    text: str
    stop_reason: str | None = "end_turn"
    category: str | None = None


def parse_object(text: str) -> Mapping[str, Any] | None:
    """The JSON object in `text`, or None: a code fence around it is forgiven, nothing else.

    What comes out can be stored: no NUL, no half characters, no infinite or endless numbers, no
    more than `MAX_DEPTH` levels. Time is linear in the text.
    """
    if len(text) > MAX_ANSWER_CHARS:
        return None
    try:
        value = _storable(_JSON.decode(_unfenced(text)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _unfenced(text: str) -> str:
    """The text inside a code fence that is around all of it."""
    stripped = text.strip()
    if len(stripped) < 2 * len(_FENCE) or not stripped.startswith(_FENCE):
        return text
    language, newline, inside = stripped[len(_FENCE) :].partition("\n")
    if not newline or not stripped.endswith(_FENCE) or not (language.strip() or "x").isalpha():
        return text
    return inside[: -len(_FENCE)]


def _storable(value: Any, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    match value:
        case str():
            return storable(value)
        case list():
            return [_storable(inner, depth + 1) for inner in value]
        case dict():
            return {storable(key): _storable(inner, depth + 1) for key, inner in value.items()}
    return value


def _refused(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("beyond every number")
    return number


def _whole(digits: str) -> int:
    number = int(digits)
    if abs(number) >= MAX_INTEGER:
        raise ValueError("too many digits")
    return number


_JSON = json.JSONDecoder(parse_constant=_refused, parse_float=_finite, parse_int=_whole)


def read_difficulty(answer: ModelAnswer) -> Difficulty | None:
    """The label of a classification, in any case and any markup; None when it has none or two."""
    if answer.stop_reason not in USABLE_STOPS:
        return None
    document = parse_object(answer.text)
    spoken = str(document.get("difficulty", "")) if document is not None else answer.text
    words = {word.upper() for word in _WORDS.findall(spoken[:2000])}
    found = [label for label in DIFFICULTIES if label in words]
    return found[0] if len(found) == 1 else None


def read_confidence(value: Any) -> Decimal | None:
    """HIGH or LOW in any case, or a number from 0 to 1, as a Decimal; None when unreadable."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        word = value.strip().strip("\"'`*.").upper()
        if word in ("HIGH", "LOW"):
            return Decimal(1) if word == "HIGH" else Decimal(0)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or not 0 <= number <= 1:
        return None
    return number.quantize(CONFIDENCE_STEP)


def read_check(answer: ModelAnswer) -> Decimal | None:
    """Confidence from a separate check: its schema's field, or a bare HIGH or LOW."""
    if answer.stop_reason not in USABLE_STOPS:
        return None
    document = parse_object(answer.text)
    if document is not None:
        return read_confidence(document.get("confidence"))
    words = {word.upper() for word in _WORDS.findall(answer.text[:2000])} & {"HIGH", "LOW"}
    return read_confidence(words.pop()) if len(words) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response with HTTP 200, whatever it says."""

    answer: ModelAnswer
    usage: Usage
    latency_ms: int | None
    """None in the batch lane, where nobody waits for one answer."""
    request_id: str | None
    service_tier: str | None
    simulated: bool
    headers: Mapping[str, str]
    whole: Usage | None = None
    """Tokens of the whole request, where it was shared with other messages."""
    shared: int = 1
    """Messages that the request served."""


@dataclass(frozen=True, slots=True)
class Troubled:
    """No usable response, and what that means."""

    trouble: Trouble
    latency_ms: int | None
    shared: int = 1
    """Messages that the request was to serve."""
