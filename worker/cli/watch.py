"""Follows a run until it ends."""

import sys
import time
from collections.abc import Callable, Sequence
from shlex import quote

import click
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from worker.cli.exit_codes import EXIT_INTERRUPTED
from worker.cli.speech.output import SIMULATED, talk
from worker.cli.views.outage import Outage, Outliving
from worker.cli.views.patience import Patience
from worker.config.settings import Settings
from worker.domain.wording import dollars
from worker.store.engine import at_one_moment
from worker.store.reading.outlook import read_outlooks
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.standings import standing_of
from worker.store.reading.surrounding import surrounding_of
from worker.store.runs import find_run

EVERY_S = 0.5
LINE_EVERY_S = 5.0
REMIND_EVERY_S = 60.0
"""Where nothing moves, a line says so once a minute, with the reason."""
EXIT_TROUBLED, EXIT_BUDGET = 3, 4


def watch(engine: Engine, settings: Settings, name: str) -> int:
    """Shows the run until it ends; returns the exit code. Ctrl-C leaves the run going."""
    try:
        status = _follow(engine, settings, name)
    except KeyboardInterrupt:
        talk(f"\nThe run goes on. Watch it again with: rung status {quote(name)} --watch")
        return EXIT_INTERRUPTED
    return conclude(status)


def conclude(status: RunStanding) -> int:
    """Says how the run ended, with the bell on a terminal; returns its exit code."""
    name = status.name
    if sys.stderr.isatty():
        click.echo("\a", nl=False, err=True)
    if status.out_of_money:
        talk(_stopped_by(status), fg="yellow")
        return EXIT_BUDGET
    ended = ", ".join(status.state_words)
    talk(f"Run {name} is {status.state}: {ended or 'no jobs'}; {dollars(status.spent)}.")
    if status.simulated:
        talk(SIMULATED, fg="yellow")
    if status.jobs("dead"):
        talk(f"Dead letters: rung dead {quote(name)}", fg="yellow")
    talk(f"Take the answers: rung results {quote(name)} -o answers.csv")
    return EXIT_TROUBLED if status.troubled else 0


def _stopped_by(status: RunStanding) -> str:
    """Which budget, and what goes on with it."""
    words = status.money_words
    goes_on = f". Go on with: {status.go_on_with}" if status.raises else ""
    return f"{words[0].upper()}{words[1:]}{goes_on}"


def _read(engine: Engine, settings: Settings, name: str) -> tuple[RunStanding, str, list[str]]:
    """How the run stands, when it will be done, and why queues do not go on."""
    with at_one_moment(engine) as connection:
        found = standing_of(connection, find_run(connection, name).id)
        if found.over:
            return found, "", []
        around = surrounding_of(connection, settings)
        (seen,) = read_outlooks(connection, [found], around)
        return found, seen.words, around.troubles(connection)


def _follow(engine: Engine, settings: Settings, name: str) -> RunStanding:
    """The ladder as a picture on a terminal; lines elsewhere."""
    if sys.stderr.isatty():
        from worker.cli.views.ladder import LadderView
        from worker.cli.views.live import follow

        view = LadderView(engine, settings, name)
        follow(Outliving(view))
        return view.status
    return follow_in_lines(engine, settings, name)


def follow_in_lines(
    engine: Engine,
    settings: Settings,
    name: str,
    wait: Callable[[float], object] = time.sleep,
) -> RunStanding:
    """A line now and then, to the run's end. `wait` passes the seconds between two looks. Raises
    DBAPIError for whatever is no outage, and for one before the first look."""
    lines, patience, outage = Lines(), Patience(), Outage()
    status, outlook, troubled = _read(engine, settings, name)
    while True:
        done = f"{status.ended:,} of {status.total:,} done, {dollars(status.spent)}"
        lines.say(done, troubled, outlook)
        if not outage.lasts and patience.is_over(status):
            return status
        wait(EVERY_S)
        try:
            status, outlook, troubled = _read(engine, settings, name)
        except DBAPIError as error:
            if not outage.met(error):
                raise
            outlook, troubled = "", [outage.words]
        else:
            outage.over()


class Lines:
    """What a log is told of a run: how far it is when that has changed, and why it does not go on
    as soon as that is known; both again once a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said = ""
        self._troubles: Sequence[str] = ()
        self._at = -REMIND_EVERY_S

    def say(self, progress: str, troubles: Sequence[str], outlook: str = "") -> None:
        """Says what is new, or due; `outlook` is when it will be done."""
        waited = self._clock() - self._at
        due = waited >= (LINE_EVERY_S if progress != self._said else REMIND_EVERY_S)
        for words in troubles:
            if words not in self._troubles or (due and progress == self._said):
                talk(f"{words[0].upper()}{words[1:]}", fg="red")
        self._troubles = tuple(troubles)
        if due:
            self._said, self._at = progress, self._clock()
            talk(f"{progress}; {outlook}" if outlook else progress)
