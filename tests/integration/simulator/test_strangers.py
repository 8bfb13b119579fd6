"""Any client works: streaming, asynchronous, bare HTTP; and the models that it finds."""

import asyncio
import json
import re

import anthropic
import httpx2
import pytest
from anthropic.types import Message

from tests.support.simulated import HAIKU, OPUS, SAID, SONNET, ask
from worker.sandbox.simulator.state import State


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
