"""Two runs on the same messages: begun under two policies, what came of them and a sentence, and
their replies judged by somebody who is not told whose is which."""

import random
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from models.vocabulary import Grader, Lane
from worker.config.policies import policy_names
from worker.dashboard.access import permissions
from worker.dashboard.access.forms import form_of
from worker.dashboard.context import dashboard_of
from worker.dashboard.pages.rendering import page, trouble_page
from worker.domain.amounts import read_amount
from worker.domain.text import whole_number
from worker.errors import ConfigurationError, RungError, UsageError
from worker.runs.comparison import (
    MOST_SAMPLED,
    USUAL_SAMPLE,
    CompareRequest,
    compare_run,
    read_comparison,
    refuse_long,
    two_runs,
)
from worker.store.actions.truths import Graded, store, undo_these
from worker.store.audit import Actor, audit_reading
from worker.store.reading.blind_pairs import BlindPair, next_pair
from worker.store.reading.comparing import compared_with
from worker.store.runs import StoredRun, find_run, recent_names

VERDICTS = {
    "first": (True, False),
    "second": (False, True),
    "both": (True, True),
    "neither": (False, False),
}
"""Whether each of the two would be sent, in the order in which they were shown."""
MAX_FENCE_DIGITS = 9


def routes() -> list[BaseRoute]:
    """`/runs/ID/compare`, a comparison that begins, and its pairs to be judged."""
    return [
        Route("/comparisons", begin, methods=["POST"]),
        Route("/runs/{run:path}/compare", shown),
        Route("/comparisons/judge", judge, methods=["POST"]),
    ]


def shown(request: Request) -> Response:
    """Both side by side; without another run, the one that this was made to be compared with."""
    engine = dashboard_of(request).engine
    with engine.connect() as connection:
        try:
            a = find_run(connection, request.path_params["run"])
            other = request.query_params.get("with") or str(compared_with(connection, a.id) or "")
            if not other:
                return _page(request, connection, a, None)
            a, b = two_runs(connection, a.name, other)
            refuse_long(connection, a, b)
        except RungError as error:
            return trouble_page(request, connection, error)
        pair = next_pair(connection, a.id, b.id, permissions.actor(request).name)
        found = read_comparison(engine, a, b)
        left = pair.left if pair is not None else 0
        return _page(request, connection, a, b, found=found, left=left)


def _page(
    request: Request, connection: Connection, a: StoredRun, b: StoredRun | None, **values: Any
) -> Response:
    names = [name for name in recent_names(connection) if name != a.name]
    settings = dashboard_of(request).settings
    return page(
        request,
        connection,
        "comparison.html",
        "Runs",
        a=a,
        b=b,
        runs=names,
        policies=policy_names(settings),
        size=USUAL_SAMPLE,
        run_cap=settings.budget.per_run_usd,
        **values,
    )


async def begin(request: Request) -> Response:
    """Two policies on a sample of a run, as `rung compare --policies` does; leads to their page."""
    given = await form_of(request)
    return await run_in_threadpool(_begin, request, given, permissions.actor(request))


def _begin(request: Request, given: Mapping[str, str], actor: Actor) -> Response:
    dashboard = dashboard_of(request)
    try:
        asked = _asked(given)
        with dashboard.engine.begin() as connection:
            run = find_run(connection, given.get("run", ""))
            made = compare_run(connection, dashboard.settings, actor, asked, run.id)
    except ConfigurationError as error:
        # A policy that the form's reader chose: theirs to choose anew.
        return _trouble(request, UsageError(str(error)))
    except RungError as error:
        return _trouble(request, error)
    a, b = made.runs
    return RedirectResponse(f"/runs/{a.id}/compare?{urlencode({'with': b.name})}", 303)


def _trouble(request: Request, error: RungError) -> Response:
    with dashboard_of(request).engine.connect() as connection:
        return trouble_page(request, connection, error)


def _asked(given: Mapping[str, str]) -> CompareRequest:
    """Raises UsageError in a sentence for what no form of ours sends, and for an empty field."""
    policies = given.get("a", ""), given.get("b", "")
    if not all(policies) or policies[0] == policies[1]:
        raise UsageError("Choose two policies; one and the same has nothing to be compared with.")
    sample = whole_number(given.get("sample", ""))
    if sample is None or not 1 <= sample <= MOST_SAMPLED:
        raise UsageError(f"A sample has between 1 and {MOST_SAMPLED:,} messages.")
    try:
        lane = Lane(given.get("lane") or Lane.REALTIME)
        cost = given.get("max_cost", "").strip()
        most = read_amount(cost) if cost else None
        return CompareRequest(policies=policies, sample=sample, lane=lane, max_cost=most)
    except ValueError as error:
        raise UsageError(str(error)) from None


async def judge(request: Request) -> Response:
    """A verdict on the pair that was shown, or the last one taken back; then the next pair."""
    given = await form_of(request)
    return await run_in_threadpool(_judge, request, given, permissions.actor(request))


def _judge(request: Request, given: Mapping[str, str], actor: Actor) -> Response:
    engine = dashboard_of(request).engine
    word, answers = given.get("verdict", ""), _answers(given.get("pair", ""))
    try:
        with engine.connect() as connection:
            a, b = two_runs(connection, given.get("run", ""), given.get("with", ""))
            refuse_long(connection, a, b)
        if word == "undo":
            undo_these(engine, actor, _answers(given.get("last", "")))
        elif word in VERDICTS and len(answers) == len(VERDICTS[word]):
            verdicts = [Graded(*one, at) for one, at in zip(answers, VERDICTS[word], strict=True)]
            with engine.begin() as connection:
                store(connection, Grader.PERSON, actor.name, verdicts)
        elif word:
            raise UsageError("Choose a verdict: the first, the second, both or neither.")
    except RungError as error:
        return _trouble(request, error)
    last = given.get("pair", "") if word in VERDICTS else ""
    return _next(request, actor, (a, b), last)


def _next(request: Request, actor: Actor, runs: tuple[StoredRun, StoredRun], last: str) -> Response:
    """Blind: a message and two replies in an order of chance. Who read them is in the audit."""
    engine, (a, b) = dashboard_of(request).engine, runs
    with engine.connect() as connection:
        pair = next_pair(connection, a.id, b.id, actor.name)
        if pair is not None:
            jobs = sorted((pair.job_a, pair.job_b))
            audit_reading(engine, actor, f"jobs {jobs[0]} and {jobs[1]}", len(jobs))
        return page(
            request,
            connection,
            "blind_pair.html",
            "Runs",
            a=a,
            b=b,
            pair=pair,
            sides=_turned(pair) if pair is not None else [],
            last=last,
            back=f"/runs/{a.id}/compare?{urlencode({'with': b.name})}",
        )


def _turned(pair: BlindPair) -> list[tuple[str, str]]:
    """Each answer as the form names it, with its reply; in an order of chance."""
    sides = [
        (f"{job}-{fence}", reply)
        for (job, fence), reply in zip(pair.answers, (pair.reply_a, pair.reply_b), strict=True)
    ]
    random.SystemRandom().shuffle(sides)
    return sides


def _answers(written: str) -> list[tuple[int, int]]:
    """`JOB-FENCE JOB-FENCE`; nothing of what no page of ours sends."""
    found = []
    for one in written.split(" ", 1):
        job, _, fence = one.partition("-")
        numbers = whole_number(job), whole_number(fence[:MAX_FENCE_DIGITS])
        if numbers[0] is None or numbers[1] is None:
            return []
        found.append((numbers[0], numbers[1]))
    return found
