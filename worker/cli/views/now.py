"""`rung status --watch`: the dashboard's first page in a terminal, from the same reading."""

from collections.abc import Sequence
from shutil import get_terminal_size

from rich.progress_bar import ProgressBar
from rich.text import Text

from worker.cli.speech.tables import NARROW, FittingTable
from worker.cli.views.picture import (
    BLANK,
    LAST,
    NOTHING,
    RUNS,
    SIMULATED_PART,
    SPENT,
    LivePicture,
    ViewPart,
    troubles_part,
)
from worker.config.settings import Settings
from worker.dashboard.context import Dashboard, make_dashboard
from worker.dashboard.screens.now import Now, read_now
from worker.dashboard.screens.outlook import short
from worker.dashboard.screens.queues import QueueShown
from worker.dashboard.screens.troubles import ScreenTrouble
from worker.domain.text import terminal_safe
from worker.domain.wording import count, dollars, percent, span
from worker.store.engine import at_one_moment
from worker.store.reading.outlook import Outlook
from worker.store.reading.queue_holds import looks
from worker.store.reading.run_standing import RunStanding

COLOURS = {"good": "green", "calm": "default", "warn": "yellow", "bad": "bold red"}
BAR_WIDTH = 24
BATCHED_WIDTH = 10
"""Of the column that is there only while something is in batches."""


class NowView:
    """Everything that is going on. Never over: Ctrl-C ends it."""

    over = False

    def __init__(self, settings: Settings) -> None:
        self._dashboard: Dashboard = make_dashboard(settings)

    def close(self) -> None:
        """Lets go of Postgres."""
        self._dashboard.engine.dispose()

    def draw(self) -> LivePicture:
        """The picture as of now."""
        self._dashboard.rates.read()
        with at_one_moment(self._dashboard.engine) as connection:
            now = read_now(self._dashboard, connection)
        parts = [ViewPart(_headline(now))]
        if self._dashboard.simulated or now.bill.simulated:
            parts.append(SIMULATED_PART)
        parts.append(_troubles(now.troubles))
        if now.batches.words:
            parts.append(ViewPart(Text(f"{now.batches.words}."), [(LAST, NOTHING)]))
        if now.live:
            parts += [BLANK, ViewPart(_runs(now.live), [(RUNS, NOTHING)])]
        queues, spent = ViewPart(_queues(now.queues)), ViewPart(_spend(now), [(SPENT, NOTHING)])
        return LivePicture([*parts, BLANK, queues, BLANK, spent])


def _headline(now: Now) -> Text:
    return Text(terminal_safe(now.headline.words), style=COLOURS[now.headline.level])


def _troubles(troubles: Sequence[ScreenTrouble]) -> ViewPart:
    """What is a button on the page is a command here."""
    told = [(one.words + _look(one) + _helps(one), one.brief + _helps(one)) for one in troubles]
    return troubles_part(told, [COLOURS[one.level] for one in troubles])


def _look(trouble: ScreenTrouble) -> str:
    links = [href for _, href in trouble.more if href.startswith("/jobs/")]
    jobs = [int(href.removeprefix("/jobs/")) for href in links]
    return f" Look: {looks(jobs)}." if jobs else ""


def _helps(trouble: ScreenTrouble) -> str:
    return f" Go on with: {trouble.command}" if trouble.command else ""


def _runs(live: Sequence[tuple[RunStanding, Outlook]]) -> FittingTable:
    """Of one alone the headline says how it looks; a narrow terminal has no room for bars."""
    bars, said_so = not _narrow(), len(live) > 1
    table = FittingTable("run", box=None, pad_edge=False)
    for heading in [*([""] if bars else []), "done", *(["outlook"] if said_so else [])]:
        table.add_column(heading)
    for run, seen in live:
        total = max(run.total, 1)
        bar = ProgressBar(total=total, completed=run.ended, width=BAR_WIDTH)
        said = Text(terminal_safe(short(run, seen)), style=COLOURS[seen.level])
        table.add_row(
            Text(terminal_safe(run.name)),
            *([bar] if bars else []),
            f"{count(run.ended)} of {count(run.total)}",
            *([said] if said_so else []),
        )
    return table


def _queues(lines: Sequence[QueueShown]) -> FittingTable:
    """On a narrow terminal without what a wider one has room for."""
    batched = any(line.in_batches for line in lines)
    here = ("waiting", "in flight", *(("in batches",) if batched else ()))
    narrow = get_terminal_size().columns < NARROW + (BATCHED_WIDTH if batched else 0)
    more = () if narrow else ("done a minute", "oldest wait", "limit used")
    between = (0, 1 if narrow else 2, 0, 0)
    table = FittingTable("queue", box=None, pad_edge=False, padding=between)
    for heading in (*here, *more):
        table.add_column(heading, justify="right")
    table.add_column("state")
    for line in reversed(lines):
        figures = (count(line.a_minute), span(line.waited_s), percent(line.share))
        table.add_row(
            line.queue,
            count(line.waiting),
            count(line.in_flight),
            *((count(line.in_batches or None),) if batched else ()),
            *(() if narrow else figures),
            Text(line.state.word, style=COLOURS[line.state.level]),
        )
    return table


def _narrow() -> bool:
    return get_terminal_size().columns < NARROW


def _spend(now: Now) -> Text:
    cap, day, bill = now.cap, now.day, now.bill
    words = f"spent {dollars(bill.total)}" + (f" of {dollars(cap)}" if cap is not None else "")
    if now.reserved:
        words += f", {dollars(now.reserved)} reserved for calls in flight"
    if now.comparable and bill.saved_against_top is not None:
        saved = bill.saved_against_top
        than = "less" if saved >= 0 else "more"
        words += f"; {percent(abs(saved))} {than} than on {bill.top.tier} alone"
    if day is not None and day.budget_usd is not None:
        words += f"; today {dollars(day.spent_usd)} of {dollars(day.budget_usd)}"
    return Text(words)
