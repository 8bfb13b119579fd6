"""What Bedrock and Vertex refuse, each in its own words, on the wire by the SDK's own clients."""

import asyncio
from typing import Any

import pytest

from tests.integration.claude.test_doors import BEDROCK, Sim, settings, small, vertex
from worker.claude.client import Claude
from worker.config.settings import Settings
from worker.domain.answers import Answer, Troubled
from worker.domain.endings import Dead, Deferred, Failed
from worker.domain.trouble import Meaning, Trouble, follow_up

PLANTED = "Where is zanzibar-4711?"
AGAIN, LATER, PAUSE, DEAD, HIGHER = "again", "later", "pause", "dead", "higher"
Row = tuple[int, str | None, str, str, str]
"""Status and type of a mood, words; what the screens say, and what follows."""
AMAZON: list[Row] = [
    (400, None, PLANTED, "400 ValidationException", DEAD),
    (400, None, "Input is too long for requested model.", "400 ValidationException", HIGHER),
    (413, None, "prompt is too long: 200001 tokens", "400 ValidationException", HIGHER),
    (400, None, "The provided model identifier is invalid.", "400 ValidationException", PAUSE),
    (404, None, "model: claude-nothing", "400 ValidationException", PAUSE),
    (400, None, "Operation not allowed", "400 ValidationException", PAUSE),
    (400, None, "Malformed input request: extraneous key [x]", "400 ValidationException", PAUSE),
    (
        400, "ServiceQuotaExceededException", "Too many tokens per day",
        "400 ServiceQuotaExceededException", LATER,
    ),
    (401, None, PLANTED, "403 AccessDeniedException", PAUSE),
    (403, None, PLANTED, "403 AccessDeniedException", PAUSE),
    (403, "ExpiredTokenException", PLANTED, "403 ExpiredTokenException", PAUSE),
    (403, "UnrecognizedClientException", PLANTED, "403 UnrecognizedClientException", PAUSE),
    (403, "InvalidSignatureException", PLANTED, "403 InvalidSignatureException", PAUSE),
    (
        403, "MissingAuthenticationTokenException", PLANTED,
        "403 MissingAuthenticationTokenException", PAUSE,
    ),
    (404, None, PLANTED, "404 ResourceNotFoundException", PAUSE),
    (408, None, PLANTED, "408 ModelTimeoutException", AGAIN),
    (424, None, PLANTED, "424 ModelErrorException", AGAIN),
    (429, None, "Too many tokens, please wait", "429 ThrottlingException", LATER),
    (429, "ModelNotReadyException", PLANTED, "429 ModelNotReadyException", LATER),
    (500, None, PLANTED, "500 InternalServerException", AGAIN),
    (503, None, PLANTED, "503 ServiceUnavailableException", LATER),
    (529, None, PLANTED, "503 ServiceUnavailableException", LATER),
    (500, "zanzibar-4711Exception", PLANTED, "500 other", AGAIN),
]  # fmt: skip
GOOGLE: list[Row] = [
    (400, "INVALID_ARGUMENT", PLANTED, "400 INVALID_ARGUMENT", DEAD),
    (400, "FAILED_PRECONDITION", PLANTED, "400 FAILED_PRECONDITION", PAUSE),
    (400, None, PLANTED, "400 invalid_request_error", DEAD),
    (400, None, "prompt is too long: 200001 tokens", "400 invalid_request_error", HIGHER),
    (401, None, PLANTED, "401 UNAUTHENTICATED", PAUSE),
    (403, None, PLANTED, "403 PERMISSION_DENIED", PAUSE),
    (404, None, PLANTED, "404 NOT_FOUND", PAUSE),
    (429, None, "Quota exceeded for too many tokens", "429 RESOURCE_EXHAUSTED", LATER),
    (499, None, PLANTED, "499 CANCELLED", AGAIN),
    (500, None, PLANTED, "500 INTERNAL", AGAIN),
    (503, None, PLANTED, "503 UNAVAILABLE", LATER),
    (504, None, PLANTED, "504 DEADLINE_EXCEEDED", AGAIN),
    (529, None, PLANTED, "529 overloaded_error", LATER),
    (500, "ZANZIBAR_4711", PLANTED, "500 other", AGAIN),
]


def follows(trouble: Trouble) -> str:
    """What becomes of a message that met it for the first time."""
    if trouble.meaning is Meaning.TOO_LONG:
        return HIGHER
    match follow_up(trouble, queue="haiku", failures=0, deferrals=0, jitter=0):
        case Deferred(halts="haiku", reason=reason):
            word = PAUSE
        case Deferred(halts=None, reason=reason):
            word = LATER
        case Failed(reason=reason):
            word = AGAIN
        case Dead(reason=reason):
            word = DEAD
        case other:
            raise AssertionError(other)
    assert reason == trouble.label
    return word


def met(simulator: Sim, where: Settings, model: str, rows: list[Row]) -> list[Trouble]:
    """The trouble of one call for each row, all by one client."""

    async def go() -> list[Answer | Troubled]:
        claude = Claude.of(where)
        got = []
        try:
            for status, kind, words, *_ in rows:
                do: dict[str, Any] = {"status": status, "type": kind, "message": words}
                simulator[0].moods.replace([{"match": {}, "do": do}])
                got.append(await claude.ask(small(model)))
        finally:
            await claude.close()
        return got

    return [one.trouble for one in asyncio.run(go()) if isinstance(one, Troubled)]


def told(got: list[Trouble]) -> list[tuple[str, str]]:
    """What the screens say, and what follows."""
    return [(one.label, follows(one)) for one in got]


def expected(rows: list[Row]) -> list[tuple[str, str]]:
    return [(label, word) for *_, label, word in rows]


@pytest.mark.usefixtures("aws")
def test_what_bedrock_refuses_keeps_its_meaning(simulator: Sim) -> None:
    where = settings(simulator[1], via="bedrock", region="eu-central-1")
    got = met(simulator, where, BEDROCK, AMAZON)
    assert told(got) == expected(AMAZON)
    # The words are there for the ledger, and the door's own id of the request.
    assert got[0].words == PLANTED
    assert all(one.request_id for one in got)


@pytest.mark.usefixtures("google")
def test_what_vertex_refuses_keeps_its_meaning(simulator: Sim) -> None:
    got = met(simulator, vertex(simulator), "claude-haiku-5-5", GOOGLE)
    assert told(got) == expected(GOOGLE)
    assert got[0].words == PLANTED
    assert all(one.request_id for one in got)
