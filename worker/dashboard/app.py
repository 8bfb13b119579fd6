"""The web application: pages for people, and whatever is mounted beside them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from worker.config.prices import price_of
from worker.config.settings import Settings
from worker.dashboard.access import login, permissions
from worker.dashboard.access.failing import handlers
from worker.dashboard.api import routes as api
from worker.dashboard.context import Dashboard, make_dashboard
from worker.dashboard.metrics import exposition
from worker.dashboard.pages import pages
from worker.store.engine import dispose_for_good

log = logging.getLogger(__name__)
STATIC = Path(__file__).parent / "pages" / "static"
READ_EVERY_S = 2.0


def create_app(settings: Settings) -> Starlette:
    """The application. Raises Unreachable when no database is named."""
    dashboard = make_dashboard(settings)
    app = Starlette(
        routes=[
            *pages.routes(),
            *login.routes(),
            *api.routes(),
            *exposition.routes(),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=permissions.middleware(settings, dashboard.engine),
        exception_handlers=handlers(),
        lifespan=_lifespan,
    )
    app.state.dashboard = dashboard
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    dashboard: Dashboard = app.state.dashboard
    reading = asyncio.create_task(_read_rates(dashboard))
    try:
        yield
    finally:
        dashboard.live.closing.set()
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        dispose_for_good(dashboard.engine)


def warm_up(dashboard: Dashboard) -> None:
    """Loads the list of prices, which takes a second, before anybody waits for it."""
    for tier in dashboard.settings.tiers.values():
        price_of(tier.model, dashboard.settings.prices)


async def _read_rates(dashboard: Dashboard) -> None:
    await run_in_threadpool(warm_up, dashboard)
    while True:
        try:
            await run_in_threadpool(dashboard.rates.read)
        except DBAPIError as error:
            log.warning("rates were not read", extra={"error": type(error).__name__})
        await asyncio.sleep(READ_EVERY_S)
