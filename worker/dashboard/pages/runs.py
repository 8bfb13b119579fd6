"""The pages of runs: all of them, and one with its ladder, reasons, confidence, times and money."""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from models.vocabulary import ROUTING
from worker.dashboard.context import Dashboard, dashboard_of
from worker.dashboard.pages.rendering import page, region, trouble_page
from worker.dashboard.pages.serving import number, stream
from worker.dashboard.screens import charts
from worker.dashboard.screens.charts import SpendSoFar
from worker.dashboard.screens.now import (
    comparable,
    last_seen,
    outlooks_of,
    read_bill,
    read_picture,
)
from worker.dashboard.screens.queues import QueueShown, read_queues, redis_away
from worker.dashboard.screens.side_troubles import batch_troubles
from worker.dashboard.screens.troubles import ScreenTrouble, troubles
from worker.domain.budget_words import UNROUTED
from worker.errors import RungError
from worker.runs.timetables import read_schedules
from worker.store.engine import at_one_moment
from worker.store.reading import screens
from worker.store.reading.batches import batches_of, together, unconfirmed
from worker.store.reading.comparing import compared_with
from worker.store.reading.outlook import Outlook
from worker.store.reading.queue_states import stops_of
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.sampling import Sample, sample_of
from worker.store.reading.standings import runs_page, standing_of
from worker.store.reading.status import paused_everything
from worker.store.runs import find_run

PAGE = 25
KEEP_SAMPLE_S = 5.0
KEPT_SAMPLES = 50
_samples: dict[tuple[int, int], tuple[float, Sample]] = {}
"""Of the last runs that were looked at, by dashboard and run, with when they were taken."""


def routes() -> list[BaseRoute]:
    """`/runs`, `/runs/ID` and their streams."""
    return [
        Route("/runs", runs),
        Route("/runs/{run:path}", run),
        Route("/live/runs", live_runs),
        Route("/live/runs/all", live_all_runs),
        Route("/live/runs/{run:int}", live_run),
    ]


def runs(request: Request) -> Response:
    """All runs, newest first; `all=1` with those that answer nobody."""
    dashboard, before = dashboard_of(request), number(request, "before")
    inquiries = number(request, "all") == 1
    with at_one_moment(dashboard.engine) as connection:
        found = _runs(dashboard, connection, before, inquiries=inquiries)
        nights = read_schedules(connection, dashboard.settings) if before is None else []
        changed = {
            night.name: screens.difference(connection, night.last.run)
            for night in nights
            if night.last is not None and night.last.run is not None
        }
        return page(
            request,
            connection,
            "runs.html",
            "Runs",
            before=before,
            nights=nights,
            changed=changed,
            **found,
        )


async def live_runs(request: Request) -> Response:
    """The newest runs, as they change."""
    return stream(request, partial(_runs_region, inquiries=False))


async def live_all_runs(request: Request) -> Response:
    """The same, with those that answer nobody."""
    return stream(request, partial(_runs_region, inquiries=True))


def _runs_region(dashboard: Dashboard, *, inquiries: bool) -> str:
    with at_one_moment(dashboard.engine) as connection:
        found = _runs(dashboard, connection, None, inquiries=inquiries)
        return region(dashboard, "runs_region.html", **found)


def run(request: Request) -> Response:
    """One run, by name or number."""
    dashboard = dashboard_of(request)
    with at_one_moment(dashboard.engine) as connection:
        try:
            found = find_run(connection, request.path_params["run"])
        except RungError as error:
            return trouble_page(request, connection, error)
        return page(
            request, connection, "run.html", "Runs", **_run(dashboard, connection, found.id)
        )


async def live_run(request: Request) -> Response:
    """The same, as it changes."""
    run_id: int = request.path_params["run"]

    def render(dashboard: Dashboard) -> str:
        with at_one_moment(dashboard.engine) as connection:
            return region(dashboard, "run_region.html", **_run(dashboard, connection, run_id))

    return stream(request, render)


def _runs(
    dashboard: Dashboard, connection: Connection, before: int | None, *, inquiries: bool
) -> dict[str, Any]:
    found = runs_page(connection, before, PAGE + 1, inquiries=inquiries)
    shown = found[:PAGE]
    outlooks = outlooks_of(dashboard, connection, shown)
    older = shown[-1].id if len(found) > PAGE else None
    runs = list(zip(shown, outlooks, strict=True))
    return {"runs": runs, "older": older, "inquiries": inquiries}


def _run(dashboard: Dashboard, connection: Connection, run_id: int) -> dict[str, Any]:
    found = standing_of(connection, run_id)
    steps = screens.escalations_of(connection, [run_id])
    sample = _sample(dashboard, connection, run_id)
    tiers = list(dashboard.settings.tiers)
    batches = batches_of(connection, found)
    lines = read_queues(dashboard, connection, [found], stops := stops_of(connection, [found]))
    away = redis_away(dashboard, lines)
    (seen,) = outlooks_of(dashboard, connection, [found], lines, batches)
    return {
        "run": found,
        "outlook": seen,
        "troubles": _troubles(connection, found, seen, lines, stops, away=away),
        "picture": read_picture(dashboard, connection, [found]),
        "bill": read_bill(dashboard, connection, [found]),
        "comparable": comparable([found]),
        "sample": sample,
        "reasons": charts.reasons(steps, found.total),
        "histograms": charts.histograms(sample, tiers),
        "latencies": charts.latencies(sample, tiers),
        "curve": charts.spending(
            sample, SpendSoFar(spent=found.spent, cap=found.cap, deadline=found.deadline)
        ),
        "batches": batches,
        "in_batches": together(batches, found).words,
        "related": screens.related_runs(connection, run_id),
        "beside": compared_with(connection, run_id),
    }


def _troubles(
    connection: Connection,
    run: RunStanding,
    seen: Outlook,
    lines: Sequence[QueueShown],
    stops: Mapping[int, dt.datetime],
    *,
    away: bool,
) -> list[ScreenTrouble]:
    """What is wrong with a run under way: with itself, and with queues in which it waits or to
    which it will come."""
    if run.finished_at is not None:
        return []
    work = run.to_come.work()
    lines = [
        line
        for line in lines
        if line.queue == seen.queue
        or work.get(UNROUTED if line.queue == ROUTING else line.queue, 0) >= 1
    ]
    return troubles(
        lines,
        [run],
        [seen],
        now=run.now,
        everything=paused_everything(connection),
        day=None,
        redis_away=away,
        stops=stops,
        last_seen=last_seen(screens.workers(connection)),
        more=batch_troubles(unconfirmed(connection) if run.lane != "realtime" else []),
    )


def _sample(dashboard: Dashboard, connection: Connection, run_id: int) -> Sample:
    """At most one sample of a run in five seconds, however many people look."""
    key, now = (id(dashboard), run_id), time.monotonic()
    kept = _samples.get(key)
    if kept is not None and now - kept[0] < KEEP_SAMPLE_S:
        return kept[1]
    sample = sample_of(connection, run_id)
    while len(_samples) >= KEPT_SAMPLES:
        _samples.pop(next(iter(_samples)), None)
    _samples[key] = (now, sample)
    return sample
