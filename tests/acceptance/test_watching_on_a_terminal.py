"""`rung status --watch` on a terminal of 80 columns says of what stands still what the dashboard's
first page says."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.pages import Page
from tests.support.processes import RUNG, clean_environ
from tests.support.promises import do
from tests.support.web import browsing
from tests.support.works import drain, hand_in, make_due, working
from worker.config.settings import Settings
from worker.lanes.upkeep.budget_stops import tell_of_stops
from worker.store.actions import holds
from worker.store.actions.caps import set_budget
from worker.store.actions.selection import Selection, whole
from worker.store.audit import Actor

pytestmark = pytest.mark.slow
BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(5)]
ADA = Actor("ada")
SEEN = "UPDATE workers SET seen_at = now() + interval '1 hour'"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
WAIT_S = 30.0


class Screen:
    """A command on a terminal, and what has been shown there."""

    def __init__(self, *words: str, environ: dict[str, str], cwd: Path) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        self.process = subprocess.Popen(
            [*RUNG, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=environ, cwd=cwd
        )
        os.close(theirs)
        self.text = ""

    def shows(self, words: str) -> bool:
        """Whether the words come to stand there, wherever lines end."""
        until = time.monotonic() + WAIT_S
        while words not in self.text and time.monotonic() < until:
            if not select.select([self._ours], [], [], 1)[0]:
                continue
            try:
                piece = os.read(self._ours, 65_536).decode(errors="replace")
            except OSError:  # The command has ended.
                return words in self.text
            self.text = re.sub(r"\s+", " ", self.text + CONTROL.sub("", piece))
        return words in self.text

    def close(self) -> None:
        """Ends the command: nobody reads any more what it shows."""
        self.process.kill()
        self.process.wait(WAIT_S)
        os.close(self._ours)


@contextmanager
def watching(*run: str, environ: dict[str, str], cwd: Path) -> Iterator[Screen]:
    """`rung status RUN --watch`."""
    screen = Screen("status", *run, "--watch", environ=environ, cwd=cwd)
    try:
        yield screen
    finally:
        screen.close()


def first_page(url: str) -> tuple[str, str, str]:
    """Its headline, what it says of the run, and the one thing that it says is wrong."""
    with browsing(url) as client:
        root = Page(client.get("/").text).root
    (wrong,) = root.all("span", cls="said")
    (run,) = root.all("li", cls="run")
    return root.all("h1")[0].text, run.all("p")[0].text, wrong.text.rstrip(".")


def spend_the_budget(engine: Engine, settings: Settings, day: Selection) -> None:
    holds.resume_queue(engine, ADA, "haiku")
    set_budget(engine, ADA, day, Decimal("0.000001"))
    with working(settings) as runtime:
        for _ in range(2):
            drain(runtime)
            make_due(engine)
    tell_of_stops(engine)


@pytest.mark.usefixtures("configured")
def test_a_terminal_says_what_the_first_page_says(
    url: str, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    # given
    day = whole(hand_in(engine, settings, BODIES, name="day", policy="single:haiku"))
    do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku'")
    do(engine, "UPDATE runs SET deadline = now() + interval '45 minutes 25 seconds'")
    holds.pause_queue(engine, ADA, "haiku", "lunch")
    given = {"DATABASE_URL", "REDIS_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"}
    environ = clean_environ(COLUMNS="80", TERM="xterm", **{n: os.environ[n] for n in given})
    with (
        working(settings),
        watching(environ=environ, cwd=tmp_path) as everything,
        watching("day", environ=environ, cwd=tmp_path) as one_run,
    ):
        do(engine, SEEN)
        # when
        headline, outlook, wrong = first_page(url)
        # then
        assert everything.shows(headline), everything.text
        assert everything.shows(wrong), everything.text
        assert one_run.shows(outlook), one_run.text
        assert one_run.shows(wrong.partition(";")[0]), one_run.text
        # when
        spend_the_budget(engine, settings, day)
        do(engine, SEEN)
        headline, outlook, wrong = first_page(url)
        # then
        assert everything.shows(headline), everything.text
        assert everything.shows(wrong), everything.text
        assert one_run.shows(outlook), one_run.text
        # and what a budget has stopped is not followed for ever
        assert one_run.shows("Stopped by its budget: "), one_run.text
        assert one_run.process.wait(WAIT_S) == 4
