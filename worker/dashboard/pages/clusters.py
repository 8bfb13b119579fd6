"""Messages that are alike: what broke today, and one verdict for all of them that wait."""

from collections.abc import Mapping
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from models.vocabulary import Verdict
from worker.dashboard.access import permissions
from worker.dashboard.access.forms import form_of
from worker.dashboard.context import dashboard_of
from worker.dashboard.pages.rendering import page, trouble_page
from worker.dashboard.pages.serving import number
from worker.domain.text import whole_number
from worker.domain.wording import waiting
from worker.errors import RungError, UsageError
from worker.runs.alike import alike, alike_and_waiting, verdicts_on
from worker.store.actions.reviews import Judged
from worker.store.actions.verdict_sheets import give_verdicts
from worker.store.audit import Actor, audit_reading
from worker.store.queue.review_clusters import cluster_reviews
from worker.store.reading.attention import total
from worker.store.reading.clusters import MOST, SOME, not_compared
from worker.store.reading.job_counts import counted_jobs
from worker.store.runs import find_run

SECTION, PAGE = "Review", "/clusters"
LEAST, CLUSTERS = 3, 20
"""Messages in a cluster, at the least; clusters on a page, at the most."""
WORDS = 240
VERDICTS = (Verdict.ACCEPT, Verdict.REJECT)


def routes() -> list[BaseRoute]:
    """`/clusters`, and a verdict on one of them."""
    return [Route(PAGE, listed), Route(f"{PAGE}/verdict", verdict, methods=["POST"])]


def listed(request: Request) -> Response:
    """The clusters, the biggest first; with their words for those who may read and ask."""
    given, run_id = request.query_params, number(request, "run")
    review, far = bool(given.get("review")), bool(given.get("far"))
    reads = permissions.may_operate(request) and bool(given.get("text"))
    dashboard = dashboard_of(request)
    if review:
        cluster_reviews(dashboard.engine, SOME)
    with dashboard.engine.connect() as connection:
        try:
            run = find_run(connection, str(run_id)) if run_id is not None else None
        except RungError as error:
            return trouble_page(request, connection, error)
        newest = MOST if far else SOME
        if review:
            found = alike_and_waiting(connection, run_id, least=LEAST, most=CLUSTERS)
        else:
            found = alike(connection, run_id, least=LEAST, most=CLUSTERS, newest=newest)
        if reads and found:
            audit_reading(dashboard.engine, permissions.actor(request), "clusters", len(found))
        return page(
            request,
            connection,
            "clusters.html",
            SECTION,
            found=found,
            run=run,
            review=review,
            reads=reads,
            words=WORDS,
            least=LEAST,
            given=whole_number(given.get("given", "")),
            newest=newest,
            far=far,
            others=_there_are(connection, run_id, review=review),
            not_compared=not_compared(connection) if review else 0,
            other=_address(run_id, review=not review, text=reads),
            with_text=_address(run_id, review=review, text=True, far=far),
            further=_address(run_id, review=review, text=reads, far=True),
            most=MOST,
        )


def _there_are(connection: Connection, run_id: int | None, *, review: bool) -> int:
    """How many could be looked at, from the counters."""
    return total(connection, "review", run_id) if review else counted_jobs(connection, run_id)


def _address(
    run_id: int | None, *, review: bool, text: bool, far: bool = False, **more: object
) -> str:
    given = {"run": run_id, "review": int(review), "text": int(text), "far": int(far), **more}
    return f"{PAGE}?" + urlencode({k: v for k, v in given.items() if v})


async def verdict(request: Request) -> Response:
    """One word for all that wait and are alike."""
    given, actor = await form_of(request), permissions.actor(request)
    return await run_in_threadpool(_verdict, request, given, actor)


def _verdict(request: Request, given: Mapping[str, str], actor: Actor) -> Response:
    engine, run_id = dashboard_of(request).engine, whole_number(given.get("run", ""))
    with engine.connect() as connection:
        try:
            sheet = _sheet(connection, run_id, given)
            done = give_verdicts(engine, actor, sheet)
        except RungError as error:
            return trouble_page(request, connection, error)
    reads = bool(given.get("text"))
    return RedirectResponse(_address(run_id, review=True, text=reads, given=done), 303)


def _sheet(
    connection: Connection, run_id: int | None, given: Mapping[str, str]
) -> list[tuple[int, Judged]]:
    """A verdict for each. Raises UsageError where it means none, or others than somebody saw."""
    word, counted = given.get("verdict", ""), whole_number(given.get("counted", ""))
    if word not in list(VERDICTS):
        raise UsageError("Choose a verdict: accept or reject.")
    job, why = whole_number(given.get("job", "")) or 0, given.get("reason", "").strip() or None
    like = Judged(job_id=job, verdict=Verdict(word), reason=why)
    sheet = verdicts_on(connection, run_id, like)
    if len(sheet) != counted:
        raise UsageError(
            f"{waiting(len(sheet))} now, not the {counted or 0:,} that were shown.",
            mend="look at them again",
        )
    return sheet
