"""A routine: a thread of a worker process that does one thing again and again.

Whatever goes wrong is logged and ends nothing: a worker whose housekeeping died would look healthy.
"""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError

from worker.store.engine import is_outage

log = logging.getLogger(__name__)
T = TypeVar("T")


class Routine(Generic[T]):
    """`next_` waits for the next thing to do, and says by something falsy that the end has come;
    `step` does it."""

    def __init__(self, name: str, next_: Callable[[], T], step: Callable[[T], object]) -> None:
        self._name, self._next, self._step = name, next_, step
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Waits for its end, if it was started at all."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while thing := self._next():
            guarded(self._name, partial(self._step, thing))


def guarded(name: str, step: Callable[[], object]) -> None:
    """Does a step of `name`; says what failed, an outage of Postgres in one line."""
    try:
        step()
    except DBAPIError as error:
        if is_outage(error):
            log.warning("postgres away, %s waits", name)
        else:
            log.exception("%s failed", name)
    except Exception:
        log.exception("%s failed", name)
