"""The control door `/_sim`: moods by match, and what the simulator counted."""

from typing import Any

import anthropic
import httpx2
import pytest

from worker.sandbox.simulator.state import State

HAIKU, OPUS = "claude-haiku-5-5", "claude-opus-5-5"


def put(url: str, *moods: dict[str, Any]) -> None:
    assert httpx2.put(f"{url}/_sim/moods", json=list(moods)).json() == {"moods": len(moods)}


def outcomes(
    client: anthropic.Anthropic,
    number: int,
    *,
    model: str = HAIKU,
    words: str = "Hi",
    call: str = "1-1-answer",
) -> str:
    """A letter for each of `number` requests: `.` for an answer, `x` for an error."""
    seen = ""
    for _ in range(number):
        try:
            client.messages.create(
                model=model,
                max_tokens=300,
                messages=[{"role": "user", "content": words}],
                extra_headers={"x-rung-call": call},
            )
            seen += "."
        except anthropic.OverloadedError:
            seen += "x"
    return seen


@pytest.mark.parametrize(
    ("match", "seen"),
    [
        ({}, "xxxx"),
        ({"first": 2}, "xx.."),
        ({"every": 2}, ".x.x"),
        ({"model": "haiku"}, "xxxx"),
        ({"model": "opus"}, "...."),
        ({"contains": "Hi"}, "xxxx"),
        ({"contains": "Bye"}, "...."),
        ({"purpose": "answer"}, "xxxx"),
        ({"purpose": "classify"}, "...."),
        ({"probability": 0.0}, "...."),
        ({"probability": 1.0}, "xxxx"),
        ({"contains": "Bye", "first": 1}, "...."),
    ],
)
def test_a_mood_meets_the_requests_that_it_matches(
    client: anthropic.Anthropic, simulator: tuple[State, str], match: dict[str, Any], seen: str
) -> None:
    put(simulator[1], {"match": match, "do": {"status": 529}})
    assert outcomes(client, 4) == seen


def test_a_probability_is_the_requests_own(
    client: anthropic.Anthropic, simulator: tuple[State, str]
) -> None:
    # given
    put(simulator[1], {"match": {"probability": 0.5}, "do": {"status": 529}})
    # when
    seen = [outcomes(client, 2, words=f"Parcel {number}?") for number in range(24)]
    # then
    assert set(seen) == {"..", "xx"}


def test_the_first_mood_that_says_a_thing_has_it_and_others_add_to_it(
    client: anthropic.Anthropic, simulator: tuple[State, str]
) -> None:
    # given
    put(
        simulator[1],
        {"match": {"first": 1}, "do": {"text": "first"}},
        {"do": {"text": "second", "thinking": True}},
    )
    # when
    said = [
        client.messages.create(
            model=HAIKU, max_tokens=300, messages=[{"role": "user", "content": "Hi"}]
        ).content[-1]
        for _ in range(2)
    ]
    # then
    assert [block.text for block in said if block.type == "text"] == ["first", "second"]


SCHEMA = {
    "type": "object",
    "properties": {"reply": {"type": "string"}, "confidence": {"type": "number"}},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ({"json": {"reply": "A", "confidence": 2}}, '{"reply":"A","confidence":2}'),
        ({"text": "no JSON at all"}, "no JSON at all"),
        ({"merge": {"reply": "B", "confidence": 0.1}}, '{"reply":"B","confidence":0.1}'),
        ({"merge": {"reply": "C"}, "drop": "confidence"}, '{"reply":"C"}'),
        ({"merge": {"reply": "D"}, "drop": "confidence", "lower_case": True}, '{"reply":"d"}'),
    ],
)
def test_answers_can_be_dictated(
    client: anthropic.Anthropic, simulator: tuple[State, str], do: dict[str, Any], said: str
) -> None:
    # given
    put(simulator[1], {"do": do})
    # when
    message = client.messages.create(
        model=HAIKU,
        max_tokens=500,
        messages=[{"role": "user", "content": "Hi"}],
        output_config={"format": {"type": "json_schema", "schema": SCHEMA}},
    )
    # then
    assert [block.text for block in message.content if block.type == "text"] == [said]


def test_a_truncated_answer_breaks_its_schema(
    client: anthropic.Anthropic, simulator: tuple[State, str]
) -> None:
    put(simulator[1], {"do": {"truncated": True, "json": {"reply": "0123456789"}}})
    message = client.messages.create(
        model=HAIKU, max_tokens=500, messages=[{"role": "user", "content": "Hi"}]
    )
    (block,) = message.content
    assert block.type == "text"
    assert (message.stop_reason, block.text) == ("max_tokens", '{"reply":"0')


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'[{"match": {"colour": "blue"}, "do": {}}]',
        b'[{"match": {}}]',
        b'["?"]',
        b'[{"match": 7, "do": {}}]',
        b"7",
        b"{}",
        b"null",
    ],
)
def test_what_is_no_mood_is_refused_and_changes_nothing(
    simulator: tuple[State, str], body: bytes
) -> None:
    # given
    put(simulator[1], {"do": {"status": 529}})
    # when
    reply = httpx2.put(f"{simulator[1]}/_sim/moods", content=body)
    # then
    assert (reply.status_code, list(reply.json())) == (400, ["error"])
    assert len(simulator[0].moods.rules) == 1


def test_stats_count_every_request_and_a_reset_forgets(
    client: anthropic.Anthropic, simulator: tuple[State, str]
) -> None:
    # given
    url = simulator[1]
    put(url, {"match": {"first": 1}, "do": {"status": 529}})
    outcomes(client, 3, call="7-1-answer")
    outcomes(client, 1, model=OPUS, call="7-2-answer")
    client.messages.count_tokens(model=HAIKU, messages=[{"role": "user", "content": "Hi"}])
    # when
    counted = httpx2.get(f"{url}/_sim/stats", params={"calls": "1"}).json()
    # then
    assert (counted.pop("at") > 0, counted.pop("limits")) == (True, {})
    assert counted == {
        "total": 5,
        "messages": 4,
        "batch_items": 0,
        "by_path": {"/v1/messages": 4, "/v1/messages/count_tokens": 1},
        "by_status": {"200": 4, "529": 1},
        "by_model": {HAIKU: 3, OPUS: 1},
        "by_call": {"7-1-answer": 3, "7-2-answer": 1},
        "by_batch_item": {},
    }
    # when
    httpx2.post(f"{url}/_sim/reset")
    # then
    assert httpx2.get(f"{url}/_sim/stats").json()["total"] == 0
    assert outcomes(client, 1) == "."
