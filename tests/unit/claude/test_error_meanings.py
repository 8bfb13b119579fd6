"""What each of Claude's errors means, told by status, code or words: of a call and of an item."""

from typing import Any

import aiohttp
import orjson
import pytest

from worker.claude.errors import (
    MAX_WORDS,
    NEVER_CONNECTED,
    NoResponse,
    NoUsage,
    trouble_of,
    trouble_of_item,
    trouble_of_response,
)
from worker.domain.trouble import Meaning

BY_STATUS = {
    400: Meaning.PERMANENT, 401: Meaning.CONFIGURATION, 402: Meaning.MONEY,
    403: Meaning.CONFIGURATION, 404: Meaning.CONFIGURATION, 408: Meaning.UNKNOWN,
    409: Meaning.UNKNOWN, 413: Meaning.PERMANENT, 418: Meaning.PERMANENT, 422: Meaning.PERMANENT,
    424: Meaning.UNKNOWN,
    429: Meaning.RATE_LIMITED, 500: Meaning.UNKNOWN, 503: Meaning.OVERLOADED,
    504: Meaning.UNKNOWN, 529: Meaning.OVERLOADED,
}  # fmt: skip
BY_CODE = {
    "enforced_spend_limit_reached": Meaning.MONEY,
    "contract_spend_limit_reached": Meaning.MONEY,
    "linked_organization_spend_limit_reached": Meaning.MONEY,
    "organization_on_hold": Meaning.MONEY,
    "organization_type_not_supported": Meaning.CONFIGURATION,
    "cmek_key_disabled": Meaning.CONFIGURATION,
    "cmek_key_network_blocked": Meaning.CONFIGURATION,
}
BY_WORDS = {
    "Your credit balance is too low": Meaning.MONEY,
    "You have reached your specified spend limit": Meaning.MONEY,
    "prompt is too long: 1 > 0": Meaning.TOO_LONG,
    "input and max_tokens exceed context limit": Meaning.TOO_LONG,
    "too many tokens": Meaning.TOO_LONG,
    "PROMPT IS TOO LONG": Meaning.TOO_LONG,
    "messages: wrong": Meaning.PERMANENT,
}


def body(**error: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": "invalid_request_error", "message": "", **error}}


def meaning(status: int, **error: Any) -> Meaning:
    return trouble_of_response(status, {}, orjson.dumps(body(**error))).meaning


@pytest.mark.parametrize(("status", "means"), BY_STATUS.items())
def test_a_status_means(status: int, means: Meaning) -> None:
    assert meaning(status) is means


@pytest.mark.parametrize(("code", "means"), BY_CODE.items())
def test_a_code_means_the_same_under_any_status_and_in_a_batch(code: str, means: Meaning) -> None:
    details = {"error_code": code}
    assert {meaning(status, details=details) for status in (400, 403, 429)} == {means}
    assert trouble_of_item(body(details=details)).meaning is means


@pytest.mark.parametrize(
    ("kind", "code", "told"),
    [
        ("permission_error", "brand_new", "permission_error"),
        ("brand_new", "cmek_key_disabled", "cmek_key_disabled"),
        ("permission_error", "cmek_key_disabled", "cmek_key_disabled"),
        ("Where is my parcel?", "brand_new", "other"),
    ],
)
def test_a_code_that_nobody_knows_hides_no_type(kind: str, code: str, told: str) -> None:
    said = orjson.dumps(body(type=kind, details={"error_code": code}))
    assert trouble_of_response(403, {}, said).kind == told


@pytest.mark.parametrize(("words", "means"), BY_WORDS.items())
def test_words_tell_what_an_invalid_request_is(words: str, means: Meaning) -> None:
    assert meaning(400, message=words) is means
    item = trouble_of_item(body(message=words))
    assert (item.meaning, item.may_be_billed) == (means, False)


def test_a_body_may_be_too_large_because_its_prompt_is_too_long() -> None:
    assert meaning(413, message="prompt is too long") is Meaning.TOO_LONG


def test_an_item_that_nobody_knows_may_be_anything_and_is_not_billed() -> None:
    item = trouble_of_item(body(type="api_error"))
    assert (item.meaning, item.may_be_billed, item.kind) == (Meaning.UNKNOWN, False, "api_error")
    odd = trouble_of_item(body(type="an error of tomorrow", message="words"))
    assert (odd.kind, odd.words) == ("other", "an error of tomorrow: words")


def test_kinds_are_of_a_list_and_words_are_cut() -> None:
    odd = trouble_of_response(500, {}, orjson.dumps(body(type="tomorrow", message="x" * 999)))
    assert (odd.kind, len(odd.words)) == ("other", MAX_WORDS)
    long = trouble_of_response(500, {}, orjson.dumps(body(type="api_error", message="x" * 999)))
    assert (long.kind, len(long.words)) == ("api_error", MAX_WORDS)


def test_a_span_that_is_asked_for_is_heard() -> None:
    asked = trouble_of_response(429, {"retry-after": "7"}, orjson.dumps(body()))
    assert asked.retry_after_s == 7


def test_what_came_without_a_whole_answer_is_told_apart() -> None:
    lost, late = NoResponse(), NoResponse()
    late.__cause__ = aiohttp.ServerTimeoutError()
    kinds = [trouble_of(error).kind for error in (lost, late, TimeoutError(), NoUsage("usage"))]
    assert kinds == ["connection lost", "timeout", "deadline", "no usage"]
    assert trouble_of(ValueError("x")).kind == "unreadable answer (ValueError)"


@pytest.mark.parametrize("name", sorted(NEVER_CONNECTED))
def test_before_a_connection_stood_nothing_was_sent(name: str) -> None:
    error = NoResponse()
    error.__cause__ = type(name, (Exception,), {})()
    assert trouble_of(error).meaning is Meaning.NOT_SENT


def test_words_say_nothing_where_the_status_does() -> None:
    assert meaning(429, message="too many tokens") is Meaning.RATE_LIMITED
    assert meaning(500, message="credit balance") is Meaning.UNKNOWN


def test_the_errors_from_before_a_connection_stood_are_those_of_the_library() -> None:
    assert {name for name in NEVER_CONNECTED if hasattr(aiohttp, name)} >= {
        "ClientConnectorError", "ClientConnectorDNSError", "ClientConnectorSSLError",
        "ClientConnectorCertificateError", "ConnectionTimeoutError",
    }  # fmt: skip


AMAZON = "x-amzn-errortype"


@pytest.mark.parametrize(
    ("status", "kind", "words", "means"),
    [
        (400, "ValidationException", "The provided model identifier is invalid.", "configuration"),
        (400, "ValidationException", "on-demand throughput isn't supported", "configuration"),
        (400, "ValidationException", "messages: wrong", "permanent"),
        (400, "ExpiredTokenException:http://aws", "The token is expired", "configuration"),
        (400, "ServiceQuotaExceededException", "Too many", "rate_limited"),
        (403, "ExpiredTokenException", "The token is expired", "configuration"),
        (429, "ModelNotReadyException", "Not yet", "rate_limited"),
    ],
)
def test_amazon_says_it_in_a_header_and_beside_no_error(
    status: int, kind: str, words: str, means: str
) -> None:
    got = trouble_of_response(status, {AMAZON: kind}, orjson.dumps({"message": words}))
    assert (got.meaning, got.kind, got.words) == (means, kind.partition(":")[0], words)


def test_google_says_it_in_a_list() -> None:
    error = {"code": 400, "message": "Billing is off", "status": "FAILED_PRECONDITION"}
    got = trouble_of_response(400, {}, orjson.dumps([{"error": error}]))
    assert (got.meaning, got.kind, got.words) == (
        Meaning.CONFIGURATION,
        "FAILED_PRECONDITION",
        "Billing is off",
    )


@pytest.mark.parametrize(
    ("document", "words", "means"),
    [
        ({"error": {"message": "no such model", "type": "None"}}, "None: no such model", "conf"),
        ({"error": "Invalid model name"}, "Invalid model name", "conf"),
        ({"error": {"type": "None", "message": 5}, "message": "said"}, "None: said", "perm"),
        ({"detail": "messages: wrong"}, "messages: wrong", "perm"),
        (body(message="system.0.cache_control: Extra inputs are not permitted"), "system", "conf"),
        # What a message holds makes it nobody else's trouble.
        ({"error": f"wrong: {'x' * 200} no such model"}, "wrong: ", "perm"),
        (["odd"], "", "perm"),
        ("odd", "", "perm"),
    ],
)
def test_gateways_say_it_in_ways_of_their_own(document: Any, words: str, means: str) -> None:
    got = trouble_of_response(400, {}, orjson.dumps(document))
    assert got.words.startswith(words)
    assert got.meaning.startswith(means)


def test_an_id_that_holds_words_is_not_kept() -> None:
    words = "req of: Where is my card?"
    body = orjson.dumps({"error": {"type": "api_error", "message": "no"}})
    assert trouble_of_response(500, {"request-id": words}, body).request_id is None
    assert trouble_of_response(500, {"request-id": "req_1"}, body).request_id == "req_1"
    item = {"error": {"type": "api_error"}, "request_id": words}
    assert trouble_of_item(item).request_id is None
