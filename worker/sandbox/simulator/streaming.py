"""A message as server-sent events, for clients that stream."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

PIECE = 40


def events(message: Mapping[str, Any]) -> Iterator[bytes]:
    """`message_start`, blocks in pieces, `message_delta`, `message_stop`."""
    usage = message["usage"]
    start = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield _event("message_start", {"message": start})
    yield _event("ping", {})
    for index, block in enumerate(message["content"]):
        yield from _block(index, block)
    delta = {key: message[key] for key in ("stop_reason", "stop_sequence", "stop_details")}
    kinds = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    counted = {kind: usage[kind] for kind in (*kinds, "output_tokens", "output_tokens_details")}
    yield _event("message_delta", {"delta": delta, "usage": counted})
    yield _event("message_stop", {})


def _block(index: int, block: Mapping[str, Any]) -> Iterator[bytes]:
    key = "thinking" if block["type"] == "thinking" else "text"
    empty: dict[str, Any] = {"type": block["type"], key: ""}
    if key == "thinking":
        empty["signature"] = ""
    yield _event("content_block_start", {"index": index, "content_block": empty})
    text = block[key]
    for start in range(0, len(text), PIECE):
        delta = {"type": f"{key}_delta", key: text[start : start + PIECE]}
        yield _event("content_block_delta", {"index": index, "delta": delta})
    if key == "thinking":
        delta = {"type": "signature_delta", "signature": block["signature"]}
        yield _event("content_block_delta", {"index": index, "delta": delta})
    yield _event("content_block_stop", {"index": index})


def _event(name: str, data: Mapping[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps({"type": name, **data}))
