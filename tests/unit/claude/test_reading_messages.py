"""Messages of Claude's, read from their JSON."""

from typing import Any

import pytest

from worker.claude.client import read_message
from worker.domain.answers import Answer, ModelAnswer
from worker.domain.pricing import Usage

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "content": [
        {"type": "thinking", "thinking": "Let me see.", "signature": "s"},
        {"type": "text", "text": "Hello, "},
        {"type": "a block of tomorrow", "text": "not for the customer"},
        {"type": "text", "text": "Ann."},
    ],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 12, "output_tokens": 5},
}


def read(**changes: Any) -> Answer:
    return read_message(
        MESSAGE | changes, latency_ms=7, request_id="req_1", simulated=True, headers={}
    )


def test_only_text_blocks_make_the_answer_wherever_they_stand() -> None:
    assert read().answer == ModelAnswer("Hello, Ann.", "end_turn", None)


def test_a_refusal_brings_its_category_and_nothing_else_does() -> None:
    details = {"type": "refusal", "category": "cyber"}
    assert read(stop_reason="refusal", stop_details=details).answer.category == "cyber"
    assert read(stop_reason="refusal", stop_details=None).answer.category is None
    assert read(stop_details=details).answer.category is None


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (
            {},
            Usage(
                input_tokens=12,
                cache_read_tokens=0,
                cache_write_5m_tokens=0,
                cache_write_1h_tokens=0,
                output_tokens=5,
            ),
        ),
        (
            {"cache_read_input_tokens": None, "cache_creation": None},
            Usage(
                input_tokens=12,
                cache_read_tokens=0,
                cache_write_5m_tokens=0,
                cache_write_1h_tokens=0,
                output_tokens=5,
            ),
        ),
        (
            {"cache_creation_input_tokens": 90, "cache_read_input_tokens": 3},
            Usage(
                input_tokens=12,
                cache_read_tokens=3,
                cache_write_5m_tokens=90,
                cache_write_1h_tokens=0,
                output_tokens=5,
            ),
        ),
        (
            {
                "cache_creation_input_tokens": 90,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 20,
                    "ephemeral_1h_input_tokens": 70,
                },
            },
            Usage(
                input_tokens=12,
                cache_read_tokens=0,
                cache_write_5m_tokens=20,
                cache_write_1h_tokens=70,
                output_tokens=5,
            ),
        ),
    ],
)
def test_tokens_by_kind(usage: dict[str, Any], tokens: Usage) -> None:
    assert read(usage=MESSAGE["usage"] | usage).usage == tokens


def test_what_is_no_id_and_no_tier_is_not_kept() -> None:
    words = "Where is my card? It is late"
    got = read(usage=MESSAGE["usage"] | {"service_tier": words})
    assert (got.request_id, got.service_tier) == ("req_1", "other")
    assert read(usage=MESSAGE["usage"] | {"service_tier": "batch"}).service_tier == "batch"
    for odd in (words, "x" * 65, "", 7, None, ["req_1"]):
        options: dict[str, Any] = {"latency_ms": 7, "simulated": True, "headers": {}}
        assert read_message(MESSAGE, request_id=odd, **options).request_id is None


def test_words_of_tomorrow_are_other() -> None:
    assert read(stop_reason="bored").answer.stop_reason == "other"
    details = {"category": "a sin of tomorrow"}
    assert read(stop_reason="refusal", stop_details=details).answer.category == "other"


@pytest.mark.parametrize("missing", ["content", "usage", "stop_reason"])
def test_without_what_makes_a_message_there_is_none(missing: str) -> None:
    message = {key: value for key, value in MESSAGE.items() if key != missing}
    with pytest.raises(KeyError):
        read_message(message, latency_ms=7, request_id=None, simulated=False, headers={})
