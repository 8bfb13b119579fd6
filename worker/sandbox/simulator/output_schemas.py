"""Schemas of structured output, read as strictly as the API does."""

from collections.abc import Mapping
from typing import Any

from worker.sandbox.simulator.problems import Problem

UNSUPPORTED = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength"),
    }
)
"""What a schema may not say: ranges and lengths."""


def read_schema(output_config: Any) -> Mapping[str, Any] | None:
    """The schema of `output_config`. Raises Problem with status 400."""
    if output_config is None:
        return None
    if not isinstance(output_config, dict):
        raise Problem(status=400, message="output_config: Input should be an object")
    effort = output_config.get("effort")
    if effort is not None and effort not in ("low", "medium", "high", "xhigh", "max"):
        raise Problem(
            status=400, message="output_config.effort: Input should be 'low', 'medium' or 'high'"
        )
    wanted = output_config.get("format")
    if wanted is None:
        return None
    schema = wanted.get("schema") if isinstance(wanted, dict) else None
    if not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
        raise Problem(
            status=400, message="output_config.format.type: Input should be 'json_schema'"
        )
    if not isinstance(schema, dict):
        raise Problem(status=400, message="output_config.format.schema: Field required")
    _require_closed(schema)
    _require_finite(schema, schema, ())
    return schema


def _require_closed(schema: Any, depth: int = 0) -> None:
    if depth > 30 or not isinstance(schema, dict):
        return
    is_object = schema.get("type") == "object" or "properties" in schema
    if is_object and schema.get("additionalProperties") is not False:
        raise Problem(
            status=400,
            message="output_config.format.schema: For 'object' type, 'additionalProperties' must be"
            " explicitly set to false",
        )
    for key in sorted(UNSUPPORTED & set(schema)):
        if not isinstance(schema[key], dict):
            raise Problem(
                status=400,
                message=f"output_config.format.schema: property '{key}' is not supported",
            )
    for value in schema.values():
        if isinstance(value, dict):
            _require_closed(value, depth + 1)
            for inner in value.values():
                _require_closed(inner, depth + 1)
        elif isinstance(value, list):
            for inner in value:
                _require_closed(inner, depth + 1)


def _require_finite(root: Mapping[str, Any], part: Any, inside: tuple[str, ...]) -> None:
    """Refuses a schema that refers to itself, directly or by way of others."""
    if isinstance(part, list):
        for inner in part:
            _require_finite(root, inner, inside)
    if not isinstance(part, dict):
        return
    reference = part.get("$ref")
    if isinstance(reference, str):
        if reference in inside or reference == "#":
            raise Problem(
                status=400,
                message="output_config.format.schema: recursive schemas are not supported",
            )
        _require_finite(root, resolved(root, reference), (*inside, reference))
    for key, inner in part.items():
        if key not in ("$defs", "definitions"):
            _require_finite(root, inner, inside)


def resolved(root: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    """What `#/$defs/…` stands for; nothing when it is not there."""
    found: Any = root
    for part in reference.lstrip("#/").split("/"):
        found = found.get(part, {}) if isinstance(found, Mapping) else {}
    return found if isinstance(found, Mapping) else {}
