"""Every error of Claude's documents, as the SDK raises it and as the worker understands it."""

from typing import Any

import anthropic
import httpx2
import pytest

from tests.integration.simulator.conftest import Told
from worker.claude.errors import trouble_of
from worker.domain.limit_headers import hold_s
from worker.domain.trouble import Meaning
from worker.sandbox.simulator.state import State

HAIKU = "claude-haiku-5-5"
SAID: list[dict[str, Any]] = [{"role": "user", "content": "Where is my parcel?"}]
OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED = {**OPEN, "additionalProperties": False}
NODE = {
    "type": "object",
    "properties": {"next": {"$ref": "#/$defs/node"}},
    "additionalProperties": False,
}


def formatted(schema: dict[str, Any]) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def asked(client: anthropic.Anthropic, **more: Any) -> anthropic.APIStatusError:
    """The error that a request ends with."""
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(
            **{"model": HAIKU, "max_tokens": 100, "messages": SAID, **more}  # type: ignore[call-overload]
        )
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "raised", "meaning"),
    [
        (400, "invalid_request_error", anthropic.BadRequestError, Meaning.PERMANENT),
        (401, "authentication_error", anthropic.AuthenticationError, Meaning.CONFIGURATION),
        (402, "billing_error", anthropic.PaymentRequiredError, Meaning.MONEY),
        (403, "permission_error", anthropic.PermissionDeniedError, Meaning.CONFIGURATION),
        (404, "not_found_error", anthropic.NotFoundError, Meaning.CONFIGURATION),
        (409, "conflict_error", anthropic.ConflictError, Meaning.UNKNOWN),
        (413, "request_too_large", anthropic.ContentTooLargeError, Meaning.PERMANENT),
        (422, "invalid_request_error", anthropic.UnprocessableEntityError, Meaning.PERMANENT),
        (429, "rate_limit_error", anthropic.RateLimitError, Meaning.RATE_LIMITED),
        (500, "api_error", anthropic.InternalServerError, Meaning.UNKNOWN),
        (503, "api_error", anthropic.InternalServerError, Meaning.OVERLOADED),
        (504, "timeout_error", anthropic.InternalServerError, Meaning.UNKNOWN),
        (529, "overloaded_error", anthropic.OverloadedError, Meaning.OVERLOADED),
    ],
)
def test_every_status_has_its_type_and_its_meaning(
    client: anthropic.Anthropic,
    told: Told,
    status: int,
    kind: str,
    raised: type[anthropic.APIStatusError],
    meaning: Meaning,
) -> None:
    # given
    told(status=status, message="as it was told")
    # when
    error = asked(client)
    trouble = trouble_of(error)
    # then
    assert isinstance(error, raised)
    assert (error.status_code, error.type, error.api_message) == (status, kind, "as it was told")
    assert str(error.request_id).startswith("req_sim")
    assert (trouble.meaning, trouble.status, trouble.request_id) == (
        meaning,
        status,
        error.request_id,
    )


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (429, "enforced_spend_limit_reached", Meaning.MONEY),
        (429, "contract_spend_limit_reached", Meaning.MONEY),
        (429, "ramp_limit_exceeded", Meaning.RATE_LIMITED),
        (402, "linked_organization_spend_limit_reached", Meaning.MONEY),
        (400, "organization_on_hold", Meaning.MONEY),
        (400, "cmek_key_disabled", Meaning.CONFIGURATION),
    ],
)
def test_codes_tell_money_from_haste(
    client: anthropic.Anthropic, told: Told, status: int, code: str, meaning: Meaning
) -> None:
    # given
    told(status=status, code=code)
    # when
    error = asked(client)
    # then
    assert (error.error_code, error.response.headers.get("retry-after")) == (code, None)
    assert (trouble_of(error).meaning, trouble_of(error).kind) == (meaning, code)


def test_ones_own_spend_limit_is_a_400_and_means_money(
    client: anthropic.Anthropic, told: Told
) -> None:
    told(status=400, message="You have reached your specified API spend limit.")
    assert trouble_of(asked(client)).meaning is Meaning.MONEY


def test_a_prompt_beyond_the_window_is_too_long_and_not_merely_wrong(
    client: anthropic.Anthropic,
) -> None:
    error = asked(client, system="x" * 800_000)
    assert (error.status_code, trouble_of(error).meaning) == (400, Meaning.TOO_LONG)


def test_retry_after_reaches_the_worker(client: anthropic.Anthropic, told: Told) -> None:
    told(status=429, headers={"retry-after": "7"})
    assert trouble_of(asked(client)).retry_after_s == 7


@pytest.mark.parametrize("value", ["-3", "1e400", "nan", "soon", "", "3600.5", "0"])
def test_retry_after_is_read_alike_for_the_job_and_for_the_limits(
    client: anthropic.Anthropic, told: Told, value: str
) -> None:
    told(status=429, headers={"retry-after": value})
    heard = trouble_of(asked(client)).retry_after_s
    assert hold_s(heard, 0) == hold_s(value, 0)


@pytest.mark.parametrize(("value", "seconds"), [("86400", 86_400), ("1e400", None), ("-3", 0)])
def test_a_long_wish_is_heard_as_it_is_so_that_people_can_be_told_and_garbage_is_not(
    client: anthropic.Anthropic, told: Told, value: str, seconds: float | None
) -> None:
    told(status=429, headers={"retry-after": value})
    assert trouble_of(asked(client)).retry_after_s == seconds


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"model": "claude-haiku-9"}, 404, "model: claude-haiku-9"),
        ({"extra_body": {"temperature": 0.5}}, 400, "temperature: "),
        ({"extra_body": {"top_p": 0.5}}, 400, "top_p: "),
        ({"extra_body": {"top_k": 5}}, 400, "top_k: "),
        ({"extra_body": {"mood": "good"}}, 400, "mood: Extra inputs are not permitted"),
        ({"extra_body": {"model": ""}}, 400, "model: Field required"),
        ({"max_tokens": -1}, 400, "max_tokens: "),
        ({"extra_body": {"max_tokens": "many"}}, 400, "max_tokens: "),
        ({"extra_body": {"max_tokens": None}}, 400, "max_tokens: Field required"),
        ({"max_tokens": 200_000, "timeout": 9}, 400, "max_tokens: 200000 > 128000"),
        ({"messages": []}, 400, "messages: "),
        ({"messages": [{"role": "user", "content": " "}]}, 400, "messages.0: "),
        ({"messages": [{"role": "guest", "content": "Hi"}]}, 400, "messages.0.role: "),
        ({"messages": [*SAID, {"role": "assistant", "content": "{"}]}, 400, "prefill"),
        ({"extra_body": {"system": 7}}, 400, "system: "),
        ({"extra_body": {"system": [{"type": "text", "text": 7}]}}, 400, "system: "),
        ({"stop_sequences": [" "]}, 400, "stop_sequences: "),
        ({"extra_body": {"output_config": "json"}}, 400, "output_config: "),
        ({"output_config": {"effort": "frantic"}}, 400, "output_config.effort: "),
        ({"output_config": {"format": {"type": "xml"}}}, 400, "output_config.format.type: "),
        (
            {"output_config": {"format": {"type": "json_schema"}}},
            400,
            "output_config.format.schema: Field required",
        ),
        (formatted(OPEN), 400, "'additionalProperties' must be explicitly set to false"),
        (formatted({**CLOSED, "properties": {"a": OPEN}}), 400, "'additionalProperties'"),
        (formatted({"type": "number", "minimum": 0}), 400, "'minimum' is not supported"),
        (formatted({"type": "number", "exclusiveMaximum": 1}), 400, "'exclusiveMaximum' is not"),
        (formatted({"type": "string", "maxLength": 9}), 400, "'maxLength' is not supported"),
        (formatted({**NODE, "$defs": {"node": NODE}}), 400, "recursive schemas"),
        ({"cache_control": {"type": "ephemeral", "ttl": "2d"}}, 400, "cache_control: "),
        ({"system": [{"type": "text", "text": "Hi", "cache_control": 7}]}, 400, "cache_control: "),
        (
            {"system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}] * 5},
            400,
            "A maximum of 4 blocks",
        ),
    ],
)
def test_wrong_requests_are_refused_in_words(
    client: anthropic.Anthropic, more: dict[str, Any], status: int, words: str
) -> None:
    # when
    error = asked(client, **more)
    # then
    assert error.status_code == status
    assert words in str(error.api_message)


def test_properties_may_bear_the_names_of_what_is_refused(client: anthropic.Anthropic) -> None:
    fields = {"minimum": {"type": "string"}, "maxLength": {"type": "string"}}
    schema = {"type": "object", "properties": fields, "additionalProperties": False}
    answer = client.messages.create(
        model=HAIKU,
        max_tokens=500,
        messages=[{"role": "user", "content": "Hi"}],
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )
    assert answer.stop_reason == "end_turn"


def test_the_same_definition_twice_is_no_recursion(client: anthropic.Anthropic) -> None:
    pair = {"a": {"$ref": "#/$defs/word"}, "b": {"$ref": "#/$defs/word"}}
    schema = {
        "type": "object",
        "properties": pair,
        "additionalProperties": False,
        "$defs": {"word": {"type": "string", "enum": ["yes", "no"]}},
    }
    answer = client.messages.create(
        model=HAIKU,
        max_tokens=500,
        messages=[{"role": "user", "content": "Hi"}],
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )
    assert answer.stop_reason == "end_turn"


def test_an_earlier_assistant_turn_is_no_prefill(client: anthropic.Anthropic) -> None:
    turns = [*SAID, {"role": "assistant", "content": "It left."}, {"role": "user", "content": "?"}]
    answer = client.messages.create(model=HAIKU, max_tokens=500, messages=turns)  # type: ignore[arg-type]
    assert answer.stop_reason == "end_turn"


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "kind"),
    [
        ("POST", "messages", {}, b"{}", 401, "authentication_error"),
        ("POST", "messages", {"x-api-key": "k"}, b"{", 400, "invalid_request_error"),
        ("POST", "messages", {"x-api-key": "k"}, b"[]", 400, "invalid_request_error"),
        ("POST", "messages", {"x-api-key": "k"}, b"\xff\xfe", 400, "invalid_request_error"),
        ("POST", "messages/count_tokens", {"x-api-key": "k"}, b"", 400, "invalid_request_error"),
        ("POST", "messages/batches", {"x-api-key": "k"}, b"", 400, "invalid_request_error"),
        ("GET", "messages", {"x-api-key": "k"}, b"", 404, "not_found_error"),
        ("GET", "no/such/thing", {"x-api-key": "k"}, b"", 404, "not_found_error"),
        ("GET", "models?limit=0", {"x-api-key": "k"}, b"", 400, "invalid_request_error"),
        ("GET", "models?limit=x", {"x-api-key": "k"}, b"", 400, "invalid_request_error"),
    ],
)
def test_a_strangers_mistakes_come_back_in_the_same_shape(
    simulator: tuple[State, str],
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    status: int,
    kind: str,
) -> None:
    # when
    reply = httpx2.request(method, f"{simulator[1]}/v1/{path}", headers=headers, content=body)
    # then
    document = reply.json()
    assert (reply.status_code, document["type"], document["error"]["type"]) == (
        status,
        "error",
        kind,
    )
    assert document["request_id"] == reply.headers["request-id"]
    assert reply.headers["x-rung-simulated"] == "true"


def test_32_megabytes_are_the_most(client: anthropic.Anthropic) -> None:
    error = asked(client, system="x" * (32 * 1024 * 1024))
    assert (error.status_code, error.type) == (413, "request_too_large")
