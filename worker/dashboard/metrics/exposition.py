"""`/metrics` for Prometheus and `/healthz` for probes.

Read on request from the counters that the screens use, so the two cannot disagree. Nothing is
counted in this process: any copy of the dashboard, however young, says the same.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from worker.dashboard.access.problems import away_words
from worker.dashboard.context import dashboard_of
from worker.dashboard.metrics.metric import Family
from worker.dashboard.metrics.readings import read_all
from worker.store.engine import away_since, ping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def routes() -> list[BaseRoute]:
    """`/metrics` and `/healthz`."""
    return [Route("/metrics", metrics, name="metrics"), Route("/healthz", healthz, name="healthz")]


def metrics(request: Request) -> Response:
    """The exposition. 503 when Postgres does not answer, so that the scrape itself fails."""
    try:
        families = read_all(dashboard_of(request))
    except (DBAPIError, PoolTimeout):
        since = away_since(dashboard_of(request).engine)
        return PlainTextResponse(f"{away_words(since)}\n", 503)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Read(families))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE)


def healthz(request: Request) -> Response:
    """`ok` when a query can be answered."""
    try:
        with dashboard_of(request).engine.connect() as connection:
            ping(connection)
    except (DBAPIError, PoolTimeout):
        return PlainTextResponse("unavailable\n", 503)
    return PlainTextResponse("ok\n")


class _Read(Collector):
    """Families that have been read already."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families
