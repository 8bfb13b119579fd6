"""What the simulator writes: plain replies, and values for any JSON schema."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from worker.sandbox.simulator.mind import Mood, confidence, is_sure, read
from worker.sandbox.simulator.output_schemas import resolved
from worker.sandbox.simulator.requests import Asked

LABELS = ("SIMPLE", "MODERATE", "COMPLEX")
MARK = "[simulated]"
TOPICS: Sequence[tuple[str, str]] = (
    (r"card|atm|pin", "your card"),
    (r"transfer|payment|paid|pay|deposit", "your payment"),
    (r"refund|charge|fee|bill|invoice", "the charge you asked about"),
    (r"order|deliver|ship|parcel|track", "your order"),
    (r"password|login|log in|account|identity", "your account"),
    (r"internet|mobile|phone|sim|connection|network|plan", "your service"),
    (r"exchange|currency|rate|top.?up", "your balance"),
    (r"credit report|report|bureau|dispute", "your dispute"),
    (r"cancel|close|terminate", "your cancellation"),
    (r"book|room|hotel|reserv", "your booking"),
)
STEPS = (
    "I have looked at the guidance for this and the quickest way is to open the app, choose Help,"
    " and follow the steps shown there.",
    "Please check the details in the app first; most of these cases settle within one working day.",
    "If anything there does not match what you expected, reply to this message and we will look"
    " into it together.",
    "You do not need to do anything else for now, and you can follow the progress under Activity.",
    "For your safety we never ask for your full card number, PIN or password by message.",
    "Where a decision is needed, a colleague will confirm it to you in writing.",
)
_WORD = re.compile(r"[^\W\d_]{4,}")
_PASSAGE = re.compile(
    r"<passage_([0-9a-f]+) id=\"([^\"]+)\"[^>\n]*>\n(.*?)\n</passage_\1>", re.DOTALL
)
_CONTEXT = re.compile(r"<shown_context_[0-9a-f]+ id=\"([^\"]+)\">")
_BLOCK = re.compile(
    r"<shown_context_([0-9a-f]+) id=\"([^\"]+)\">\n(.*?)\n</shown_context_\1>", re.DOTALL
)
_ABOUT_ORDERS = re.compile(
    r"\b(order\w*|deliver\w*|parcel|ship\w*|track\w*|arriv\w*)\b", re.IGNORECASE
)
OF_ROW = ("row", "thread")
MAX_DEPTH = 12
FORGOTTEN_TOGETHER, OTHER_TOGETHER = 0.01, 0.05
"""Shares of messages that are passed over, or labelled otherwise than alone, when several are
labelled in one request. Assumed: nobody has measured it for real models."""


def topic_of(text: str) -> str:
    """A polite name for what the message is about, never the customer's own words."""
    lowered = text[:2_000].lower()
    return next((topic for pattern, topic in TOPICS if re.search(pattern, lowered)), "your request")


def known(user: str, text: str) -> str:
    """What a look-up says, in a sentence, where the message asks about an order; else nothing."""
    if not _ABOUT_ORDERS.search(text[:2_000]):
        return ""
    for _, piece, words in _BLOCK.findall(user):
        if piece not in OF_ROW and ": " in words:
            record = words.partition("\n\n")[0].replace("\n", ", ")
            return f" This is what I can see of it: {record}."
    return ""


def reply(mood: Mood, text: str, known: str = "") -> str:
    """A support answer of 60 to 150 words that says it is simulated."""
    order = sorted(STEPS, key=lambda step: mood.draw(step))
    body = " ".join(order[: 2 + mood.difficulty])
    return (
        f"{MARK} Hello, thank you for your message about {topic_of(text)}.{known}"
        f" {body} Kind regards, the support team."
    )


def plain(mood: Mood, model: str, system: str, text: str) -> str:
    """An answer without a schema: a bare label or HIGH/LOW where the prompt asks for one."""
    lowered = system.lower()
    if "simple" in lowered and "moderate" in lowered and "complex" in lowered:
        return LABELS[mood.difficulty]
    if "high" in lowered and "low" in lowered and "confidence" in lowered:
        return "HIGH" if is_sure(mood, model) else "LOW"
    return reply(mood, text)


def document(
    schema: Mapping[str, Any],
    mood: Mood,
    model: str,
    text: str,
    sources: Sequence[str] = (),
    known: str = "",
) -> Any:
    """A value that fits `schema`, sensible where the names of its properties are."""
    return _Writer(schema, mood, model, text, sources, known).value(schema, "")


def sources(asked: Asked, text: str) -> list[str]:
    """What an answer says it stands on: the passage that shares most words with the message, the
    row and the thread, and what look-ups know where the message asks about it."""
    words = set(_WORD.findall(text[:2_000].lower()))
    best = max(
        (*_passages(asked.system), *_passages(asked.user)),
        key=lambda passage: len(words & passage[1]),
        default=None,
    )
    used = known(asked.user, text)
    pieces = [one for one in _CONTEXT.findall(asked.user) if used or one in OF_ROW]
    return [*([best[0]] if best is not None else []), *pieces]


@lru_cache(maxsize=64)
def _passages(prompt: str) -> list[tuple[str, frozenset[str]]]:
    return [
        (key, frozenset(_WORD.findall(words.lower()))) for _, key, words in _PASSAGE.findall(prompt)
    ]


def labels(several: Sequence[tuple[str, str]], seed: int) -> dict[str, Any]:
    """Labels of several messages in one answer, some of them forgotten or one step off."""
    entries = []
    for key, words in several:
        mood = read(seed, words)
        luck, difficulty = mood.draw("together"), mood.difficulty
        if luck < FORGOTTEN_TOGETHER:
            continue
        if luck < FORGOTTEN_TOGETHER + OTHER_TOGETHER:
            difficulty += -1 if difficulty == len(LABELS) - 1 else 1
        entries.append({"id": key, "difficulty": LABELS[difficulty]})
    return {"labels": entries}


class _Writer:
    def __init__(
        self,
        root: Mapping[str, Any],
        mood: Mood,
        model: str,
        text: str,
        sources: Sequence[str] = (),
        known: str = "",
    ) -> None:
        self._root, self._mood, self._model, self._text = root, mood, model, text
        self._sources, self._known = sources, known

    def value(self, schema: Mapping[str, Any], name: str, depth: int = 0) -> Any:
        if depth > MAX_DEPTH:
            return None
        if "$ref" in schema:
            return self.value(resolved(self._root, schema["$ref"]), name, depth + 1)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._choose(schema["enum"], name)
        for union in ("anyOf", "oneOf", "allOf"):
            if options := schema.get(union):
                chosen = next((o for o in options if o.get("type") != "null"), options[0])
                return self.value(chosen, name, depth + 1)
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((k for k in kind if k != "null"), "null")
        return self._of_kind(kind, schema, name, depth)

    def _of_kind(self, kind: str, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        match kind:
            case "object":
                properties: Mapping[str, Any] = schema.get("properties", {})
                return {k: self.value(v, k, depth + 1) for k, v in properties.items()}
            case "array" if name == "sources":
                return list(self._sources)
            case "array":
                return [self.value(schema.get("items", {}), name, depth + 1)]
            case "number":
                return confidence(self._mood, self._model) if "confiden" in name else 0.5
            case "integer":
                return 1 + int(self._mood.draw(name) * 5)
            case "boolean":
                return is_sure(self._mood, self._model)
            case "null":
                return None
            case _:
                return self._words(name)

    def _words(self, name: str) -> str:
        if name in ("reply", "answer", "response", "message", "text", "body"):
            return reply(self._mood, self._text, self._known)
        if name in ("difficulty", "label"):
            return LABELS[self._mood.difficulty]
        if "confiden" in name:
            return "HIGH" if is_sure(self._mood, self._model) else "LOW"
        if name == "language":
            return "en"
        return f"{MARK} judged from the length and wording of the message"

    def _choose(self, options: Sequence[Any], name: str) -> Any:
        by_word = {str(option).upper(): option for option in options}
        chosen: Any = None
        if set(by_word) >= set(LABELS):
            chosen = by_word[LABELS[self._mood.difficulty]]
        elif set(by_word) >= {"REPLY", "HAND_OVER"}:
            chosen = by_word["REPLY"]
        elif set(by_word) >= {"HIGH", "LOW"}:
            chosen = by_word["HIGH" if is_sure(self._mood, self._model) else "LOW"]
        else:
            chosen = options[int(self._mood.draw(name) * len(options)) % len(options)]
        # The API does not guarantee the case of enum values; now and then it is another.
        if isinstance(chosen, str) and self._mood.draw(f"case {name}") < 0.03:
            return chosen.lower()
        return chosen


def as_text(value: Any) -> str:
    """A document as the model would write it."""
    return orjson.dumps(value).decode()
