"""Who may see and do what. The seam that pages and templates use."""

from markupsafe import Markup
from starlette.middleware import Middleware
from starlette.requests import Request

from worker.settings import Settings
from worker.store.ops import Actor


def middleware(settings: Settings) -> list[Middleware]:
    """What stands in front of every route."""
    return []


def csrf_field(request: Request) -> Markup:
    """The hidden field that every form carries."""
    return Markup("")


def actor(request: Request) -> Actor:
    """Who acts."""
    return Actor("dashboard")


def may_operate(request: Request) -> bool:
    """Whether this person may change things, rather than only look."""
    return True
