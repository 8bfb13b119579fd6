"""The same seed and the same text give the same answer: across requests, servers and processes."""

import json
import os
import subprocess
import sys
from typing import Any

import anthropic
from anthropic.types import Message
from hypothesis import given
from hypothesis import strategies as st

from tests.support.places import ROOT
from worker.sandbox.simulator.answering import make
from worker.sandbox.simulator.cache import PromptCache
from worker.sandbox.simulator.mind import confidence, is_sure, read
from worker.sandbox.simulator.requests import read_request
from worker.sandbox.simulator.server import running
from worker.sandbox.simulator.state import State

MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5")
TEXTS = [
    "Where is my parcel?",
    "My card was charged twice, I complained already, but nobody answers. I will sue.",
    "¿Dónde está mi pedido? 🧾",
    "",
]
SCHEMA = {
    "type": "object",
    "properties": {"reply": {"type": "string"}, "confidence": {"type": "number"}},
    "additionalProperties": False,
}


def body_of(text: str, model: str) -> dict[str, Any]:
    fenced = f"<customer_message>\n{text}\n</customer_message>"
    return {
        "model": model,
        "max_tokens": 1_000,
        "messages": [{"role": "user", "content": fenced}],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    }


def heard(url: str) -> list[dict[str, Any]]:
    """Every answer of the server at `url`."""
    with anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client:
        said: list[Message] = [
            client.messages.create(**body_of(text, model)) for text in TEXTS for model in MODELS
        ]
    return [message.model_dump() for message in said]


def test_two_servers_of_one_seed_agree_to_the_letter_and_another_seed_does_not() -> None:
    # given
    servers = [
        State(seed=7, latency_scale=0),
        State(seed=7, latency_scale=0),
        State(seed=8, latency_scale=0),
    ]
    # when
    answers = []
    for state in servers:
        with running(state) as url:
            answers.append(heard(url) + (heard(url) if state is servers[0] else []))
    first, again = answers[0][: len(answers[1])], answers[0][len(answers[1]) :]
    # then
    assert first == again == answers[1]
    assert [m["id"] for m in first] != [m["id"] for m in answers[2]]
    assert [m["content"] for m in first] != [m["content"] for m in answers[2]]
    assert len({message["id"] for message in first}) == len(first)


MAKER = """
import json, sys
from worker.sandbox.simulator.answering import make
from worker.sandbox.simulator.cache import PromptCache
from worker.sandbox.simulator.requests import read_request
for body in json.load(sys.stdin):
    asked = read_request(body)
    made = make(asked, PromptCache().count(asked.model, asked.segments, 0), 7, {}, "standard")
    print(json.dumps([made.message, made.latency_s]))
"""


def test_processes_agree_whatever_their_hash_seeds() -> None:
    # given
    bodies = json.dumps([body_of(text, model) for text in TEXTS for model in MODELS])
    # when
    told = [
        subprocess.run(
            [sys.executable, "-c", MAKER],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            input=bodies,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    # then
    assert told[0] == told[1]
    assert len(told[0].splitlines()) == len(TEXTS) * len(MODELS)


@given(st.text(), st.integers(0, 2**31), st.sampled_from(MODELS))
def test_any_text_has_a_mind_of_its_own_that_never_changes(
    text: str, seed: int, model: str
) -> None:
    # given
    mood = read(seed, text)
    # then
    assert mood == read(seed, text)
    assert mood.difficulty in (0, 1, 2)
    assert 0 <= mood.draw("x") < 1
    assert 0 <= confidence(mood, model) <= 1
    assert is_sure(mood, model) is (confidence(mood, model) >= 0.75)


@given(st.text(max_size=300), st.sampled_from(MODELS), st.integers(1, 400))
def test_any_text_is_answered_within_what_was_asked_for(
    text: str, model: str, max_tokens: int
) -> None:
    # given
    asked = read_request({**body_of(text, model), "max_tokens": max_tokens})
    counted = PromptCache().count(asked.model, asked.segments, 0)
    # when
    made = make(asked, counted, 7, {}, "standard")
    # then
    assert 0 < made.output_tokens <= max_tokens
    assert made.latency_s > 0
    assert made.message["stop_reason"] in ("end_turn", "max_tokens")
    if made.message["stop_reason"] == "end_turn":
        document = json.loads(made.message["content"][-1]["text"])
        assert list(document) == ["reply", "confidence"]


def test_the_answer_follows_the_customers_words_and_not_the_prompt_around_them() -> None:
    # given
    asked = [
        read_request({**body_of(TEXTS[1], MODELS[0]), "system": system})
        for system in ("Be brief.", "Be kind, and answer in full sentences.")
    ]
    # when
    said = [
        make(one, PromptCache().count(one.model, one.segments, 0), 7, {}, "standard").message
        for one in asked
    ]
    # then
    assert said[0]["content"] == said[1]["content"]
    assert said[0]["id"] != said[1]["id"]
