"""The JSON schemas that are asked for, and their versions.

Claude's structured output (November 2026): `additionalProperties: false` is required, there are no
numeric ranges or lengths, and required fields come first in the order given, so grounds stand
before the confidence that rests on them.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from worker.domain.policy import DIFFICULTIES, Accept

CLASSIFY_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"difficulty": {"type": "string", "enum": list(DIFFICULTIES)}},
    "required": ["difficulty"],
    "additionalProperties": False,
}
CLASSIFY_MANY_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "labels": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"id": {"type": "string"}, **CLASSIFY_SCHEMA["properties"]},
                "required": ["id", "difficulty"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["labels"],
    "additionalProperties": False,
}
CHECK_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "reason": {"type": "string"},
        "confidence": {"type": "string", "enum": ["HIGH", "LOW"]},
    },
    "required": ["reason", "confidence"],
    "additionalProperties": False,
}
REPLY, HAND_OVER, NO_REPLY = "reply", "hand_over", "none"
"""What is to be done with an answer: it goes out, a person takes over, or nothing need be said."""


def _object(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_REPLY: dict[str, Any] = {"reply": {"type": "string"}}
_SOURCES: dict[str, Any] = {"sources": {"type": "array", "items": {"type": "string"}}}
_GROUNDS: dict[str, Any] = {"grounds": {"type": "string"}}
_ACTION: dict[str, Any] = {
    "action": {"type": "string", "enum": [REPLY, HAND_OVER, NO_REPLY]},
}
_CONFIDENCE: dict[str, Any] = {"confidence": {"type": "number"}}
ACTING = frozenset({*_SOURCES, *_ACTION})
PLAIN_ANSWER_SCHEMA = _object(_REPLY | _SOURCES | _ACTION)
INLINE_ANSWER_SCHEMA = _object(_REPLY | _SOURCES | _GROUNDS | _ACTION | _CONFIDENCE)
EARLIER_PLAIN_SCHEMA = _object(_REPLY)
EARLIER_INLINE_SCHEMA = _object(_REPLY | _GROUNDS | _CONFIDENCE)
"""What was asked for before answers named their sources."""


def answer_schema(accept: Accept) -> Mapping[str, Any]:
    """The user's own schema, or ours with or without an inline confidence."""
    if accept.answer_schema is not None:
        return accept.answer_schema
    return INLINE_ANSWER_SCHEMA if accept.confidence == "inline" else PLAIN_ANSWER_SCHEMA


def judged_by(accept: Accept, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that an answer is held to. One on record from before answers named sources and an
    action knows neither, and goes on being what it was."""
    asked = answer_schema(accept)
    if accept.answer_schema is not None or not ACTING.isdisjoint(document):
        return asked
    return EARLIER_INLINE_SCHEMA if asked is INLINE_ANSWER_SCHEMA else EARLIER_PLAIN_SCHEMA


def schema_version(schema: Mapping[str, Any]) -> str:
    """First 12 hex digits of SHA-256. Order counts: it changes what the model writes first."""
    return _version(orjson.dumps(schema))


@lru_cache(maxsize=256)
def _version(schema: bytes) -> str:
    canonical = json.dumps(orjson.loads(schema), separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]
