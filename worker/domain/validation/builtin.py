"""The validators that come with Rung."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator as SchemaValidator
from jsonschema.validators import extend

from worker.domain.validation.base import Draft, Validator
from worker.domain.validation.grounded import GROUNDED
from worker.domain.validation.injection import INJECTION
from worker.domain.validation.language import LANGUAGE
from worker.domain.validation.patterns import search
from worker.domain.validation.promises import PROMISES

MIN_CHARS, MAX_CHARS = 20, 6_000
_FLAT = frozenset({"type", "properties", "required", "additionalProperties"})
_TEXTS = {"type": "array", "items": {"type": "string"}}
_PLAIN: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
}
_PLACEHOLDER = re.compile(
    r"\[(?:your |insert |agent |customer |company |order )[^\]\n]{0,40}\]"
    r"|\{\{[^}\n]{1,40}\}\}|<(?:insert|your|name|customer)[^>\n]{0,40}>|\bXXX+\b|\blorem ipsum\b"
    r"|\bTODO\b|\bTBD\b",
    re.IGNORECASE,
)

_SIGNS = ("[", "{{", "<", "xxx", "lorem", "todo", "tbd")
"""One of these is in every placeholder, and they are found in a fraction of the time."""


def placeholder(draft: Draft, _options: Mapping[str, Any]) -> str | None:
    """Template slots that nobody filled in. What the customer wrote first may be repeated:
    complaints redacted with XXXX are quoted back."""
    lowered = draft.reply.lower()
    if not any(sign in lowered for sign in _SIGNS):
        return None
    for match in _PLACEHOLDER.finditer(draft.reply):
        if match.group(0) not in draft.message.text:
            return "the reply holds placeholder text that was never filled in"
    return None


def length(draft: Draft, options: Mapping[str, Any]) -> str | None:
    """Characters of the reply within `min_chars` (20) and `max_chars` (6,000)."""
    low, high = options.get("min_chars", MIN_CHARS), options.get("max_chars", MAX_CHARS)
    size = len(draft.reply.strip())
    if size < low:
        return f"the reply has {size} characters, fewer than {low}"
    if size > high:
        return f"the reply has {size} characters, more than {high}"
    return None


def schema(draft: Draft, _options: Mapping[str, Any]) -> str | None:
    """The structured answer against the schema that was asked for."""
    if _plainly_fits(draft.schema, draft.document):
        return None
    errors = sorted(
        _validator_for(orjson.dumps(draft.schema)).iter_errors(draft.document),
        key=lambda error: list(error.absolute_path),
    )
    if not errors:
        return None
    where = "/".join(str(part) for part in errors[0].absolute_path) or "the answer"
    return f"{where} breaks the schema's {errors[0].validator!s} rule"


def _plainly_fits(schema: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether a flat object of plain values is as it was asked for, which nearly every answer is.
    False says nothing: the schema may know more than is looked at here."""
    properties = schema.get("properties")
    if schema.keys() - _FLAT or not isinstance(properties, Mapping):
        return False
    if schema.get("type") != "object" or properties.keys() != document.keys():
        return False
    if not properties.keys() >= set(schema.get("required", ())):
        return False
    return all(_fits(wanted, document[name]) for name, wanted in properties.items())


def _fits(wanted: Any, value: Any) -> bool:
    """A plain value, one of some words as they were asked for, or a list of texts."""
    if not isinstance(wanted, Mapping):
        return False
    if wanted == _TEXTS:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if wanted.keys() == {"type", "enum"}:
        return isinstance(value, str) and value in wanted["enum"]
    return wanted.keys() == {"type"} and type(value) in _PLAIN.get(str(wanted["type"]), ())


@lru_cache(maxsize=64)
def _validator_for(canonical: bytes) -> SchemaValidator:
    tolerant: SchemaValidator = _Tolerant(orjson.loads(canonical))
    return tolerant


def _enum(
    validator: SchemaValidator, allowed: Sequence[Any], value: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """The case of enum values is not guaranteed by structured output, so it does not count."""
    words = [one.casefold() for one in allowed if isinstance(one, str)]
    if not isinstance(value, str) or value.casefold() not in words:
        yield from Draft202012Validator.VALIDATORS["enum"](validator, allowed, value, schema)


def _pattern(
    _validator: SchemaValidator, pattern: str, value: Any, _schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """Within a time bound, as every regular expression of a user's."""
    if isinstance(value, str) and not search(pattern, value):
        yield ValidationError("the pattern is not found, or took too long")


_Tolerant = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"enum": _enum, "pattern": _pattern}
)


BUILTIN: dict[str, Validator] = {
    "schema": schema,
    "placeholder": placeholder,
    "length": length,
    **PROMISES,
    **INJECTION,
    **LANGUAGE,
    **GROUNDED,
}

TEXTS, NUMBER = "a list of texts", "a number"
OPTIONS: Mapping[str, Mapping[str, str]] = {
    "length": {"min_chars": NUMBER, "max_chars": NUMBER},
    "must_match": {"patterns": TEXTS},
    "must_not_match": {"patterns": TEXTS},
    "personal_data": {"allow": TEXTS},
    "links": {"allow": TEXTS},
}
"""The options that ours know, and what each must be; the others know none."""


def option_complaints(name: str, options: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the options of one of ours, as ends of sentences."""
    known = OPTIONS.get(name, {})
    for option, value in options.items():
        wanted = known.get(option)
        if wanted is None:
            others = f"it knows {', '.join(known)}" if known else "it knows none"
            yield f"knows no option {option!r}; {others}"
        elif wanted == TEXTS and not _is_texts(value):
            yield f"needs {TEXTS} as its option {option}"
        elif wanted == NUMBER and (isinstance(value, bool) or not isinstance(value, int)):
            yield f"needs {NUMBER} as its option {option}"
    if "patterns" in known and not options.get("patterns"):
        yield "finds nothing without its option patterns"


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
