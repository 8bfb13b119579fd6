"""Makes the answer to one valid request: content, usage, stop reason, latency."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from worker.sandbox.simulator import mind, writing
from worker.sandbox.simulator.cache import InputTokens, count_tokens
from worker.sandbox.simulator.problems import Problem
from worker.sandbox.simulator.requests import CONTEXT_TOKENS, Asked

LATENCY_S = {"haiku": (0.35, 0.0012), "sonnet": (0.7, 0.003), "opus": (1.1, 0.006)}
"""Median seconds before the first token, and seconds a token after it."""
LATENCY_SPREAD = 0.35
THINKING = {"haiku": 0.0, "sonnet": 0.25, "opus": 1.0}
"""Share of answers that begin with a thinking block."""
BARE_WORDS_TOKENS = 12


@dataclass(frozen=True, slots=True)
class Made:
    """A message, ready to be sent, and how long the model took over it (before scaling)."""

    message: dict[str, Any]
    output_tokens: int
    latency_s: float


def make(
    asked: Asked, counted: InputTokens, seed: int, mood: Mapping[str, Any], service_tier: str
) -> Made:
    """The deterministic answer, bent by the mood. Raises Problem for a prompt that is too long."""
    if counted.total > CONTEXT_TOKENS:
        raise Problem(
            status=400,
            message=f"prompt is too long: {counted.total} tokens > {CONTEXT_TOKENS} maximum",
        )
    text = mind.customer_text(asked.user)
    latent = mind.read(seed, text)
    family = mind.family_of(asked.model)
    said, stop, details = _content(asked, latent, text, mood, seed)
    sequence = None
    if stop == "end_turn" and (cut := _first_of(asked.stop_sequences, said)):
        (at, sequence), stop = cut, "stop_sequence"
        said = said[:at]
    tokens, thoughts = count_tokens(said, asked.model), 0
    thinks = mood.get("thinking") or latent.draw(f"thinks {family}") < THINKING[family]
    if (thinks or asked.thinking) and tokens > BARE_WORDS_TOKENS and stop != "refusal":
        thoughts = 40 + int(latent.draw("thoughts") * 160)
    full, room = _room(asked, counted)
    if tokens + thoughts > room and stop in ("end_turn", "stop_sequence"):
        left, stop, sequence = max(room - thoughts, 0), full, None
        said = said[: max(0, round(len(said) * (left / tokens) - 1))]
        tokens, thoughts = left, min(thoughts, room)
    message = {
        "id": f"msg_sim{_fingerprint(asked, seed)}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": _blocks(said, thoughts),
        "stop_reason": stop,
        "stop_sequence": sequence,
        "stop_details": details,
        "usage": _usage(counted, tokens + thoughts, thoughts, service_tier),
    }
    return Made(message, tokens + thoughts, _latency(latent, family, tokens + thoughts))


def _first_of(sequences: Sequence[str], said: str) -> tuple[int, str] | None:
    """Where the first stop sequence would have been written, and which."""
    found = [(said.find(sequence), sequence) for sequence in sequences if sequence in said]
    return min(found, default=None)


def _room(asked: Asked, counted: InputTokens) -> tuple[str, int]:
    """The stop reason of an answer that is too long, and how many tokens it may have."""
    window = CONTEXT_TOKENS - counted.total
    if window < asked.max_tokens:
        return "model_context_window_exceeded", window
    return "max_tokens", asked.max_tokens


def _blocks(said: str, thoughts: int) -> list[dict[str, Any]]:
    """Thinking comes first; an answer of no words has no text block."""
    blocks: list[dict[str, Any]] = []
    if thoughts:
        signature = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()
        thought = f"{writing.MARK} weighing the message"
        blocks.append({"type": "thinking", "thinking": thought, "signature": signature})
    if said:
        blocks.append({"type": "text", "text": said})
    return blocks


def _fingerprint(asked: Asked, seed: int) -> str:
    """The same for the same request, another for any other."""
    told = [asked.model, asked.max_tokens, asked.schema, [s.text for s in asked.segments]]
    digest = hashlib.blake2b(f"{seed}|{told}".encode("utf-8", "replace"), digest_size=12)
    return digest.hexdigest()


def _content(
    asked: Asked, latent: mind.Mood, text: str, mood: Mapping[str, Any], seed: int
) -> tuple[str, str, dict[str, Any] | None]:
    """The text, why it stopped, and the details of a refusal."""
    if "refusal" in mood:
        details = {"type": "refusal", "category": mood["refusal"] or None, "explanation": None}
        return "", "refusal", details
    if asked.max_tokens == 0:
        return "", "max_tokens", None
    if mood.get("empty"):
        return "", "end_turn", None
    said = _said(asked, latent, text, mood, seed)
    if mood.get("truncated"):
        return said[: len(said) // 2], "max_tokens", None
    return said, str(mood.get("stop_reason", "end_turn")), None


def _said(asked: Asked, latent: mind.Mood, text: str, mood: Mapping[str, Any], seed: int) -> str:
    if "text" in mood:
        return str(mood["text"])
    if "json" in mood:
        return orjson.dumps(mood["json"]).decode()
    if asked.schema is None:
        said = writing.plain(latent, asked.model, asked.system, text)
    else:
        several = mind.several(asked.user) if "labels" in asked.schema.get("properties", {}) else []
        document = (
            writing.labels(several, seed)
            if several
            else writing.document(
                asked.schema,
                latent,
                asked.model,
                text,
                writing.sources(asked, text),
                writing.known(asked.user, text),
            )
        )
        if isinstance(document, dict):
            document |= mood.get("merge", {})
            document.pop(mood.get("drop", ""), None)
        said = writing.as_text(document)
    return said.lower() if mood.get("lower_case") else said


def _usage(
    counted: InputTokens, output_tokens: int, thoughts: int, service_tier: str
) -> dict[str, Any]:
    return {
        "input_tokens": counted.plain,
        "output_tokens": output_tokens,
        "output_tokens_details": {"thinking_tokens": thoughts},
        "cache_read_input_tokens": counted.read,
        "cache_creation_input_tokens": counted.written_5m + counted.written_1h,
        "cache_creation": {
            "ephemeral_5m_input_tokens": counted.written_5m,
            "ephemeral_1h_input_tokens": counted.written_1h,
        },
        "service_tier": service_tier,
    }


def _latency(latent: mind.Mood, family: str, tokens: int) -> float:
    """Lognormal around the family's median: Box and Muller's transform of two draws."""
    base, per_token = LATENCY_S[family]
    first, second = latent.draw("latency 1"), latent.draw("latency 2")
    normal = math.sqrt(-2 * math.log(max(first, 1e-9))) * math.cos(2 * math.pi * second)
    return (base + per_token * tokens) * math.exp(LATENCY_SPREAD * normal)
