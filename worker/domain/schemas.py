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
_REPLY: Mapping[str, Any] = {"reply": {"type": "string"}}
_GROUNDED: Mapping[str, Any] = {
    **_REPLY,
    "grounds": {"type": "string"},
    "confidence": {"type": "number"},
}
PLAIN_ANSWER_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": _REPLY,
    "required": list(_REPLY),
    "additionalProperties": False,
}
INLINE_ANSWER_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": _GROUNDED,
    "required": list(_GROUNDED),
    "additionalProperties": False,
}


def answer_schema(accept: Accept) -> Mapping[str, Any]:
    """The user's own schema, or ours with or without an inline confidence."""
    if accept.answer_schema is not None:
        return accept.answer_schema
    return INLINE_ANSWER_SCHEMA if accept.confidence == "inline" else PLAIN_ANSWER_SCHEMA


def schema_version(schema: Mapping[str, Any]) -> str:
    """First 12 hex digits of SHA-256. Order counts: it changes what the model writes first."""
    return _version(orjson.dumps(schema))


@lru_cache(maxsize=256)
def _version(schema: bytes) -> str:
    canonical = json.dumps(orjson.loads(schema), separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]
