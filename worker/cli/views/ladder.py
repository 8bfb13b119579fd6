"""The ladder as a live picture: what waits, what is under way, what stopped where."""

from collections.abc import Sequence
from shutil import get_terminal_size

from rich.text import Text
from sqlalchemy import Engine

from models.vocabulary import ROUTING
from worker.cli.speech.tables import NARROW, FittingTable
from worker.cli.views.patience import Patience
from worker.cli.views.picture import (
    ASIDE,
    LAST,
    NOTHING,
    SIMULATED_PART,
    SPENT,
    LivePicture,
    ViewPart,
    troubles_part,
)
from worker.config.addresses import is_simulated
from worker.config.settings import Settings
from worker.domain.wording import count, dollars, plural, reason, span
from worker.store.engine import at_one_moment
from worker.store.reading.batches import batches_of, together
from worker.store.reading.outlook import read_outlooks
from worker.store.reading.screens import ClimbCount, counts_of, escalations_of
from worker.store.reading.standings import standing_of
from worker.store.reading.status import TroubleTold, in_flight_of, told
from worker.store.reading.surrounding import surrounding_of
from worker.store.runs import find_run

BAR_WIDTH, FIGURES_WIDTH = 28, 52
"""Columns that a bar has at most, and that the figures before it take."""
ENDED = ("answered", "review", "dead", "cancelled")


class LadderView:
    """Reads a run and draws it."""

    def __init__(self, engine: Engine, settings: Settings, run: str) -> None:
        self._engine, self._settings = engine, settings
        self._said: list[TroubleTold] = []
        self._outlook = ""
        self._patience = Patience()
        with engine.connect() as connection:
            self.status = standing_of(connection, find_run(connection, run).id)

    @property
    def over(self) -> bool:
        """Over, or stopped by a budget."""
        return self._patience.is_over(self.status)

    def draw(self) -> LivePicture:
        """The picture as of now."""
        with at_one_moment(self._engine) as connection:
            self.status = standing_of(connection, self.status.id)
            self._said = [] if self.status.over else told(connection)
            counts = counts_of(connection, [self.status.id])
            flying = in_flight_of(connection, [self.status.id])[self.status.id]
            steps = escalations_of(connection, [self.status.id])
            around = surrounding_of(connection, self._settings)
            held = batches_of(connection, self.status)
            (seen,) = read_outlooks(connection, [self.status], around, held)
            batches = together(held, self.status)
        self._outlook = seen.words
        at_claude = ViewPart(Text(f"batches: {batches.words}"), [(LAST, NOTHING)])
        return LivePicture(
            [
                ViewPart(self._headline()),
                *([SIMULATED_PART] if self._simulated else []),
                self._troubles(),
                ViewPart(self._rungs(counts, flying)),
                *([at_claude] if batches.words else []),
                ViewPart(self._steps(steps), [(ASIDE, NOTHING)]),
                ViewPart(self._footer(), [(SPENT, NOTHING)]),
            ]
        )

    @property
    def _simulated(self) -> bool:
        """Also before a call has been answered."""
        return self.status.simulated or is_simulated(self._settings)

    def _headline(self) -> Text:
        status = self.status
        age_s = ((status.finished_at or status.now) - status.created_at).total_seconds()
        done = f"{count(status.ended)} of {plural(status.total, 'message')} done"
        words = f"{done}, {span(age_s)}, {plural(status.calls, 'call')}"
        return Text(f"{words}\n{self._outlook[0].upper()}{self._outlook[1:]}.", style="bold")

    def _troubles(self) -> ViewPart:
        told = [(one.words, one.brief) for one in self._said]
        if self.status.raises:
            told.append((f"raise its budget: {self.status.go_on_with}",) * 2)
        return troubles_part(told, ["bold red"] * len(told))

    def _rungs(self, counts: dict[tuple[str, str], int], flying: dict[str, int]) -> FittingTable:
        """Of this run alone: what waits for its turn at a rung, and what has been there."""
        columns = get_terminal_size().columns
        narrow, longest = columns < NARROW, min(BAR_WIDTH, columns - FIGURES_WIDTH)
        table = FittingTable(box=None, pad_edge=False, padding=(0, 1 if narrow else 2, 0, 0))
        for name in ("queue", "waiting", "in flight", "in batches", "done"):
            table.add_column(name, justify="left" if name == "queue" else "right")
        if not narrow:
            table.add_column("")
        total = max(self.status.total, 1)
        for name in reversed(self._settings.queues):
            tier = "" if name == ROUTING else name
            batched = counts.get(("submitted", tier), 0)
            here = counts.get(("queued" if name == ROUTING else "routed", tier), 0)
            if name == ROUTING:
                # Done here means classified: whatever is not waiting to be any more.
                done = total - here - batched
            else:
                done = sum(counts.get((state, name), 0) for state in ENDED)
            in_flight = flying.get(name, 0)
            bar = "█" * round(longest * done / total)
            figures = (here - in_flight, in_flight, batched or None, done)
            bars = () if narrow else (Text(bar, style="cyan"),)
            table.add_row(name, *map(count, figures), *bars)
        return table

    def _steps(self, steps: Sequence[ClimbCount]) -> Text:
        words = [
            f"{step.escalations} {step.from_tier} → {step.to_tier} ({reason(step.reason)})"
            for step in steps[:4]
        ]
        return Text("escalations: " + ("; ".join(words) or "none yet"))

    def _footer(self) -> Text:
        cap = self.status.cap
        words = f"spent {dollars(self.status.spent)}"
        words += f" of {dollars(cap)}" if cap is not None else ""
        if self.status.reserved:
            words += f", {dollars(self.status.reserved)} reserved for calls in flight"
        return Text(words)
