"""Two runs on the same messages: what came of them and a sentence, and their replies judged by
somebody who is not told whose is which."""

import random
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from models.vocabulary import Grader
from worker.dashboard.access import permissions
from worker.dashboard.access.forms import form_of
from worker.dashboard.context import dashboard_of
from worker.dashboard.pages.rendering import page, trouble_page
from worker.domain.text import whole_number
from worker.errors import RungError, UsageError
from worker.runs.comparison import read_comparison, refuse_long, two_runs
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
    """`/runs/ID/compare`, and its pairs to be judged."""
    return [
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
    return page(request, connection, "comparison.html", "Runs", a=a, b=b, runs=names, **values)


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
        with engine.connect() as connection:
            return trouble_page(request, connection, error)
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
