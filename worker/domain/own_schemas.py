"""A user's own JSON schema for answers: what Claude's structured output would refuse of it, and
what Rung cannot do without. Found when the policy is loaded: later, every job would be dead.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from worker.domain.policy import Accept

UNSUPPORTED = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength"),
    }
)
"""What structured output does not take (November 2026): ranges and lengths."""
MAX_DEPTH = 30
NAMED = frozenset({"properties", "$defs", "definitions", "patternProperties"})
"""Keywords that map names of the user's to schemas."""


def schema_complaints(accept: Accept) -> list[str]:
    """What is wrong with `accept.answer_schema`, as ends of sentences; empty without one."""
    schema = accept.answer_schema
    if schema is None:
        return []
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path)) or "the schema"
        return [f"is no JSON schema: {where}: {error.message[:200]}"]
    return list(dict.fromkeys([*_essentials(accept, schema), *_refused(schema, "the schema", 0)]))


def _essentials(accept: Accept, schema: Mapping[str, Any]) -> Iterator[str]:
    properties, required = schema.get("properties", {}), schema.get("required", ())
    if schema.get("type") != "object":
        yield 'must have type = "object"'
    if properties.get("reply", {}).get("type") != "string" or "reply" not in required:
        yield 'needs a required property reply with type = "string"'
    if accept.confidence == "inline" and "confidence" not in properties:
        yield (
            "has no property confidence, so every answer would count as LOW; add one, or set"
            ' accept.confidence to "separate" or "off"'
        )


def _refused(part: Any, where: str, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        yield f"is nested deeper than {MAX_DEPTH} levels"
        return
    if not isinstance(part, Mapping):
        return
    is_object = part.get("type") == "object" or "properties" in part
    if is_object and part.get("additionalProperties") is not False:
        yield f"needs additionalProperties = false at {where}; Claude refuses it otherwise"
    for keyword in sorted(UNSUPPORTED & set(part)):
        yield f"says {keyword} at {where}, which Claude does not take; use a validator instead"
    if part.get("$ref") == "#":
        yield f"refers to itself at {where}, which Claude does not take"
    for keyword, inner in part.items():
        yield from _inside(keyword, inner, depth)


def _inside(keyword: str, inner: Any, depth: int) -> Iterator[str]:
    if keyword in NAMED and isinstance(inner, Mapping):
        for name, schema in inner.items():
            yield from _refused(schema, str(name), depth + 1)
    elif isinstance(inner, list) and keyword in ("anyOf", "allOf", "oneOf", "prefixItems"):
        for schema in inner:
            yield from _refused(schema, keyword, depth + 1)
    elif isinstance(inner, Mapping) and keyword not in ("enum", "const", "default", "examples"):
        yield from _refused(inner, keyword, depth + 1)
