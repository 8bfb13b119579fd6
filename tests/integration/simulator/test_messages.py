"""Messages: what the SDK reads from the simulator's answers is what Claude's documents promise."""

import asyncio
import json
import re
from decimal import Decimal
from typing import Any, Literal

import anthropic
import httpx2
import pytest
from anthropic.types import Message, MessageParam
from genai_prices import extract_usage
from pydantic import BaseModel

from tests.integration.simulator.conftest import Told
from worker.sandbox.simulator.state import State

HAIKU, SONNET, OPUS = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"
WORDS = "My card was charged twice for one taxi ride. Can I have one of them back?"
SAID: list[MessageParam] = [{"role": "user", "content": WORDS}]
LONG = "Refunds are made within five working days, to the card that paid. " * 60
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


def ask(client: anthropic.Anthropic, model: str = HAIKU, **more: Any) -> Message:
    return client.messages.create(
        **{"model": model, "max_tokens": 1_000, "messages": SAID, **more}  # type: ignore[call-overload]
    )


def words_of(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


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


def test_max_tokens_of_zero_only_warms_the_cache(client: anthropic.Anthropic) -> None:
    # given
    system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    # when
    warmed, used = ask(client, system=system, max_tokens=0), ask(client, system=system)
    # then
    assert (warmed.content, warmed.stop_reason) == ([], "max_tokens")
    assert warmed.usage.cache_creation_input_tokens == used.usage.cache_read_input_tokens
    assert used.usage.cache_creation_input_tokens == 0


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


@pytest.mark.parametrize("ttl", ["5m", "1h"])
def test_a_long_prefix_is_written_once_and_then_read(client: anthropic.Anthropic, ttl: str) -> None:
    # given
    control = {"type": "ephemeral", "ttl": ttl}
    system = [{"type": "text", "text": LONG, "cache_control": control}]
    # when
    first, second = ask(client, system=system).usage, ask(client, system=system).usage
    # then
    written = first.cache_creation_input_tokens
    assert written is not None
    assert written >= 512
    assert first.cache_creation is not None
    assert second.cache_creation is not None
    by_ttl = {
        "5m": first.cache_creation.ephemeral_5m_input_tokens,
        "1h": first.cache_creation.ephemeral_1h_input_tokens,
    }
    assert by_ttl == {"5m": 0, "1h": 0, ttl: written}
    assert (first.cache_read_input_tokens, second.cache_read_input_tokens) == (0, written)
    assert second.cache_creation_input_tokens == 0
    assert first.input_tokens == second.input_tokens


def test_a_breakpoint_for_the_request_as_a_whole_caches_all_of_it(
    client: anthropic.Anthropic,
) -> None:
    usage = [ask(client, system=LONG, cache_control={"type": "ephemeral"}).usage for _ in range(2)]
    assert [u.input_tokens for u in usage] == [0, 0]
    assert usage[0].cache_creation_input_tokens == usage[1].cache_read_input_tokens


def test_each_model_has_a_cache_of_its_own(client: anthropic.Anthropic) -> None:
    system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    read = [ask(client, model, system=system).usage for model in (HAIKU, SONNET)]
    assert [usage.cache_read_input_tokens for usage in read] == [0, 0]


def test_below_512_tokens_nothing_is_cached_and_nothing_said(client: anthropic.Anthropic) -> None:
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    usage = [ask(client, system=system).usage for _ in range(2)]
    assert [(u.cache_creation_input_tokens, u.cache_read_input_tokens) for u in usage] == [
        (0, 0),
        (0, 0),
    ]


def test_genai_prices_finds_every_kind_of_token(client: anthropic.Anthropic) -> None:
    # given
    control = {"type": "ephemeral", "ttl": "1h"}
    system = [{"type": "text", "text": LONG, "cache_control": control}]
    # when
    message = ask(client, SONNET, system=system)
    used = extract_usage(message.model_dump(), provider_id="anthropic")
    cost = used.calc_price().total_price
    # then
    usage = message.usage
    assert usage.cache_creation_input_tokens is not None
    expected = (
        usage.input_tokens * Decimal(2)
        + usage.cache_creation_input_tokens * Decimal(4)
        + usage.output_tokens * Decimal(10)
    ) / 1_000_000
    assert cost == expected


@pytest.mark.parametrize("model", [HAIKU, OPUS])
def test_a_stream_adds_up_to_the_same_message(client: anthropic.Anthropic, model: str) -> None:
    # given
    whole = ask(client, model)
    # when
    kinds = []
    with client.messages.stream(model=model, max_tokens=1_000, messages=SAID) as stream:
        for event in stream:
            kinds.append(event.type)
        told = stream.get_final_message()
    # then
    assert told.model_dump() == whole.model_dump()
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]


def test_events_of_a_stream_carry_their_names(simulator: tuple[State, str]) -> None:
    # when
    reply = httpx2.post(
        f"{simulator[1]}/v1/messages",
        headers={"x-api-key": "sk-test", "anthropic-version": "2026-10-21"},
        json={"model": HAIKU, "max_tokens": 1_000, "messages": SAID, "stream": True},
    )
    # then
    assert reply.headers["content-type"].startswith("text/event-stream")
    names = re.findall(r"^event: (\w+)\ndata: \{\"type\":\"(\w+)\"", reply.text, re.MULTILINE)
    assert all(name == kind for name, kind in names)
    assert {name for name, _ in names} >= {
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    }


def test_an_asynchronous_client_gets_its_own_answers(simulator: tuple[State, str]) -> None:
    # given
    texts = [f"Where is parcel number {number}?" for number in range(30)]

    async def everything() -> list[Message]:
        async with anthropic.AsyncAnthropic(
            api_key="sk-test",
            base_url=simulator[1],
            max_retries=0,
            http_client=anthropic.DefaultAioHttpClient(),
        ) as client:
            return await asyncio.gather(
                *(
                    client.messages.create(
                        model=HAIKU,
                        max_tokens=1_000,
                        messages=[{"role": "user", "content": text}],
                    )
                    for text in texts
                )
            )

    # when
    messages = asyncio.run(everything())
    # then
    assert len({message.id for message in messages}) == 30
    assert simulator[0].counts.by_model == {HAIKU: 30}


def test_a_stranger_needs_only_http(simulator: tuple[State, str]) -> None:
    # when
    reply = httpx2.post(
        f"{simulator[1]}/v1/messages",
        headers={"authorization": "Bearer token", "anthropic-version": "2026-10-21"},
        content=json.dumps({"model": HAIKU, "max_tokens": 300, "messages": SAID}),
    )
    # then
    document = reply.json()
    assert reply.status_code == 200
    assert sorted(document) == [
        *("content", "id", "model", "role", "stop_details", "stop_reason", "stop_sequence"),
        *("type", "usage"),
    ]
    assert document["content"][0]["text"].startswith("[simulated]")
    assert document["usage"]["service_tier"] == "standard"


def test_tokens_are_counted_as_they_are_charged(client: anthropic.Anthropic) -> None:
    # when
    counted = client.messages.count_tokens(model=HAIKU, messages=SAID, system="Be brief.")
    # then
    assert counted.input_tokens == ask(client, system="Be brief.").usage.input_tokens
    assert (
        counted.input_tokens
        > client.messages.count_tokens(model=SONNET, messages=SAID, system="Be brief.").input_tokens
    )


def test_models_are_listed_with_what_retires(client: anthropic.Anthropic) -> None:
    # when
    models = {model.id: model for model in client.models.list(limit=2)}
    # then
    assert {HAIKU, SONNET, OPUS, "claude-fable-5-2", "claude-sonnet-4-5"} <= set(models)
    assert models[HAIKU].lifecycle == "active"
    assert models[HAIKU].retires_at is None
    old = client.models.retrieve("claude-sonnet-4-5")
    assert old == models["claude-sonnet-4-5"]
    assert (old.lifecycle, str(old.retires_at)[:10]) == ("deprecated", "2026-11-30")


def test_a_model_that_is_not_there_is_a_404(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.models.retrieve("claude-haiku-9")
    assert (caught.value.type, caught.value.api_message) == (
        "not_found_error",
        "model: claude-haiku-9",
    )
