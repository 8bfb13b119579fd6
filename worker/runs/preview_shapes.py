"""What a preview is made of, and what all previews say: the effect on deadlines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection

from worker.config.settings import Settings
from worker.domain.expected_cost import Expected
from worker.domain.filters import show
from worker.domain.wording import clock
from worker.runs.orders import VERBS, Order
from worker.store.actions.changes import runs_of
from worker.store.actions.foresight import Touched
from worker.store.actions.glances import glance_runs
from worker.store.reading.outlook import Outlook, read_outlooks
from worker.store.reading.run_standing import RunStanding
from worker.store.reading.standings import live_runs, standing_of
from worker.store.reading.surrounding import surrounding_of

RUNS_NAMED = 5


@dataclass(frozen=True, slots=True)
class FigureAsked:
    """A figure that the action needs first."""

    label: str
    value: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """An action about to be taken. `fields` go back with the form; `before` is what is to be
    changed; `ask` wants a figure before there is anything to do."""

    action: str
    title: str
    back: str
    words: Sequence[str] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    count: int = 0
    at_least: bool = False
    """Whether not all were looked at: nothing can be done before they are counted."""
    counts: str = "messages"
    """What `count` counts."""
    expected: Expected | None = None
    """What it will cost, or what a cancel spares."""
    before: Any = None
    undo: str = "You can take it back."
    beware: str = ""
    """Why it will not help, and what does; empty where it helps."""
    ask: FigureAsked | None = None

    @property
    def expected_usd(self) -> Decimal | None:
        """Dollars that this will probably cost."""
        return None if self.expected is None or self.action == "cancel" else self.expected.usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at what an order means. `run` is set where a run as such is meant; `quick` looks at
    a bounded number of what a filter chooses."""

    connection: Connection
    settings: Settings
    order: Order
    run: RunStanding | None = None
    quick: bool = False

    def runs(self) -> tuple[list[RunStanding], int]:
        """The runs that are meant, those whose open jobs are; and of how many others it is not
        known yet."""
        if self.run is not None:
            return [self.run], 0
        chosen, unknown = self.order.chosen, 0
        if self.quick:
            seen = glance_runs(self.connection, chosen)
            found, unknown = seen.found, len(seen.open_)
        else:
            found = runs_of(self.connection, chosen)
        return [standing_of(self.connection, run_id) for run_id in found], unknown

    def under_way(self, found: Touched) -> list[RunStanding]:
        """The first of the runs whose jobs would be touched."""
        return [standing_of(self.connection, run_id) for run_id in found.runs[:RUNS_NAMED]]

    def others(self) -> list[RunStanding]:
        """Runs under way beside the one that is meant."""
        live = live_runs(self.connection)
        return [run for run in live if self.run is None or run.id != self.run.id]

    def deadlines(self, runs: Sequence[RunStanding], more: int = 0) -> list[str]:
        """When these runs must be done, what is left of them (and `more` jobs), and how that looks
        as things are now: with what every other surface says of them."""
        due = [run for run in runs if run.deadline is not None and run.open + more]
        if not due:
            return []
        around = surrounding_of(self.connection, self.settings)
        seen = read_outlooks(self.connection, due, around)
        return [_deadline(run, run.open + more, one) for run, one in zip(due, seen, strict=True)]

    def shown(self, what: str | None = None, **values: Any) -> Preview:
        """The preview of a run or of chosen jobs, with what all of these have. Without words it
        asks first."""
        chosen = self.order.chosen
        address = {} if chosen.run_id is None else {"run": str(chosen.run_id)}
        back = f"/dead?run={chosen.run_id}" if self.order.action == "retry" else None
        if chosen.node is not None:
            address |= {"where": show(chosen.node)}
            back, what = f"/jobs?{urlencode(address)}", f"{what or 'jobs'}: {chosen.words}"
        preview = Preview(
            action=self.order.action,
            title=f"{VERBS[self.order.action]} {what or chosen.name}",
            back=back or f"/runs/{chosen.run_id}",
            fields=address,
            **values,
        )
        return preview if preview.ask is not None else self._counted(preview)

    def _counted(self, preview: Preview) -> Preview:
        """With what was counted, up to when, for the deed."""
        chosen = self.order.chosen
        found = {
            **preview.fields,
            "counted": str(preview.count),
            "until": chosen.until.isoformat() if chosen.until is not None else None,
            "reason": chosen.cause,
            "to": self.order.to,
        }
        fields = {name: value for name, value in found.items() if value is not None}
        return replace(preview, fields=fields)


def _deadline(run: RunStanding, left: int, seen: Outlook) -> str:
    deadline = run.deadline or run.now
    return (
        f"{run.name} must be done by {clock(deadline, run.now)};"
        f" {left:,} of its messages are still open. As things are now: {seen.words}."
    )
