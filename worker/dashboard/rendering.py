"""Templates: everything escaped, and what cannot be seen made visible."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request

from worker.dashboard import access
from worker.dashboard.context import dashboard_of
from worker.text import terminal_safe

TEMPLATES = Path(__file__).parent / "templates"


def _finalize(value: object) -> object:
    """Every string that a template prints: control and bidirectional characters become visible."""
    if type(value) is str:
        return terminal_safe(value)
    return "" if value is None else value


environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_finalize,
)


def page(request: Request, template: str, **values: Any) -> str:
    """A whole page."""
    dashboard = dashboard_of(request)
    return environment.get_template(template).render(
        request=request,
        path=request.url.path,
        simulated=dashboard.simulated,
        operator=access.may_operate(request),
        csrf=access.csrf_field(request),
        **values,
    )
