"""Builds the parameters of a request: the same for the Messages API and for a batch item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.vocabulary import Purpose

CALL_HEADER = "x-rung-call"
"""Names job, fence and purpose, so that a request can be found in a proxy's or simulator's log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request: what is asked of which model."""

    key: str
    """`job.fence.purpose`, unique to the call."""
    purpose: Purpose
    model: str
    system: Sequence[Mapping[str, Any]]
    messages: Sequence[Mapping[str, Any]]
    schema: Mapping[str, Any]
    max_tokens: int
    effort: str | None

    def parameters(self) -> dict[str, Any]:
        """As `messages.create` and a batch item's `params` take them."""
        output: dict[str, Any] = {"format": {"type": "json_schema", "schema": self.schema}}
        if self.effort is not None:
            output["effort"] = self.effort
        return {
            "model": self.model,
            "max_tokens": self.max_tokens,
            "system": self.system,
            "messages": self.messages,
            "output_config": output,
        }


def call_key(job_id: int, fence: int, purpose: Purpose) -> str:
    """The name of a call in headers and batch `custom_id`s."""
    return f"{job_id}-{fence}-{purpose.value}"
