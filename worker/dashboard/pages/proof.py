"""What is proved: certificates that can be signed and printed, the audit queue, the frontier."""

from collections.abc import Mapping

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from models.vocabulary import Grader
from worker.config.prices import lane_prices
from worker.dashboard.access import permissions
from worker.dashboard.access.forms import form_of
from worker.dashboard.context import dashboard_of
from worker.dashboard.pages.rendering import page, trouble_page
from worker.dashboard.screens.curve import curve, scales
from worker.domain.policy_documents import from_document
from worker.domain.proof.certificate_page import page_sentences
from worker.domain.proof.frontier import of_all
from worker.domain.proof.frontier_plans import AS_IT_RAN, evaluate
from worker.domain.text import whole_number
from worker.errors import RungError, UsageError
from worker.runs.review_turns import take_audit
from worker.store.actions.truths import Graded, give, undo
from worker.store.audit import Actor, audit_reading
from worker.store.reading.audits import PAGE_AUDITS, Blind, newest_counts, waiting_audits
from worker.store.reading.certificates import certificate, certificates
from worker.store.reading.graded import READ_WHOLE, population
from worker.store.runs import find_run

VERDICTS = {"right": True, "wrong": False, "unsure": None}
SECTION = "Proof"
SAMPLE = 800
"""Messages that a frontier's page reads of a large run, however many that has."""


def routes() -> list[BaseRoute]:
    """`/certificates`, `/audits` with verdicts, and a run's frontier."""
    return [
        Route("/certificates", listed),
        Route("/certificates/{number:int}", shown),
        Route("/audits", audits),
        Route("/audits/next", following, methods=["POST"]),
        Route("/audits/verdict", verdict, methods=["POST"]),
        Route("/runs/{run:int}/frontier", frontier),
    ]


def listed(request: Request) -> Response:
    """Every certificate, and how the audits stand."""
    with dashboard_of(request).engine.connect() as connection:
        found = certificates(connection)
        return page(
            request,
            connection,
            "certificates.html",
            SECTION,
            certificates=found,
            audits=newest_counts(connection),
            most=PAGE_AUDITS,
        )


def shown(request: Request) -> Response:
    """One, on a page that a person can sign."""
    with dashboard_of(request).engine.connect() as connection:
        try:
            found = certificate(connection, str(request.path_params["number"]))
        except RungError as error:
            return trouble_page(request, connection, error)
        sentences = list(page_sentences(found))
        return page(
            request, connection, "certificate.html", SECTION, one=found, sentences=sentences
        )


def audits(request: Request) -> Response:
    """How many wait; the text of one is shown to whoever asks for it, and that is noted."""
    with dashboard_of(request).engine.connect() as connection:
        return _audits(request, connection, None)


async def following(request: Request) -> Response:
    """The next answer to judge."""
    await form_of(request)
    return await run_in_threadpool(_following, request, permissions.actor(request))


async def verdict(request: Request) -> Response:
    """A person's verdict, or the last one taken back; then the next answer."""
    given, actor = await form_of(request), permissions.actor(request)
    return await run_in_threadpool(_verdict, request, given, actor)


def _verdict(request: Request, given: Mapping[str, str], actor: Actor) -> Response:
    engine = dashboard_of(request).engine
    word, job, fence = (given.get(name, "") for name in ("verdict", "job", "answer"))
    try:
        if word == "undo":
            undo(engine, actor)
        elif graded := _graded(word, job, fence):
            give(engine, actor, Grader.PERSON, graded)
        else:
            raise UsageError("Choose a verdict: right, wrong or unsure.")
    except RungError as error:
        with engine.connect() as connection:
            return trouble_page(request, connection, error)
    return _following(request, actor)


def _graded(word: str, job: str, fence: str) -> Graded | None:
    """None for what no page of ours sends."""
    of, at = whole_number(job), whole_number(fence[:9])
    if word not in VERDICTS or of is None or at is None:
        return None
    return Graded(of, at, VERDICTS[word])


def _following(request: Request, actor: Actor) -> Response:
    """Blind: message and reply, and nothing of who answered. Who read it is noted, and nobody else
    is given it meanwhile."""
    engine = dashboard_of(request).engine
    found = take_audit(engine, permissions.read_by(permissions.visitor_of(request)))
    if found is not None:
        audit_reading(engine, actor, f"job {found.job_id}")
    with engine.connect() as connection:
        return _audits(request, connection, found, asked=True)


def _audits(
    request: Request, connection: Connection, one: Blind | None, *, asked: bool = False
) -> Response:
    waiting = waiting_audits(connection)
    return page(request, connection, "audits.html", SECTION, one=one, waiting=waiting, asked=asked)


def frontier(request: Request) -> Response:
    """Cost against quality: the policy as it ran, and others as far as the record tells."""
    with dashboard_of(request).engine.connect() as connection:
        try:
            run = find_run(connection, str(request.path_params["run"]))
            found = population(connection, [run.id], by_score=True, sample=SAMPLE)
        except RungError as error:
            return trouble_page(request, connection, error)
        ladder = from_document(run.policy).ladder
        prices = lane_prices(dashboard_of(request).settings, run.lane)
        points = evaluate(list(found.messages), ladder, recorded=True, prices=prices)
        part = found.of > READ_WHOLE
        if part:
            points = of_all(points, len(found.messages), found.of)
        return page(
            request,
            connection,
            "frontier.html",
            SECTION,
            run=run,
            points=points,
            curve=curve(points),
            scales=scales(points) if points else None,
            ran=AS_IT_RAN,
            messages=len(found.messages),
            of=found.of,
            part=part,
        )
