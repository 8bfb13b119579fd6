"""How much input a request can have, in tokens: bounds for its worst case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from worker.claude.counted import CountedInputs
from worker.domain.prompts import Prompt, RequestKind
from worker.domain.schemas import schema_version

REQUEST_OVERHEAD_BYTES = 600
"""Bound on what a request's own frame adds to the input, in bytes and so in tokens."""
TURN_OVERHEAD_BYTES = 50
"""Bound on what the frame of one more turn of a conversation adds."""


@dataclass(frozen=True, slots=True)
class InputSize:
    """Tokens at most: of what requests of this kind share, and of what is said to this one."""

    fixed: int
    said: int

    @property
    def whole(self) -> int:
        """Of the whole request."""
        return self.fixed + self.said


def kind_of(prompt: Prompt, model: str, schema: Mapping[str, Any]) -> RequestKind:
    """What requests of this prompt, model and schema have in common."""
    return RequestKind(
        purpose=prompt.purpose,
        model=model,
        prompt_version=prompt.version,
        schema_version=schema_version(schema),
    )


def size_of(
    counted: CountedInputs,
    prompt: Prompt,
    model: str,
    said: Sequence[str],
    schema: Mapping[str, Any],
) -> InputSize:
    """As Claude has counted the shared part, or by its bytes until then; the turns by theirs."""
    fixed = counted.tokens(kind_of(prompt, model, schema))
    if fixed is None:
        fixed = prompt.size_bytes + len(orjson.dumps(schema)) + REQUEST_OVERHEAD_BYTES
    return InputSize(fixed, sum(len(text.encode()) + TURN_OVERHEAD_BYTES for text in said))
