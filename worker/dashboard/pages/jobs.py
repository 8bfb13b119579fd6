"""The pages of jobs: the list with its filter, and one job with its receipt as a timeline."""

from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from models.vocabulary import JobState
from worker.dashboard.access import permissions
from worker.dashboard.context import dashboard_of
from worker.dashboard.pages.rendering import page, trouble_page
from worker.dashboard.pages.serving import number
from worker.dashboard.screens import job_list, story
from worker.dashboard.screens.job_list import Wanted, wanted_of
from worker.domain.text import whole_number
from worker.errors import Missing, RungError, UsageError
from worker.store.actions.reviews import latest_verdict
from worker.store.audit import audit_reading
from worker.store.queue.reading_leases import held_by_another
from worker.store.reading.attention import Attention, Letter, letters
from worker.store.reading.exchanges import A_LINE, Exchange, exchanges
from worker.store.reading.job_counts import counted_jobs
from worker.store.reading.listed_jobs import Page, Sort
from worker.store.reading.listing import (
    exists,
    jobs_with_id,
    list_jobs,
)
from worker.store.reading.receipts import find_job, receipt
from worker.store.runs import find_run, recent_names

PAGE = 50
MOST_TICKED = 200
SORTS = {
    Sort.NEWEST: "newest first",
    Sort.ENDED: "ended last first",
    Sort.COST: "dearest first",
    Sort.CONFIDENCE: "least sure first",
}


def routes() -> list[BaseRoute]:
    """`/jobs`, `/jobs/ID` and its text."""
    return [
        Route("/jobs", jobs),
        Route("/jobs/ticked", ticked),
        Route("/jobs/{job:int}", job, methods=["GET"]),
        Route("/jobs/{job:int}", read_text, methods=["POST"]),
    ]


def jobs(request: Request) -> Response:
    """Jobs that meet a filter; or the one that is searched for."""
    dashboard, given = dashboard_of(request), request.query_params
    wanted = wanted_of(given, may_read=permissions.may_operate(request))
    search = given.get("q", "").strip()
    with dashboard.engine.connect() as connection:
        if search:
            return _search(request, connection, search)
        try:
            return _list(request, connection, wanted, **_found(request, connection, wanted))
        except RungError as error:
            return _list(request, connection, wanted, problem=error)


def _found(request: Request, connection: Connection, wanted: Wanted) -> dict[str, Any]:
    """A page of what is wanted, and what may be done with it. Raises FilterError, Missing."""
    node, before = wanted.node, number(request, "before")
    shown = number(request, "shown") or 0
    run_id = find_run(connection, wanted.run).id if wanted.run else None
    found = list_jobs(
        connection,
        run_id=run_id,
        node=node,
        before=before,
        limit=PAGE,
        sort=wanted.order,
        skip=shown if wanted.sort else 0,
    )
    total = counted_jobs(connection, run_id)
    return {
        "found": found,
        "total": total,
        "which": job_list.which(wanted, found, shown, total),
        "older": job_list.older_of(wanted, found, before, shown),
        "command": job_list.reprocess(node, wanted.run, found) if node is not None else None,
        "chosen": job_list.chosen(node, wanted.run) if node is not None else None,
        "verbs": job_list.verbs_of(found) if node is not None else [],
    }


def _list(
    request: Request,
    connection: Connection,
    wanted: Wanted,
    *,
    found: Page | None = None,
    problem: RungError | None = None,
    **more: Any,
) -> Response:
    shown = found or Page(jobs=[], next=None)
    common = {"total": 1, "which": "", "older": None, "command": None, "chosen": None}
    return page(
        request,
        connection,
        "jobs.html",
        "Jobs",
        status=422 if problem is not None else 200,
        wanted=wanted,
        found=shown,
        lines=_lines(request, wanted, shown),
        problem=str(problem) if problem is not None else None,
        states=list(JobState),
        tiers=list(dashboard_of(request).settings.tiers),
        runs=recent_names(connection),
        sorts=SORTS,
        ticks=job_list.ticks_of(shown.jobs),
        fitting=job_list.fitting,
        first=wanted.address(),
        **({"search": "", "verbs": []} | common | more),
    )


def _lines(request: Request, wanted: Wanted, found: Page) -> dict[int, Exchange]:
    """A line of each message and reply, where it was asked for by somebody who may read it."""
    if not wanted.text or not found.jobs:
        return {}
    engine, ids = dashboard_of(request).engine, [one.job for one in found.jobs]
    audit_reading(engine, permissions.actor(request), _named(ids), len(ids))
    with engine.connect() as connection:
        return exchanges(connection, ids, A_LINE)


def _named(ids: list[int]) -> str:
    """Jobs, as the audit names those that somebody read."""
    named = ", ".join(map(str, sorted(ids)))
    return f"job {named}" if len(ids) == 1 else f"jobs {named}"


def _search(request: Request, connection: Connection, search: str) -> Response:
    """Straight to the job, if there is only one."""
    try:
        return RedirectResponse(f"/jobs/{find_job(connection, search)}", 303)
    except RungError as error:
        several = jobs_with_id(connection, search, PAGE)
        found, problem = Page(jobs=several, next=None), None if len(several) > 1 else error
        total = len(several)
        which = job_list.which(Wanted(), found, 0, total)
        return _list(
            request,
            connection,
            Wanted(),
            found=found,
            problem=problem,
            search=search,
            which=which,
            total=total,
        )


def ticked(request: Request) -> Response:
    """To the preview of an action on the jobs that were ticked."""
    given = map(whole_number, request.query_params.getlist("job"))
    chosen = [one for one in given if one is not None][:MOST_TICKED]
    action = request.query_params.get("do", "")
    if chosen and action in job_list.TICKED:
        where = urlencode({"where": job_list.ticked(chosen)})
        return RedirectResponse(f"/actions/{action}?{where}", 303)
    with dashboard_of(request).engine.connect() as connection:
        return trouble_page(request, connection, UsageError("Tick some jobs first."))


def job(request: Request) -> Response:
    """One job, its text hidden."""
    return _job(request, shown=False)


async def read_text(request: Request) -> Response:
    """One job with its text: whoever asks is in the audit before they see it."""
    return await run_in_threadpool(_job, request, shown=True)


def _following(connection: Connection) -> Letter | None:
    """The next one that waits for a verdict."""
    found = letters(connection, Attention(state="review", decided=False), 1)
    return found[0] if found else None


def _job(request: Request, *, shown: bool) -> Response:
    dashboard, job_id = dashboard_of(request), request.path_params["job"]
    by = permissions.read_by(permissions.visitor_of(request))
    with dashboard.engine.connect() as connection:
        try:
            wanted = find_job_by_number(connection, job_id)
        except RungError as error:
            return trouble_page(request, connection, error)
        found = receipt(connection, wanted)
        if shown:
            audit_reading(dashboard.engine, permissions.actor(request), f"job {wanted}")
        else:
            found = found.hidden()
        return page(
            request,
            connection,
            "job.html",
            "Jobs",
            job=found,
            shown=shown,
            following=_following(connection) if found.reviews else None,
            known=latest_verdict(connection, wanted).id,
            held=held_by_another(connection, wanted, by) if found.state == "review" else None,
            headline=story.headline(found),
            summary=story.summary(found.attempts),
            title=story.title,
            outcome=story.outcome,
        )


def find_job_by_number(connection: Connection, job_id: int) -> int:
    """The id, if there is such a job: a number in an address is never an external id. Raises
    Missing."""
    if job_id < 2**63 and exists(connection, job_id):
        return job_id
    raise Missing(f"There is no job {job_id}.")
