"""Reads a Messages request as strictly as the API does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.sandbox.simulator.output_schemas import read_schema
from worker.sandbox.simulator.problems import Problem

MODELS: Mapping[str, str] = {
    "claude-haiku-5-5": "Claude Haiku 5.5",
    "claude-sonnet-5-5": "Claude Sonnet 5.5",
    "claude-opus-5-5": "Claude Opus 5.5",
    "claude-fable-5-2": "Claude Fable 5.2",
    "claude-sonnet-4-5": "Claude Sonnet 4.5",
    "claude-haiku-4-5": "Claude Haiku 4.5",
}
RETIRES = {"claude-sonnet-4-5": "2026-11-30T00:00:00Z"}
REMOVED = ("temperature", "top_p", "top_k")
MAX_BREAKPOINTS = 4
MAX_TOKENS = 128_000
CONTEXT_TOKENS = 200_000
KNOWN = frozenset(
    {
        *("model", "max_tokens", "messages", "system", "output_config", "metadata", "stream"),
        *("stop_sequences", "thinking", "service_tier", "tools", "tool_choice", "cache_control"),
        *("container", "context_management", "inference_geo", "diagnostics", "speed"),
        *("user_profile_id", "workspace_id"),
    }
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the prompt, in cache order; `ttl` is set where a breakpoint ends it."""

    text: str
    ttl: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A valid request."""

    model: str
    max_tokens: int
    system: str
    user: str
    """Text of the last user turn."""
    prefill: bool
    segments: tuple[Segment, ...]
    schema: Mapping[str, Any] | None
    stream: bool
    thinking: bool
    stop_sequences: tuple[str, ...] = ()


def read_request(body: Any) -> Asked:
    """The request. Raises Problem with status 400 or 404."""
    if not isinstance(body, dict):
        raise Problem(status=400, message="the request body is not a JSON object")
    for name in REMOVED:
        if name in body:
            raise Problem(status=400, message=f"{name}: this parameter is no longer supported")
    if unknown := set(body) - KNOWN:
        raise Problem(status=400, message=f"{sorted(unknown)[0]}: Extra inputs are not permitted")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise Problem(status=400, message="model: Field required")
    if model not in MODELS:
        raise Problem(status=404, message=f"model: {model}")
    max_tokens = body.get("max_tokens")
    if max_tokens is None:
        raise Problem(status=400, message="max_tokens: Field required")
    if not isinstance(max_tokens, int) or isinstance(max_tokens, bool) or max_tokens < 0:
        raise Problem(status=400, message="max_tokens: Input should be a whole number, at least 0")
    if max_tokens > MAX_TOKENS:
        raise Problem(status=400, message=f"max_tokens: {max_tokens} > {MAX_TOKENS}")
    turns = _turns(body.get("messages"))
    system = _blocks(body.get("system") or [], "system")
    segments = _marked(
        system + [segment for _, blocks in turns for segment in blocks],
        _ttl(body.get("cache_control"), "cache_control"),
    )
    if sum(segment.ttl is not None for segment in segments) > MAX_BREAKPOINTS:
        raise Problem(
            status=400,
            message=f"A maximum of {MAX_BREAKPOINTS} blocks with cache_control may be used",
        )
    prefill = turns[-1][0] == "assistant"
    if prefill and "5-" in model:
        raise Problem(status=400, message="This model does not support assistant message prefill.")
    last = next((blocks for role, blocks in reversed(turns) if role == "user"), [])
    thinking = body.get("thinking")
    return Asked(
        model=model,
        max_tokens=max_tokens,
        system="\n".join(segment.text for segment in system),
        user="\n".join(segment.text for segment in (turns[0][1] if len(turns) > 1 else last)),
        prefill=prefill,
        segments=segments,
        schema=read_schema(body.get("output_config")),
        stream=bool(body.get("stream")),
        thinking=isinstance(thinking, dict) and thinking.get("type") in ("enabled", "adaptive"),
        stop_sequences=_stop_sequences(body.get("stop_sequences")),
    )


def read_batch_item(params: Any) -> Asked:
    """The request of a batch item. Raises Problem as it runs, which is when the API looks."""
    if isinstance(params, dict):
        for name in ("stream", "speed"):
            if params.get(name):
                raise Problem(status=400, message=f"{name}: not supported in a batch")
        if params.get("max_tokens") == 0:
            raise Problem(status=400, message="max_tokens: must be at least 1 in a batch")
    return read_request(params)


def _stop_sequences(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(s, str) and s.strip() for s in given):
        raise Problem(
            status=400, message="stop_sequences: each stop sequence must contain non-whitespace"
        )
    return tuple(given)


def _turns(messages: Any) -> list[tuple[str, list[Segment]]]:
    if not isinstance(messages, list) or not messages:
        raise Problem(status=400, message="messages: at least one message is required")
    turns = []
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
            raise Problem(
                status=400, message=f"messages.{place}.role: Input should be 'user' or 'assistant'"
            )
        blocks = _blocks(message.get("content"), f"messages.{place}.content")
        if not "".join(block.text for block in blocks).strip():
            raise Problem(
                status=400, message=f"messages.{place}: all messages must have non-empty content"
            )
        turns.append((message["role"], blocks))
    return turns


def _blocks(content: Any, where: str) -> list[Segment]:
    if isinstance(content, str):
        return [Segment(content, None)]
    if not isinstance(content, Sequence):
        raise Problem(status=400, message=f"{where}: Input should be a valid string or list")
    segments = []
    for block in content:
        if not isinstance(block, dict) or not isinstance(block.get("text", ""), str):
            raise Problem(status=400, message=f"{where}: Input should be a valid content block")
        ttl = _ttl(block.get("cache_control"), f"{where}.cache_control")
        segments.append(Segment(block.get("text", ""), ttl))
    return segments


def _ttl(control: Any, where: str) -> str | None:
    """How long what ends here is to be kept; None without a breakpoint."""
    if control is None:
        return None
    ttl = control.get("ttl", "5m") if isinstance(control, dict) else None
    if ttl not in ("5m", "1h") or control.get("type") != "ephemeral":
        raise Problem(
            status=400, message=f"{where}: Input should be ephemeral, with a ttl of '5m' or '1h'"
        )
    return str(ttl)


def _marked(segments: list[Segment], ttl: str | None) -> tuple[Segment, ...]:
    """With a breakpoint at the end where the request asks for one as a whole."""
    if ttl is not None and segments and segments[-1].ttl is None:
        segments = [*segments[:-1], Segment(segments[-1].text, ttl)]
    return tuple(segments)
