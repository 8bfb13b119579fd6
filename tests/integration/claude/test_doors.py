"""Claude by other doors, on the wire by the SDK's own clients, against the simulator."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from models.vocabulary import Purpose
from tests.integration.lanes.upkeep.test_receivers import speaking
from worker.claude.client import Claude, read_message
from worker.claude.errors import NoUsage, trouble_of
from worker.claude.probing import probe
from worker.claude.prompts import fenced
from worker.claude.requests import Ask
from worker.config.addresses import claude_address, lane_for, night_lane
from worker.config.prices import plain_name, price_of
from worker.config.settings import Settings
from worker.domain.answers import Answer, Troubled
from worker.domain.messages import MessageText
from worker.domain.trouble import Meaning
from worker.errors import ConfigurationError, UsageError
from worker.sandbox.simulator.limits import SimulatedLimits
from worker.sandbox.simulator.state import State

BEDROCK = "eu.anthropic.claude-haiku-5-5-v1:0"
Sim = tuple[State, str]


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
        key="1-1-classify",
        purpose=Purpose.CLASSIFY,
        model=model,
        system=[{"type": "text", "text": "Label it."}],
        messages=[{"role": "user", "content": fenced(MessageText(body="Where is my card?"))}],
        schema={**schema, "required": ["difficulty"], "additionalProperties": False},
        max_tokens=64,
        effort=None,
    )


@pytest.mark.usefixtures("aws")
def test_bedrock_answers_under_its_own_names(simulator: Sim) -> None:
    # given
    state, url = simulator
    state.limits = SimulatedLimits({"haiku": (10, 100_000, 100_000)})
    where = settings(url, via="bedrock", region="eu-central-1")
    # when
    got, refused = asked(where, small(BEDROCK)), asked(where, small(BEDROCK))
    # then
    assert isinstance(got, Answer), got
    assert got.usage.output_tokens > 0
    assert state.counts.by_path["/model/{model}/invoke"] == 2
    # and no header tells how much is left, or when to ask again
    assert [name for name in got.headers if name.startswith("anthropic-")] == []
    assert isinstance(refused, Troubled)
    assert refused.trouble.label == "429 ThrottlingException"
    assert refused.trouble.retry_after_s is None


def vertex(simulator: Sim) -> Settings:
    return settings(f"{simulator[1]}/v1", via="vertex", region="europe-west1", project="acme")


def test_vertex_answers_with_a_token_of_its_own(simulator: Sim, google: list[str]) -> None:
    # when
    got = asked(vertex(simulator), small("claude-haiku-5-5"))
    # then
    assert isinstance(got, Answer), got
    assert got.usage.output_tokens > 0
    path = "/v1/projects/{project}/locations/{region}/publishers/anthropic/models/{model}"
    assert simulator[0].counts.by_path[path] == 1
    assert "jwt-bearer" in google[0]


@pytest.mark.parametrize("via", ["bedrock", "vertex"])
def test_without_credentials_nothing_is_charged_and_people_are_told(
    simulator: Sim, via: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # given a machine that has none
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    # A region of its own, since the SDK keeps a session for each.
    where = settings(simulator[1], via=via, region="eu-north-1", project="acme")
    # when
    got = asked(where, small(BEDROCK))
    # then
    assert isinstance(got, Troubled)
    assert (got.trouble.meaning, got.trouble.kind) == (Meaning.CONFIGURATION, "no credentials")
    assert not got.trouble.may_be_billed
    assert simulator[0].counts.by_path.total() == 0


@pytest.mark.parametrize("usage", [{}, {"input_tokens": None, "output_tokens": None}])
def test_a_usage_that_says_nothing_is_none(usage: dict[str, Any]) -> None:
    message = {"content": [], "stop_reason": "end_turn", "usage": usage}
    with pytest.raises(NoUsage):
        read_message(message, latency_ms=1, request_id=None, simulated=True, headers={})


def test_a_night_goes_at_half_price_only_where_there_are_batches() -> None:
    # given
    night = {"cron": "0 2 * * *", "where": "state = review"}
    api, cloud = (
        Settings.model_validate({"claude": {"via": via}, "schedule": {"n": night}})
        for via in ("api", "bedrock")
    )
    # then
    assert night_lane(api, api.schedule["n"].lane) == "batch"
    assert night_lane(cloud, cloud.schedule["n"].lane) == "realtime"
    asks = {"claude": {"via": "vertex"}, "schedule": {"n": {**night, "lane": "batch"}}}
    with pytest.raises(ValidationError, match=r"schedule\.n\.lane is batch.* which has no batches"):
        Settings.model_validate(asks)


def test_bedrock_wants_a_region(simulator: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(ConfigurationError, match="No AWS region"):
        Claude.of(settings(simulator[1], via="bedrock"))


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


def test_a_gateway_that_drips_is_not_waited_for() -> None:
    with speaking(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n") as url:
        address = claude_address(
            Settings.model_validate({"anthropic_base_url": url, "anthropic_api_key": "sk-t"})
        )
        probed = probe(address, ["claude-haiku-5-5"], 5, longest_s=0.5)
    assert probed.trouble is not None
    assert probed.trouble.kind == "deadline"


def test_an_answer_without_its_usage_is_named_as_that() -> None:
    message = {"content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}
    with pytest.raises(NoUsage) as raised:
        read_message(message, latency_ms=1, request_id=None, simulated=True, headers={})
    trouble = trouble_of(raised.value)
    assert (trouble.meaning, trouble.kind) == (Meaning.UNKNOWN, "no usage")
