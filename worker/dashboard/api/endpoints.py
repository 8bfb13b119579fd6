"""An endpoint, and how it is served: checked input, a handler in a thread, JSON or a problem."""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, Any
from urllib.parse import urlencode

import orjson
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from worker.config.settings import Settings
from worker.dashboard.access.permissions import visitor_of
from worker.dashboard.access.problems import away_words, problem
from worker.dashboard.access.visitors import Visitor
from worker.dashboard.api.inputs import NoQuery, StrictInput
from worker.dashboard.context import Dashboard, dashboard_of
from worker.errors import Missing, RungError, Unreachable, UsageError
from worker.store.audit import Actor
from worker.store.complaints import complaint_of
from worker.store.engine import away_since, is_outage

log = logging.getLogger(__name__)


class NotFound(Exception):
    """There is no such thing; says so in a sentence."""


class Conflict(Exception):
    """Not now, or not any more; says why in a sentence, and in how many seconds it may be tried
    again where that is known."""

    def __init__(self, words: str, retry_s: int | None = None) -> None:
        super().__init__(words)
        self.headers = {"Retry-After": str(retry_s)} if retry_s is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One request, as a handler sees it. `upload` is set where a file is taken."""

    dashboard: Dashboard
    visitor: Visitor
    path: Mapping[str, str]
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Any = None
    upload: IO[bytes] | None = None

    @property
    def engine(self) -> Engine:
        """The database."""
        return self.dashboard.engine

    @property
    def settings(self) -> Settings:
        """The configuration in force."""
        return self.dashboard.settings

    @property
    def actor(self) -> Actor:
        """Who acts, as the audit names them."""
        return Actor(self.visitor.name)


Handler = Callable[[ApiCall], Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A row of the table. `answer` is the type of the 200 answer, `query` and `body` are what may
    be sent; `takes` and `gives` name other content types than JSON."""

    method: str
    path: str
    summary: str
    handler: Handler
    answer: Any
    query: type[StrictInput] = NoQuery
    body: type[StrictInput] | None = None
    takes: tuple[str, ...] = ()
    gives: tuple[str, ...] = ("application/json",)
    problems: tuple[int, ...] = ()
    upload: Callable[[Request], Awaitable[IO[bytes]]] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    async def serve(self, request: Request) -> Response:
        """The answer, or a problem."""
        try:
            query = _query(request, self.query)
            body = await _json_body(request, self.body) if self.body is not None else None
            taken = await self.upload(request) if self.upload is not None else None
            call = ApiCall(
                dashboard=dashboard_of(request),
                visitor=visitor_of(request),
                path=request.path_params,
                query=query,
                headers=request.headers,
                body=body,
                upload=taken,
            )
            try:
                if taken is None:
                    answer = await run_in_threadpool(self.handler, call)
                else:
                    answer = await call.dashboard.reading(self.handler, call)
            finally:
                if taken is not None:
                    taken.close()
        except Exception as error:
            return as_problem(error, request)
        return answer if isinstance(answer, Response) else json_response(answer)


def as_problem(error: Exception, request: Request) -> Response:
    """What went wrong, as problem details. A bug of ours shows nothing of itself."""
    match error:
        case ClientDisconnect():
            return problem(400, "The body broke off.")
        case HTTPException():
            return problem(error.status_code, error.detail)
        case NotFound():
            return problem(404, str(error))
        case Conflict():
            return problem(409, str(error), headers=error.headers)
        case Missing():
            return problem(404, str(error))
        case UsageError():
            return problem(400, str(error), mend=error.mend)
        case Unreachable():
            return problem(503, str(error), headers={"Retry-After": "5"})
        case RungError():
            return problem(409, str(error), mend=error.mend)
        case DataError():
            return problem(400, "A value is of no use to Postgres: too large, or holding NUL.")
        case DBAPIError() if is_outage(error):
            words = away_words(away_since(dashboard_of(request).engine))
            return problem(503, words, headers={"Retry-After": "5"})
        case DBAPIError() if (complaint := complaint_of(error)) is not None:
            log.error("api refused by postgres", extra={"error": type(error).__name__})
            return problem(503, str(complaint), mend=complaint.mend)
    log.error("api failed", exc_info=error)
    return problem(500, "A bug of Rung's own; its log says where.")


def json_response(document: Any, status: int = 200, **headers: str) -> Response:
    """JSON. Dollars are numbers with six decimals, as the commands give them."""
    body = orjson.dumps(document, default=encode, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, status, headers, "application/json")


def page_response(
    call: ApiCall, path: str, document: dict[str, Any], following: int | None
) -> Response:
    """A page of a list: `next` is the `before` of the following one, and the header Link its
    address (RFC 8288)."""
    answer = json_response({**document, "next": following})
    if following is not None:
        asked = urlencode({**call.query, "before": following})
        answer.headers["Link"] = f'<{path}?{asked}>; rel="next"'
    return answer


def encode(value: object) -> Any:
    """What orjson does not know by itself."""
    if isinstance(value, Decimal):
        return round(float(value), 6)
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _query(request: Request, model: type[StrictInput]) -> dict[str, Any]:
    """The parameters, as their model wants them. Raises HTTPException 400."""
    times = Counter(name for name, _ in request.query_params.multi_items())
    for name, given in times.items():
        if given > 1:
            raise HTTPException(400, f"The parameter {name[:60]!r} is given twice.")
    try:
        return model.model_validate(dict(request.query_params)).given()
    except ValidationError as error:
        raise HTTPException(400, _sentence(error, "the address")) from None


async def _json_body(request: Request, model: type[StrictInput]) -> dict[str, Any]:
    """The body, as its model wants it. Raises HTTPException 400, 413, 415 or 422."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "A body of type application/json is expected.")
    try:
        document = orjson.loads(await request.body())
    except ValueError:
        raise HTTPException(400, "The body is not JSON.") from None
    try:
        return model.model_validate(document, strict=True).given()
    except ValidationError as error:
        raise HTTPException(422, _sentence(error, "the body")) from None


def _sentence(error: ValidationError, where: str) -> str:
    """The first thing that is wrong; what was sent is not repeated."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = "/".join(str(part)[:60] for part in first["loc"])
    words = "is not known here" if first["type"] == "extra_forbidden" else first["msg"]
    return f"{name or where}: {words}."
