"""The ladder as a live picture: what waits, what is under way, what stopped where."""

from collections.abc import Sequence
from shutil import get_terminal_size

from rich.console import Group, RenderableType
from rich.text import Text
from sqlalchemy import Engine

from models.vocabulary import ROUTING
from worker.cli.speech.invocation import as_typed_here
from worker.cli.speech.output import SIMULATED
from worker.cli.speech.tables import NARROW, FittingTable
from worker.cli.views.patience import Patience
from worker.config.addresses import is_simulated
from worker.config.settings import Settings
from worker.domain.text import terminal_safe
from worker.domain.wording import count, dollars, plural, reason, span
from worker.store.engine import at_one_moment
from worker.store.reading.batches import batches_of, together
from worker.store.reading.outlook import read_outlooks
from worker.store.reading.screens import ClimbCount, counts_of, escalations_of
from worker.store.reading.standings import standing_of
from worker.store.reading.status import in_flight_of, troubles
from worker.store.reading.surrounding import surrounding_of
from worker.store.runs import find_run

BAR_WIDTH = 28
ENDED = ("answered", "review", "dead", "cancelled")


class LadderView:
    """Reads a run and draws it."""

    def __init__(self, engine: Engine, settings: Settings, run: str) -> None:
        self._engine, self._settings = engine, settings
        self._said: list[str] = []
        self._outlook = ""
        self._patience = Patience()
        with engine.connect() as connection:
            self.status = standing_of(connection, find_run(connection, run).id)

    @property
    def over(self) -> bool:
        """Over, or stopped by a budget."""
        return self._patience.is_over(self.status)

    def draw(self) -> RenderableType:
        """The picture as of now."""
        with at_one_moment(self._engine) as connection:
            self.status = standing_of(connection, self.status.id)
            self._said = [] if self.status.over else troubles(connection)
            counts = counts_of(connection, [self.status.id])
            flying = in_flight_of(connection, [self.status.id])[self.status.id]
            steps = escalations_of(connection, [self.status.id])
            around = surrounding_of(connection, self._settings)
            held = batches_of(connection, self.status)
            (seen,) = read_outlooks(connection, [self.status], around, held)
            batches = together(held, self.status)
        self._outlook = seen.words
        return Group(
            self._headline(),
            # Where a terminal is too low for it all, what stands last is cut.
            *([Text(SIMULATED, style="yellow")] if self._simulated else []),
            *self._troubles(),
            self._rungs(counts, flying),
            *([Text(f"batches: {batches.words}")] if batches.words else []),
            self._steps(steps),
            self._footer(),
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

    def _troubles(self) -> list[Text]:
        words = list(self._said)
        if self.status.raises:
            words.append(f"raise its budget: {self.status.go_on_with}")
        return [Text(f"! {as_typed_here(terminal_safe(one))}", style="bold red") for one in words]

    def _rungs(self, counts: dict[tuple[str, str], int], flying: dict[str, int]) -> FittingTable:
        """Of this run alone: what waits for its turn at a rung, and what has been there."""
        narrow = get_terminal_size().columns < NARROW
        table = FittingTable(box=None, pad_edge=False, padding=(0, 1 if narrow else 2, 0, 0))
        for name in ("queue", "waiting", "in flight", "in batches", "done"):
            table.add_column(name, justify="left" if name == "queue" else "right")
        if not narrow:
            table.add_column("")
        total = max(self.status.total, 1)
        for name in reversed([ROUTING, *self._settings.tiers]):
            tier = "" if name == ROUTING else name
            batched = counts.get(("submitted", tier), 0)
            here = counts.get(("queued" if name == ROUTING else "routed", tier), 0)
            if name == ROUTING:
                # Done here means classified: whatever is not waiting to be any more.
                done = total - here - batched
            else:
                done = sum(counts.get((state, name), 0) for state in ENDED)
            in_flight = flying.get(name, 0)
            bar = "█" * round(BAR_WIDTH * done / total)
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
