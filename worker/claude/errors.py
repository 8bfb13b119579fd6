"""What Claude's errors mean (`reference`: platform.claude.com/docs/en/api/errors, November 2026).

Exceptions of the SDK and of our own HTTP client, and responses that are no success, become
`Trouble` values. Their kind is of a known list; the words kept are the API's own, cut short, and
for the ledger alone: Claude describes a request and does not quote it, but gateways do.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import aiohttp
import anthropic
import orjson

from worker.claude import gateway_errors
from worker.claude.gateway_errors import (
    complaint,
    identifier,
    meaning_of,
    part,
    request_id_of,
    word,
)
from worker.domain.limit_headers import retry_after_s
from worker.domain.trouble import Meaning, Trouble

MAX_WORDS = 300
NEVER_CONNECTED = frozenset(
    {
        "ClientConnectorError",
        "ClientConnectorDNSError",
        "ClientConnectorSSLError",
        "ClientConnectorCertificateError",
        "ConnectionTimeoutError",
    }
)
"""aiohttp's errors from before a connection stood. httpx2's `ConnectError` proves nothing: a reset
in the middle of a request is translated to it as well."""
CLOUDS = ("google.auth", "botocore")
AWAY = frozenset({"TransportError", "RefreshError", "MetadataRetrievalError", "ConnectionError"})
"""Their errors that pass."""
TIMED_OUT = (anthropic.APITimeoutError, aiohttp.ServerTimeoutError)
BY_CODE = {
    "enforced_spend_limit_reached": Meaning.MONEY,
    "contract_spend_limit_reached": Meaning.MONEY,
    "linked_organization_spend_limit_reached": Meaning.MONEY,
    "organization_on_hold": Meaning.MONEY,
    "organization_type_not_supported": Meaning.CONFIGURATION,
    "cmek_key_disabled": Meaning.CONFIGURATION,
    "cmek_key_network_blocked": Meaning.CONFIGURATION,
}
"""Trouble with the account, which comes under statuses that otherwise speak of the request."""
MONEY_WORDS = ("spend limit", "credit balance")
TOO_LONG_WORDS = (
    "prompt is too long",
    "exceed context limit",
    "too many tokens",
    # Bedrock.
    "input is too long",
)

BY_STATUS = {
    400: Meaning.PERMANENT,
    401: Meaning.CONFIGURATION,
    402: Meaning.MONEY,
    403: Meaning.CONFIGURATION,
    404: Meaning.CONFIGURATION,
    408: Meaning.UNKNOWN,
    409: Meaning.UNKNOWN,
    413: Meaning.PERMANENT,
    422: Meaning.PERMANENT,
    # Bedrock: the model failed.
    424: Meaning.UNKNOWN,
    429: Meaning.RATE_LIMITED,
    # Google's CANCELLED: it gave up on its side.
    499: Meaning.UNKNOWN,
    503: Meaning.OVERLOADED,
    529: Meaning.OVERLOADED,
}

BY_TYPE = {
    "invalid_request_error": Meaning.PERMANENT,
    "request_too_large": Meaning.PERMANENT,
    "authentication_error": Meaning.CONFIGURATION,
    "permission_error": Meaning.CONFIGURATION,
    "not_found_error": Meaning.CONFIGURATION,
    "billing_error": Meaning.MONEY,
    "rate_limit_error": Meaning.RATE_LIMITED,
    "overloaded_error": Meaning.OVERLOADED,
}

OTHER = "other"
REDIRECT = "redirect"
KINDS = frozenset(
    {*BY_CODE, *BY_TYPE, *gateway_errors.KINDS}
    | {"api_error", "timeout_error", "ramp_limit_exceeded", REDIRECT, OTHER}
)
"""What an error may be called outside of the ledger."""


class NoResponse(Exception):
    """No whole response came: raised from what our own HTTP client raised."""


class NoUsage(KeyError):
    """An answer that does not say how many tokens it took, as some gateways send."""


def trouble_of(error: BaseException) -> Trouble:
    """The meaning of any exception that a call can raise."""
    if isinstance(error, anthropic.APIStatusError):
        return _of_response(error.status_code, error.response.headers, error.body)
    if isinstance(error, anthropic.APIConnectionError | NoResponse):
        causes = list(_causes(error))
        if any(type(cause).__name__ in NEVER_CONNECTED for cause in causes):
            return Trouble(
                meaning=Meaning.NOT_SENT, kind="not connected", words="Claude could not be reached"
            )
        timed_out = any(isinstance(cause, TIMED_OUT) for cause in causes)
        return Trouble(meaning=Meaning.UNKNOWN, kind="timeout" if timed_out else "connection lost")
    if isinstance(error, TimeoutError):
        return Trouble(
            meaning=Meaning.UNKNOWN, kind="deadline", words="no answer within the call's deadline"
        )
    if isinstance(error, NoUsage):
        words = "the answer does not say what it used, so what it cost is not known"
        return Trouble(meaning=Meaning.UNKNOWN, kind="no usage", words=words)
    return _of_credentials(error) or Trouble(
        meaning=Meaning.UNKNOWN,
        kind=f"unreadable answer ({type(error).__name__})",
        words="what came is no message of Claude's: is ANTHROPIC_BASE_URL right?",
    )


def _of_credentials(error: BaseException) -> Trouble | None:
    """What a cloud's own library says before anything is sent: no credentials, or their server is
    away. The SDK passes it on as it is, or as a RuntimeError of its own."""
    name, module = type(error).__name__, type(error).__module__
    if module.startswith(CLOUDS) and name in AWAY:
        return Trouble(
            meaning=Meaning.NOT_SENT,
            kind="no token",
            words=f"the cloud gives none just now ({name})",
        )
    told = isinstance(error, RuntimeError) and "credentials" in str(error)
    if module.startswith(CLOUDS) or told:
        words = f"the cloud's own tools find none here ({name})"
        return Trouble(meaning=Meaning.CONFIGURATION, kind="no credentials", words=words)
    return None


def trouble_of_item(response: Mapping[str, Any]) -> Trouble:
    """The meaning of an `errored` item of a batch. No item of this kind is billed."""
    error = response["error"]
    kind, words = error["type"], (error.get("message") or "")[:MAX_WORDS]
    code = word(part(part(error, "details"), "error_code"))
    meaning = BY_CODE.get(code) or BY_TYPE.get(kind, Meaning.UNKNOWN)
    if meaning is Meaning.PERMANENT:
        meaning = _by_words(words.lower()) or meaning
    kind, words = _known(kind, words)
    request_id = identifier(response.get("request_id"))
    return Trouble(meaning=meaning, kind=kind, words=words, request_id=request_id, free=True)


def trouble_of_response(status: int, headers: Mapping[str, str], body: bytes) -> Trouble:
    """The meaning of a response with a status outside of 200 to 299."""
    try:
        document = orjson.loads(body.decode("utf-8", "replace"))
    except ValueError:
        document = None
    return _of_response(status, headers, document)


def _of_response(status: int, headers: Mapping[str, str], document: object) -> Trouble:
    """`document` is the parsed body, whatever it is: gateways answer as they like."""
    if 300 <= status < 400:
        # What a customer wrote, and the key, go where the operator said and nowhere else.
        words = "it leads elsewhere, where nothing is sent: is ANTHROPIC_BASE_URL right?"
        return Trouble(
            meaning=Meaning.CONFIGURATION, kind=REDIRECT, words=words, status=status, free=True
        )
    said = complaint(headers, document)
    words, kind = said.words[:MAX_WORDS], said.kind
    code = word(part(part(said.error, "details"), "error_code"))
    meaning = _meaning(status, code, kind, words.lower())
    # A code that nobody knows does not hide a type that everybody does.
    told = kind if kind in KINDS and code not in KINDS else code or kind
    kind, words = _known(told, words)
    return Trouble(
        meaning=meaning,
        kind=kind,
        words=words,
        status=status,
        retry_after_s=retry_after_s(headers.get("retry-after"), time.time()),
        request_id=request_id_of(headers),
    )


def _by_words(words: str) -> Meaning | None:
    """What only the words of an invalid request tell: an account without money, a long message."""
    if any(known in words for known in MONEY_WORDS):
        return Meaning.MONEY
    return Meaning.TOO_LONG if any(known in words for known in TOO_LONG_WORDS) else None


def _known(kind: str, words: str) -> tuple[str, str]:
    """The kind, if it is of the list; else `other`, with what it was before the words."""
    if kind in KINDS:
        return kind, words
    return OTHER, f"{kind}: {words}"[:MAX_WORDS].removeprefix(": ").removesuffix(": ")


def _meaning(status: int, code: str, kind: str, words: str) -> Meaning:
    if known := BY_CODE.get(code):
        return known
    if status in (400, 413) and (told := meaning_of(kind, words) or _by_words(words)):
        return told
    if usual := BY_STATUS.get(status):
        return usual
    return Meaning.UNKNOWN if status >= 500 else Meaning.PERMANENT


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
