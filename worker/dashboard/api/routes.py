"""The table of endpoints: routes and description are both made of it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from worker.dashboard.access.problems import problem
from worker.dashboard.api import (
    acting,
    comparisons,
    inputs,
    job_schemas,
    outcomes,
    reading,
    schemas,
    status_schemas,
    submitting,
    turns,
)
from worker.dashboard.api.endpoints import Endpoint, Handler, json_response
from worker.dashboard.api.openapi import description

JOB, RUN = "/api/jobs/{job}", "/api/runs/{run}"
CHANGES = (404, 409, 413, 415, 422)


def _get(path: str, summary: str, handler: Handler, answer: Any, **more: Any) -> Endpoint:
    return Endpoint(
        method="GET", path=path, summary=summary, handler=handler, answer=answer, **more
    )


def _post(path: str, summary: str, handler: Handler, answer: Any, **more: Any) -> Endpoint:
    return Endpoint(
        method="POST", path=path, summary=summary, handler=handler, answer=answer, **more
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    _get("/api/session", "Who asks", reading.session, schemas.SessionDocument),
    _get("/api/status", "How it all stands", reading.now, status_schemas.StatusDocument),
    _get("/api/tiers", "Each queue", reading.tiers, list[status_schemas.QueueDocument]),
    _get(
        "/api/runs",
        "Runs, newest first",
        reading.runs,
        status_schemas.RunsDocument,
        query=inputs.PageQuery,
    ),
    _post(
        "/api/runs",
        "Submit messages",
        submitting.submit,
        outcomes.EnqueuedDocument,
        query=inputs.NewRunQuery,
        takes=tuple(submitting.KINDS),
        problems=(409, 413, 415, 422),
        upload=submitting.receive,
        headers={"Idempotency-Key": "The same again means the same run, and adds nothing twice."},
    ),
    _get(RUN, "One run", reading.run, status_schemas.RunDetailDocument, problems=(404,)),
    _get(
        f"{RUN}/results",
        "The answers, a row a job",
        reading.results,
        job_schemas.ResultRowDocument,
        query=inputs.ResultsQuery,
        gives=("application/x-ndjson", "text/csv"),
        problems=(404, 422),
    ),
    _get(
        f"{RUN}/compare",
        "Two runs on the same messages, and a sentence",
        comparisons.compare,
        schemas.ComparisonDocument,
        query=inputs.CompareQuery,
        problems=(400, 404),
    ),
    _get(
        "/api/jobs",
        "Jobs that meet a filter, newest first",
        reading.jobs,
        job_schemas.JobsDocument,
        query=inputs.JobsQuery,
        problems=(404,),
    ),
    _get(
        JOB,
        "The receipt of a job",
        reading.job,
        job_schemas.ReceiptDocument,
        query=inputs.ReceiptQuery,
        problems=(404,),
    ),
    _post(
        f"{JOB}/verdict",
        "A person's verdict on a job in review",
        acting.judge,
        outcomes.JudgedDocument,
        body=inputs.VerdictBody,
        problems=CHANGES,
    ),
    _get(
        "/api/dead",
        "Dead letters",
        reading.dead,
        job_schemas.AttentionDocument,
        query=inputs.AttentionQuery,
        problems=(404,),
    ),
    _get(
        "/api/review",
        "What was left to people, with the verdict of what was judged",
        reading.review,
        job_schemas.AttentionDocument,
        query=inputs.AttentionQuery,
        problems=(404,),
    ),
    _post(
        "/api/review/next",
        "The next that waits for a person, for one of them at a time",
        turns.next_one,
        outcomes.NextReviewDocument,
        body=inputs.NextReviewBody,
        problems=CHANGES,
    ),
    _post(
        "/api/review/leave",
        "What this reader has before them is for others again",
        turns.leave_all,
        outcomes.LeftDocument,
        body=inputs.LeaveReviewBody,
        problems=(413, 415, 422),
    ),
    _get("/api/workers", "Who is at work", reading.workers, list[schemas.WorkerDocument]),
    _get(
        "/api/audit",
        "Who did what",
        reading.audit_events,
        schemas.EventsDocument,
        query=inputs.PageQuery,
    ),
    _post(
        "/api/actions",
        "Do something, or see what it would do",
        acting.act,
        outcomes.DoneDocument,
        body=inputs.ActionBody,
        problems=CHANGES,
    ),
)


def routes() -> list[BaseRoute]:
    """Everything under `/api`."""
    # What stands below a run or a job comes first: the names of both may hold slashes.
    ordered = sorted(ENDPOINTS, key=lambda e: -e.path.count("/"))
    served = [Route(_whole(e.path), e.serve, methods=[e.method]) for e in ordered]
    return [
        *served,
        Route("/api/openapi.json", openapi, methods=["GET"]),
        Route("/api/{rest:path}", unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]


def _whole(path: str) -> str:
    """The path, whose names are whatever stands there, slashes and all."""
    return path.replace("}", ":path}")


async def openapi(request: Request) -> Response:
    """The description of this API, without anything that is secret."""
    return json_response(description(ENDPOINTS))


async def unknown(request: Request) -> Response:
    """A problem, rather than a page for people."""
    paths = {e.path: e.method for e in ENDPOINTS}
    if allowed := paths.get(request.scope["path"]):
        return problem(405, f"Use {allowed} here.", headers={"Allow": allowed})
    return problem(404, "There is no such address; see /api/openapi.json.")
