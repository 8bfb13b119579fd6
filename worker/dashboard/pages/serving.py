"""What handlers share: streams of server-sent events, and figures in addresses."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import StreamingResponse

from worker.dashboard.access.permissions import may_still_look
from worker.dashboard.context import Dashboard, dashboard_of
from worker.domain.text import whole_number


def stream(request: Request, render: Callable[[Dashboard], str]) -> StreamingResponse:
    """Server-sent events of what `render` gives, shared by all who ask for this address."""
    dashboard = dashboard_of(request)
    events = dashboard.live.events(
        str(request.url.path), lambda: render(dashboard), lambda: may_still_look(request)
    )
    return StreamingResponse(
        events,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def number(request: Request, name: str) -> int | None:
    """A whole number of the address; None when it is missing or is none."""
    return whole_number(request.query_params.get(name, ""))
