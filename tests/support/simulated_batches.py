"""Message Batches through the SDK, in a line."""

from typing import Any

import anthropic
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

from tests.support.simulated import HAIKU
from tests.support.waiting import eventually


def item(number: int, **more: Any) -> dict[str, Any]:
    """One request of a batch, about parcel `number`."""
    said = [{"role": "user", "content": f"Where is parcel number {number}?"}]
    params = {"model": HAIKU, "max_tokens": 500, "messages": said, **more}
    return {"custom_id": f"{number}-1-answer", "params": params}


def sent(client: anthropic.Anthropic, *items: dict[str, Any]) -> MessageBatch:
    return client.messages.batches.create(requests=items)  # type: ignore[arg-type]


def ended(client: anthropic.Anthropic, batch: MessageBatch) -> MessageBatch:
    """The batch once it has ended."""

    def look() -> MessageBatch | None:
        found = client.messages.batches.retrieve(batch.id)
        return found if found.processing_status == "ended" else None

    found = eventually(look)
    assert found is not None
    return found


def results(
    client: anthropic.Anthropic, batch: MessageBatch
) -> dict[str, MessageBatchIndividualResponse]:
    return {line.custom_id: line for line in client.messages.batches.results(batch.id)}


def counts(batch: MessageBatch) -> dict[str, int]:
    """Those that are not zero."""
    return {name: n for name, n in batch.request_counts.model_dump().items() if n}
