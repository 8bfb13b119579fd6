"""Pictures that go on: redrawn in place on a terminal, one after another in a log."""

import sys
import time
from collections.abc import Callable
from typing import Protocol

from worker.cli.speech.output import console
from worker.cli.views.picture import LivePicture

REDRAW_S = 0.5
PLAIN_EVERY_S = 5.0


class View(Protocol):
    """What can be drawn again and again. `over` is as of the last drawing."""

    @property
    def over(self) -> bool:
        """Whether nothing more will change by itself."""

    def draw(self) -> LivePicture:
        """The picture as of now."""


def follow(view: View, wait: Callable[[float], object] = time.sleep) -> None:
    """Shows the view until it is over. `wait` passes the seconds between two looks, and may end
    the following by raising KeyboardInterrupt."""
    if sys.stderr.isatty():
        _in_place(view, wait)
    else:
        _one_after_another(view, wait)


def _in_place(view: View, wait: Callable[[float], object]) -> None:
    from rich.live import Live

    with Live(view.draw(), console=console(stderr=True), auto_refresh=False) as live:
        live.refresh()
        while not view.over:
            wait(REDRAW_S)
            live.update(view.draw(), refresh=True)


def _one_after_another(view: View, wait: Callable[[float], object]) -> None:
    out, last = console(stderr=True), 0.0
    while True:
        picture = view.draw()
        if view.over or time.monotonic() - last >= PLAIN_EVERY_S:
            last = time.monotonic()
            out.print(picture)
            out.print()
        if view.over:
            return
        wait(REDRAW_S)
