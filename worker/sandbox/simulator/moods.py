"""Scripted moods: what goes wrong, when, and for which requests.

A mood is a JSON object. What it matches: `model` and `contains` (substrings), `purpose` (the end
of the `x-rung-call` header), `first` (only the first n matching requests), `every` (each n-th),
`probability` (0 to 1, from the request's own hash). What it does is one of:

    {"status": 529, "type"?, "message"?, "code"?, "headers"?}     an error response, as the door
                                       says it: Bedrock and Vertex in their own form and types,
                                       without codes and headers
    {"refusal": "bio"}  {"truncated": true}  {"empty": true}  {"stop_reason": "new_word"}
    {"text": "…"}  {"json": {…}}  {"merge": {…}}                  another answer
    {"thinking": true}  {"lower_case": true}  {"drop": "confidence"}
    {"slow": 3.0}  {"hang": true}  {"drip": 0.5}  {"reset": true}  {"cut": true}
    {"garbage": true}                                             trouble on the wire
    {"batch": "expired" | "errored" | "canceled"}                 items of a Message Batch
    {"create": "drop" | "404" | "refuse"}  {"results": "shuffle" | "malformed" | "unknown"
                                            | "duplicate" | "missing" | "404"}
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MATCHERS = frozenset({"model", "contains", "purpose", "first", "every", "probability"})


@dataclass(slots=True)
class MoodRule:
    """One mood with its count of matching requests."""

    match: Mapping[str, Any]
    do: Mapping[str, Any]
    seen: int = 0

    def applies(self, model: str, body: str, call: str) -> bool:
        """Whether this request meets the mood; counts it when its filters match."""
        match = self.match
        if match.get("model", "") not in model or match.get("contains", "") not in body:
            return False
        if not call.endswith(match.get("purpose", "")):
            return False
        self.seen += 1
        if self.seen > match.get("first", self.seen):
            return False
        if self.seen % match.get("every", 1):
            return False
        return _draw(body, call) < float(match.get("probability", 1.0))


def _draw(body: str, call: str) -> float:
    digest = hashlib.blake2b(f"{call}|{body}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


@dataclass(slots=True)
class Moods:
    """The rules in force, in order; every one that applies adds to what is done."""

    rules: list[MoodRule] = field(default_factory=list)

    def replace(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Takes new rules. Raises ValueError for one that is not a mood."""
        if isinstance(documents, str | Mapping) or not isinstance(documents, Iterable):
            raise ValueError("moods are a list")
        rules = []
        for document in documents:
            mood = document if isinstance(document, Mapping) else {}
            match, do = mood.get("match", {}), mood.get("do")
            known = isinstance(match, Mapping) and not set(match) - MATCHERS
            if not known or not isinstance(do, Mapping):
                raise ValueError(f"not a mood: {document}")
            rules.append(MoodRule(match, do))
        self.rules = rules

    def of(self, model: str, body: str, call: str) -> dict[str, Any]:
        """What is to be done with this request; the first rule that says a thing has it."""
        done: dict[str, Any] = {}
        for rule in self.rules:
            if rule.applies(model, body, call):
                done = {**rule.do, **done}
        return done
