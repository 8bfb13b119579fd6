"""Claude by other doors, on the wire by the SDK's own clients, against the simulator."""

import asyncio
from typing import Any

import pytest

from models.vocabulary import Purpose
from worker.claude.client import Claude, read_message
from worker.claude.errors import NoUsage, trouble_of
from worker.claude.probing import probe
from worker.claude.prompts import fenced
from worker.claude.requests import Ask
from worker.config.addresses import claude_address, lane_for
from worker.config.prices import plain_name, price_of
from worker.config.settings import Settings
from worker.domain.answers import Answer, Troubled
from worker.domain.messages import MessageText
from worker.domain.trouble import Meaning
from worker.errors import ConfigurationError, UsageError
from worker.sandbox.simulator.state import State

BEDROCK = "eu.anthropic.claude-haiku-5-5-v1:0"
Sim = tuple[State, str]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials as AWS's own tools have them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def settings(url: str, **claude: Any) -> Settings:
    return Settings.model_validate({"anthropic_base_url": url, "claude": claude})


def asked(settings: Settings, ask: Ask) -> Answer | Troubled:
    """What one request came to."""

    async def go() -> Answer | Troubled:
        claude = Claude.of(settings)
        try:
            return await claude.ask(ask)
        finally:
            await claude.close()

    return asyncio.run(go())


def small(model: str) -> Ask:
    """A small request of a model."""
    schema = {"type": "object", "properties": {"difficulty": {"type": "string"}}}
    return Ask(
        "1-1-classify",
        Purpose.CLASSIFY,
        model,
        [{"type": "text", "text": "Label it."}],
        [{"role": "user", "content": fenced(MessageText("Where is my card?"))}],
        {**schema, "required": ["difficulty"], "additionalProperties": False},
        64,
        None,
    )


@pytest.mark.usefixtures("aws")
def test_bedrock_answers_under_its_own_names(simulator: Sim) -> None:
    # given
    state, url = simulator
    # when
    got = asked(settings(url, via="bedrock", region="eu-central-1"), small(BEDROCK))
    # then
    assert isinstance(got, Answer), got
    assert got.usage.output_tokens > 0
    assert state.counts.by_path["/model/{model}/invoke"] == 1


@pytest.mark.usefixtures("aws")
def test_what_bedrock_refuses_keeps_its_meaning(simulator: Sim) -> None:
    # given
    state, url = simulator
    state.moods.replace([{"match": {}, "do": {"status": 429}}])
    # when
    got = asked(settings(url, via="bedrock", region="eu-central-1"), small(BEDROCK))
    # then
    assert isinstance(got, Troubled)
    assert got.trouble.meaning is Meaning.RATE_LIMITED


def test_vertex_wants_a_region_and_a_project(simulator: Sim) -> None:
    with pytest.raises(ConfigurationError, match="region or project"):
        Claude.of(settings(simulator[1], via="vertex"))


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        (BEDROCK, "claude-haiku-5-5"),
        ("anthropic.claude-opus-5-5-v1:0", "claude-opus-5-5"),
        ("us-gov.anthropic.claude-opus-5-5-v1:0", "claude-opus-5-5"),
        ("claude-sonnet-5-5@default", "claude-sonnet-5-5"),
        ("claude-haiku-5-5", "claude-haiku-5-5"),
    ],
)
def test_a_door_s_name_has_the_price_of_the_model(name: str, plain: str) -> None:
    assert plain_name(name) == plain
    assert price_of(name, {}) == price_of(plain, {}) is not None


def test_batches_are_refused_where_there_are_none() -> None:
    # given
    bedrock, api = (Settings.model_validate({"claude": {"via": v}}) for v in ("bedrock", "api"))
    # then
    assert lane_for(api, "batch", None) == "batch"
    assert lane_for(bedrock, None, None) == "realtime"
    with pytest.raises(UsageError, match="no batches"):
        lane_for(bedrock, "batch", None)


def test_a_gateway_without_a_list_of_models_is_no_failure(simulator: Sim) -> None:
    # given a server that knows the path of messages only
    url = f"{simulator[1]}/gateway"
    made = settings(url).model_copy(update={"anthropic_api_key": None})
    address = claude_address(
        Settings.model_validate({"anthropic_base_url": url, "anthropic_api_key": "sk-test"})
    )
    assert made.claude.via == "api"
    # then
    probed = probe(address, ["claude-haiku-5-5"], 5)
    assert (probed.unlisted, probed.missing, probed.trouble) == (True, (), None)


def test_a_model_that_is_not_there_still_fails(simulator: Sim) -> None:
    address = claude_address(
        Settings.model_validate({"anthropic_base_url": simulator[1], "anthropic_api_key": "sk-t"})
    )
    assert probe(address, ["claude-nothing"], 5).missing == ("claude-nothing",)


def test_an_answer_without_its_usage_is_named_as_that() -> None:
    message = {"content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}
    with pytest.raises(NoUsage) as raised:
        read_message(message, latency_ms=1, request_id=None, simulated=True, headers={})
    trouble = trouble_of(raised.value)
    assert (trouble.meaning, trouble.kind) == (Meaning.UNKNOWN, "no usage")
