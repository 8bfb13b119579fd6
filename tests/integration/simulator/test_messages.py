"""Messages: what the SDK reads from an answer is what Claude's documents promise."""

import json
import re
from typing import Literal

import anthropic
import pytest
from pydantic import BaseModel

from tests.integration.simulator.conftest import Told
from tests.support.simulated import HAIKU, OPUS, SAID, SONNET, ask, words_of

LABEL = {
    "type": "object",
    "properties": {
        "reason": {"type": "string"},
        "difficulty": {"type": "string", "enum": ["SIMPLE", "MODERATE", "COMPLEX"]},
        "confidence": {"type": "number"},
    },
    "required": ["reason", "difficulty", "confidence"],
    "additionalProperties": False,
}


class Verdict(BaseModel):
    """What a stranger would ask for with `messages.parse`."""

    reason: str
    urgent: bool
    tone: Literal["calm", "upset"]


def test_an_answer_says_that_it_is_simulated(client: anthropic.Anthropic) -> None:
    # when
    response = client.messages.with_raw_response.create(
        model=HAIKU, max_tokens=1_000, messages=SAID
    )
    message = response.parse()
    # then
    assert response.headers["x-rung-simulated"] == "true"
    assert re.fullmatch(r"req_sim\d{12}", response.headers["request-id"])
    assert message._request_id == response.headers["request-id"]
    assert words_of(message).startswith("[simulated] Hello")
    assert message.id.startswith("msg_sim")
    assert (message.type, message.role, message.model) == ("message", "assistant", HAIKU)
    assert (message.stop_reason, message.stop_sequence, message.stop_details) == (
        "end_turn",
        None,
        None,
    )


def test_each_request_has_an_id_of_its_own(client: anthropic.Anthropic) -> None:
    assert len({ask(client)._request_id for _ in range(5)}) == 5


def test_opus_thinks_first_and_thinking_is_paid_as_output(client: anthropic.Anthropic) -> None:
    # when
    message = ask(client, OPUS)
    # then
    assert [block.type for block in message.content] == ["thinking", "text"]
    details = message.usage.output_tokens_details
    assert details is not None
    assert 0 < details.thinking_tokens < message.usage.output_tokens


def test_thinking_counts_against_max_tokens(client: anthropic.Anthropic) -> None:
    # given
    thoughts = ask(client, OPUS).usage.output_tokens_details
    assert thoughts is not None
    # when
    message = ask(client, OPUS, max_tokens=thoughts.thinking_tokens)
    # then
    assert message.stop_reason == "max_tokens"
    assert words_of(message) == ""
    assert message.usage.output_tokens == thoughts.thinking_tokens


@pytest.mark.parametrize("model", [HAIKU, SONNET, OPUS])
def test_structured_output_fits_its_schema(client: anthropic.Anthropic, model: str) -> None:
    # when
    config = {"effort": "low", "format": {"type": "json_schema", "schema": LABEL}}
    document = json.loads(words_of(ask(client, model, output_config=config)))
    # then
    assert list(document) == ["reason", "difficulty", "confidence"]
    assert document["difficulty"].upper() in ("SIMPLE", "MODERATE", "COMPLEX")
    assert 0 <= document["confidence"] <= 1
    assert document["reason"].startswith("[simulated]")


def test_the_sdk_parses_into_a_strangers_model(client: anthropic.Anthropic) -> None:
    # when
    parsed = client.messages.parse(
        model=SONNET, max_tokens=1_000, messages=SAID, output_format=Verdict
    )
    # then
    assert isinstance(parsed.parsed_output, Verdict)


def test_the_case_of_an_enum_is_not_guaranteed(client: anthropic.Anthropic) -> None:
    # given
    config = {"format": {"type": "json_schema", "schema": LABEL}}
    # when
    labels = [
        json.loads(
            words_of(
                ask(
                    client,
                    output_config=config,
                    messages=[{"role": "user", "content": f"Where is parcel number {number}?"}],
                )
            )
        )["difficulty"]
        for number in range(12)
    ]
    # then
    assert any(label.islower() for label in labels)
    assert sum(label.isupper() for label in labels) > 6


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("Say SIMPLE, MODERATE or COMPLEX.", {"SIMPLE", "MODERATE", "COMPLEX"}),
        ("Say HIGH or LOW: your confidence.", {"HIGH", "LOW"}),
    ],
)
def test_bare_labels_are_given_where_a_prompt_asks_for_them(
    client: anthropic.Anthropic, asked: str, answer: set[str]
) -> None:
    assert words_of(ask(client, system=asked)) in answer


def test_a_stop_sequence_ends_the_answer(client: anthropic.Anthropic) -> None:
    # when
    message = ask(client, stop_sequences=["never written", "thank you"])
    # then
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "thank you")
    assert words_of(message) == "[simulated] Hello, "


def test_max_tokens_cuts_the_answer(client: anthropic.Anthropic) -> None:
    # given
    whole = ask(client)
    # when
    cut = ask(client, max_tokens=20)
    # then
    assert (cut.stop_reason, cut.usage.output_tokens) == ("max_tokens", 20)
    assert words_of(whole).startswith(words_of(cut))
    assert len(words_of(cut)) < len(words_of(whole))


@pytest.mark.parametrize(
    "category", ["cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms", None]
)
def test_a_refusal_is_a_200_with_a_category(
    client: anthropic.Anthropic, told: Told, category: str | None
) -> None:
    # given
    told(refusal=category)
    # when
    message = ask(client)
    # then
    assert message.stop_reason == "refusal"
    assert message.stop_details is not None
    assert message.stop_details.category == category
    assert message.content == []


@pytest.mark.parametrize(
    "reason", ["tool_use", "pause_turn", "model_context_window_exceeded", "a_word_of_next_year"]
)
def test_every_other_stop_reason_can_be_had(
    client: anthropic.Anthropic, told: Told, reason: str
) -> None:
    told(stop_reason=reason)
    assert ask(client).stop_reason == reason


def test_an_answer_that_reaches_the_end_of_the_window_is_cut_there(
    client: anthropic.Anthropic,
) -> None:
    # given
    size = client.messages.count_tokens(model=SONNET, messages=SAID).input_tokens
    filler = "x" * round((200_000 - size - 10) * 3.6)
    # when
    message = ask(client, SONNET, system=filler)
    # then
    assert message.stop_reason == "model_context_window_exceeded"
    assert message.usage.input_tokens + message.usage.output_tokens == 200_000


def test_an_empty_answer_has_no_block_but_costs_a_token(
    client: anthropic.Anthropic, told: Told
) -> None:
    told(empty=True)
    message = ask(client)
    assert (message.content, message.stop_reason) == ([], "end_turn")
    assert message.usage.output_tokens > 0
