"""Asking the simulator through the SDK, in a line."""

from typing import Any

import anthropic
from anthropic.types import Message, MessageParam

HAIKU, SONNET, OPUS = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"
WORDS = "My card was charged twice for one taxi ride. Can I have one of them back?"
SAID: list[MessageParam] = [{"role": "user", "content": WORDS}]


def ask(client: anthropic.Anthropic, model: str = HAIKU, **more: Any) -> Message:
    """One request, about a card that was charged twice unless told otherwise."""
    return client.messages.create(
        **{"model": model, "max_tokens": 1_000, "messages": SAID, **more}  # type: ignore[call-overload]
    )


def words_of(message: Message) -> str:
    """The text blocks, wherever they stand."""
    return "".join(block.text for block in message.content if block.type == "text")
