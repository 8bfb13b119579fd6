"""The validators that come with Rung."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator as SchemaValidator

from worker.domain.validation.base import Draft, Validator
from worker.domain.validation.injection import INJECTION
from worker.domain.validation.language import LANGUAGE
from worker.domain.validation.promises import PROMISES

MIN_CHARS, MAX_CHARS = 20, 6_000
_PLACEHOLDER = re.compile(
    r"\[(?:your |insert |agent |customer |company |order )[^\]\n]{0,40}\]"
    r"|\{\{[^}\n]{1,40}\}\}|<(?:insert|your|name|customer)[^>\n]{0,40}>|\bXXX+\b|\blorem ipsum\b"
    r"|\bTODO\b|\bTBD\b",
    re.IGNORECASE,
)


def placeholder(draft: Draft, _options: Mapping[str, Any]) -> str | None:
    """Template slots that nobody filled in. What the customer wrote first may be repeated:
    complaints redacted with XXXX are quoted back."""
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
    errors = sorted(
        _validator_for(orjson.dumps(draft.schema)).iter_errors(draft.document),
        key=lambda error: list(error.absolute_path),
    )
    if not errors:
        return None
    where = "/".join(str(part) for part in errors[0].absolute_path) or "the answer"
    return f"{where} breaks the schema's {errors[0].validator!s} rule"


@lru_cache(maxsize=64)
def _validator_for(canonical: bytes) -> SchemaValidator:
    return Draft202012Validator(orjson.loads(canonical))


BUILTIN: dict[str, Validator] = {
    "schema": schema,
    "placeholder": placeholder,
    "length": length,
    **PROMISES,
    **INJECTION,
    **LANGUAGE,
}
