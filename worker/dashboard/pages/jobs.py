"""The pages of jobs: the list with its filter, and one job with its receipt as a timeline."""

from dataclasses import dataclass
from decimal import Decimal
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
from worker.dashboard.screens import story
from worker.domain.filter_parsing import parse
from worker.domain.filters import And, Comparison, FilterError, Node, Op, show
from worker.domain.text import is_blank
from worker.errors import Missing, RungError
from worker.store.audit import audit_reading
from worker.store.reading.listing import Page, exists, jobs_with_id, list_jobs
from worker.store.reading.receipts import find_job, hide_text, receipt
from worker.store.runs import find_run

PAGE = 50
MAX_WHERE = 2_000


def routes() -> list[BaseRoute]:
    """`/jobs`, `/jobs/ID` and its text."""
    return [
        Route("/jobs", jobs),
        Route("/jobs/{job:int}", job, methods=["GET"]),
        Route("/jobs/{job:int}", read_text, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for. Each is optional, and they all must hold."""

    run: str = ""
    state: str = ""
    tier: str = ""
    climbed: str = ""
    where: str = ""

    @property
    def node(self) -> Node | None:
        """As a filter, without the run. Raises FilterError."""
        parts: list[Node] = []
        if self.state in list(JobState):
            parts.append(Comparison("state", Op.EQ, (self.state,)))
        if self.tier:
            parts.append(Comparison("tier", Op.EQ, (self.tier,)))
        if self.climbed:
            parts.append(Comparison("escalations", Op.GE, (Decimal(1),)))
        if not is_blank(self.where):
            parts.append(parse(self.where))
        if len(parts) < 2:
            return parts[0] if parts else None
        return And(tuple(parts))

    def address(self, before: int | None = None) -> str:
        """Of this list, or of its next page."""
        given = {name: getattr(self, name) for name in self.__slots__}
        fields = {name: value for name, value in given.items() if value}
        if before is not None:
            fields["before"] = str(before)
        return "/jobs" + (f"?{urlencode(fields)}" if fields else "")


def jobs(request: Request) -> Response:
    """Jobs that meet a filter, newest first; or the one that is searched for."""
    dashboard, given = dashboard_of(request), request.query_params
    wanted = Wanted(**{name: given.get(name, "")[:MAX_WHERE] for name in Wanted.__slots__})
    search = given.get("q", "").strip()
    with dashboard.engine.connect() as connection:
        if search:
            return _search(request, connection, search)
        problem, found = None, Page([], None)
        try:
            node = wanted.node
            run_id = find_run(connection, wanted.run).id if wanted.run else None
            found = list_jobs(
                connection, run_id=run_id, node=node, before=number(request, "before"), limit=PAGE
            )
        except RungError as error:
            problem, node = error, None
        chosen = _chosen(node, wanted.run) if node is not None else None
        command = None if node is None else _reprocess(node, wanted.run)
        return _list(request, connection, wanted, found, problem, command, chosen=chosen)


def _list(
    request: Request,
    connection: Connection,
    wanted: Wanted,
    found: Page,
    problem: RungError | None = None,
    command: str | None = None,
    search: str = "",
    chosen: dict[str, str] | None = None,
) -> Response:
    return page(
        request,
        connection,
        "jobs.html",
        "Jobs",
        status=422 if problem is not None else 200,
        wanted=wanted,
        found=found,
        problem=str(problem) if problem is not None else None,
        pointed=isinstance(problem, FilterError),
        command=command,
        chosen=chosen,
        search=search,
        states=list(JobState),
        tiers=list(dashboard_of(request).settings.tiers),
        first=wanted.address(),
        older=wanted.address(found.next) if found.next is not None else None,
    )


def _search(request: Request, connection: Connection, search: str) -> Response:
    """Straight to the job, if there is only one."""
    try:
        return RedirectResponse(f"/jobs/{find_job(connection, search)}", 303)
    except Missing as error:
        several = jobs_with_id(connection, search, PAGE)
        problem = None if several else error
        return _list(request, connection, Wanted(), Page(several, None), problem, search=search)


def _chosen(node: Node, run: str) -> dict[str, str]:
    """The same set, as the addresses of actions name it."""
    return {"where": show(node), **({"run": run} if run else {})}


def _reprocess(node: Node, run: str) -> str:
    """The command that answers these jobs again in a new run."""
    chosen: Node = And((Comparison("run", Op.EQ, (run,)), node)) if run else node
    quoted = show(chosen).replace("'", "'\\''")
    return f"rung reprocess --where '{quoted}' --dry-run"


def job(request: Request) -> Response:
    """One job, its text hidden."""
    return _job(request, shown=False)


async def read_text(request: Request) -> Response:
    """One job with its text: whoever asks is in the audit before they see it."""
    return await run_in_threadpool(_job, request, shown=True)


def _job(request: Request, *, shown: bool) -> Response:
    dashboard, job_id = dashboard_of(request), request.path_params["job"]
    with dashboard.engine.connect() as connection:
        try:
            wanted = find_job_by_number(connection, job_id)
        except RungError as error:
            return trouble_page(request, connection, error)
        found = receipt(connection, wanted)
        if shown:
            audit_reading(dashboard.engine, permissions.actor(request), f"job {wanted}")
        else:
            hide_text(found)
        return page(
            request,
            connection,
            "job.html",
            "Jobs",
            job=found,
            shown=shown,
            headline=story.headline(found),
            summary=story.summary(found["attempts"]),
            title=story.title,
            outcome=story.outcome,
        )


def find_job_by_number(connection: Connection, job_id: int) -> int:
    """The id, if there is such a job: a number in an address is never an external id. Raises
    Missing."""
    if job_id < 2**63 and exists(connection, job_id):
        return job_id
    raise Missing(f"There is no job {job_id}.")
