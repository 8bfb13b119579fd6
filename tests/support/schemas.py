"""Values for a JSON Schema: the part of it that our own descriptions use."""

from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]
KNOWN = {
    *("type", "enum", "const", "anyOf", "properties", "required", "additionalProperties", "items"),
    *("minimum", "maximum", "minLength", "maxLength", "pattern", "default", "description"),
}
LONGEST = 300
"""Texts of a schema without a bound, or with a large one, stay at most so long."""


def values_of(schema: Schema) -> st.SearchStrategy[Any]:
    """Valid values. Raises ValueError for a keyword that is not known here."""
    if unknown := set(schema) - KNOWN:
        raise ValueError(f"teach this module {sorted(unknown)}")
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    if "anyOf" in schema:
        return st.one_of([values_of(choice) for choice in schema["anyOf"]])
    low, high = schema.get("minimum"), schema.get("maximum")
    match schema["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(low, high)
        case "number":
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case "array":
            return st.lists(values_of(schema["items"]), max_size=4)
        case "object":
            return _objects(schema)
    return _texts(schema)


def _texts(schema: Schema) -> st.SearchStrategy[str]:
    low, high = schema.get("minLength", 0), min(schema.get("maxLength", LONGEST), LONGEST)
    if "pattern" in schema:
        found = st.from_regex(schema["pattern"], fullmatch=True)
        return found.filter(lambda text: low <= len(text) <= high)
    return st.text(st.characters(codec="utf-8"), min_size=low, max_size=high)


def _objects(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    required = schema.get("required", [])
    fields = {name: values_of(inner) for name, inner in schema.get("properties", {}).items()}
    return st.fixed_dictionaries(
        {name: fields[name] for name in required},
        optional={name: field for name, field in fields.items() if name not in required},
    )
