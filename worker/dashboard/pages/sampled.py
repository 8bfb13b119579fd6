"""Answers to be read: some of a run, or of two beside one another; message left, reply right."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from worker.dashboard.access import permissions
from worker.dashboard.context import dashboard_of
from worker.dashboard.pages.rendering import page, trouble_page
from worker.dashboard.pages.serving import number
from worker.errors import RungError, UsageError
from worker.store.audit import audit_reading
from worker.store.reading.side_by_side import MOST, sample_pairs, sample_run, texts_of
from worker.store.runs import find_run, recent_names

USUAL = 20


def routes() -> list[BaseRoute]:
    """`/runs/ID/sample`, alone or with another run."""
    return [Route("/runs/{run:path}/sample", sample)]


def sample(request: Request) -> Response:
    """Answers chosen by chance; their text for those who may read it, and noted."""
    dashboard, given = dashboard_of(request), request.query_params
    size = min(max(number(request, "n") or USUAL, 1), MOST)
    seed, same = number(request, "seed") or 1, bool(given.get("same"))
    beside, reads = given.get("with", ""), permissions.may_operate(request)
    with dashboard.engine.connect() as connection:
        try:
            a = find_run(connection, request.path_params["run"])
            b = find_run(connection, beside) if beside else None
            if b is not None and b.id == a.id:
                raise UsageError(f"{a.name} and {b.name} are the same run.")
        except RungError as error:
            return trouble_page(request, connection, error)
        if b is None:
            shown = sample_run(connection, a.id, size, seed)
        else:
            shown = sample_pairs(connection, a.id, b.id, size=size, seed=seed, same=same)
        texts = {}
        if reads and given.get("text") and shown.rows:
            named = f"{len(shown.jobs)} answers of run {a.name}" + (f" and {b.name}" if b else "")
            many = len(shown.jobs)
            audit_reading(dashboard.engine, permissions.actor(request), named, many)
            texts = texts_of(connection, shown)
        kept = {"with": beside, "n": size, "same": 1 if same else "", "text": given.get("text", "")}
        others = urlencode({k: v for k, v in kept.items() if v} | {"seed": seed + 1})
        return page(
            request,
            connection,
            "sample.html",
            "Runs",
            a=a,
            b=b,
            shown=shown,
            texts=texts,
            wants=bool(given.get("text")),
            size=size,
            seed=seed,
            same=same,
            others=f"/runs/{a.id}/sample?{others}",
            runs=[name for name in recent_names(connection) if name != a.name],
        )
