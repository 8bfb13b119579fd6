"""How doors other than Anthropic's own say what went wrong: clouds, and gateways that teams run.

Their errors stand in other places of a response, under other names, and some that are about the
model or about the form of every request come under a status that otherwise blames one message.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from worker.domain.trouble import Meaning

AN_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
AMAZON = "x-amzn-errortype"
IDS = ("request-id", "x-amzn-requestid")
BY_KIND = {
    "ExpiredTokenException": Meaning.CONFIGURATION,
    "FAILED_PRECONDITION": Meaning.CONFIGURATION,
    "ServiceQuotaExceededException": Meaning.RATE_LIMITED,
}
"""Under 400, which otherwise blames the request."""
KINDS = frozenset(
    {"AccessDeniedException", "InternalServerException", "InvalidSignatureException"}
    | {"MissingAuthenticationTokenException", "ModelErrorException", "ModelNotReadyException"}
    | {"ModelTimeoutException", "ResourceNotFoundException", "ServiceUnavailableException"}
    | {"ThrottlingException", "UnrecognizedClientException", "ValidationException"}
    | {"CANCELLED", "DEADLINE_EXCEEDED", "INTERNAL", "INVALID_ARGUMENT", "NOT_FOUND"}
    | {"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED", "UNAVAILABLE", *BY_KIND}
)
"""Amazon's names, and Google's."""
EVERYBODYS = (
    "model identifier is invalid",
    "on-demand throughput",
    "invalid model name",
    "no such model",
    "extra inputs are not permitted",
    "extraneous key",
    # Bedrock, of an account that may ask no model.
    "operation not allowed",
)
"""What is about every request of a tier alike, under a status that is a message's own."""
FIRST = 160
"""Characters in which that is looked for: behind them, some gateways quote the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a response says went wrong."""

    error: object
    kind: str
    words: str


def complaint(headers: Mapping[str, str], document: object) -> Complaint:
    """Out of whatever came: empty words where it says nothing."""
    if isinstance(document, list) and document:
        document = document[0]
    error = part(document, "error")
    told = (part(error, "message"), part(document, "message"), error, part(document, "detail"))
    kinds = (part(error, "type"), headers.get(AMAZON, "").partition(":")[0], part(error, "status"))
    return Complaint(
        error=error,
        kind=next((one for one in map(word, kinds) if one), ""),
        words=next((one for one in map(word, told) if one), ""),
    )


def meaning_of(kind: str, words: str) -> Meaning | None:
    """What only the kind or the words tell; None where the status is to be believed."""
    if any(known in words[:FIRST] for known in EVERYBODYS):
        return Meaning.CONFIGURATION
    return BY_KIND.get(kind)


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """By which the door's people find a request."""
    return next((found for name in IDS if (found := identifier(headers.get(name)))), None)


def identifier(value: object) -> str | None:
    """A request's id as doors give it; None for what is none. It stands on screens and in receipts,
    and some gateway puts words into it."""
    return value if isinstance(value, str) and AN_ID.fullmatch(value) else None


def part(document: object, name: str) -> object:
    """A field of an object; None of anything else."""
    return document.get(name) if isinstance(document, Mapping) else None


def word(value: object) -> str:
    """Text; empty for anything else."""
    return value if isinstance(value, str) else ""
