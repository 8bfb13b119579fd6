"""What a decision may know of a message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageText:
    """A customer's words and what came with them. Data, never instructions."""

    body: str
    subject: str | None = None
    channel: str | None = None
    language: str | None = None
    customer_id: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Subject and body, as the model reads them."""
        return f"{self.subject}\n\n{self.body}" if self.subject else self.body
