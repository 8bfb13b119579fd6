"""What a preview is made of, and what all previews say: the effect on deadlines, the expected
spend."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from worker.domain.amounts import read_amount
from worker.domain.wording import clock, span
from worker.errors import UsageError
from worker.store.actions.acting import MAX_PRIORITY
from worker.store.reading.rates import ENDED, Rates

ACTIONS = ("pause", "resume", "drain", "cancel", "retry", "priority", "budget")
FILTERED = ("cancel", "retry", "priority", "budget")
"""What can be done to jobs that a filter chooses."""
VERBS = {
    "pause": "Pause",
    "resume": "Resume",
    "drain": "Drain",
    "cancel": "Cancel",
    "retry": "Retry",
    "priority": "Change the priority of",
    "budget": "Change the budget of",
}


class Surroundings(Protocol):
    """What previews look at beside the database."""

    @property
    def queues(self) -> list[str]:
        """`routing` and the tiers, cheapest first."""

    @property
    def rates(self) -> Rates:
        """How fast things go just now."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A figure that the action needs first."""

    name: str
    label: str
    value: str
    hint: str


@dataclass(frozen=True, slots=True)
class Preview:
    """An action about to be taken. `fields` go back with the form; None in `count` where the
    action is not about a number of jobs. `ask` wants a figure before there is anything to do."""

    action: str
    title: str
    back: str
    words: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    count: int | None = None
    expected_usd: Decimal | None = None
    undo: str = "You can take it back."
    ask: Ask | None = None
    counts: str = "messages"
    """What `count` counts."""

    @property
    def dangerous(self) -> bool:
        """Whether it cannot be taken back."""
        return self.action == "cancel"


def deadlines(rates: Rates, runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """When these runs must be done, what is left of them, and how long that takes at their pace."""
    return [_deadline(rates, run) for run in runs if run["deadline"] is not None and run["open"]]


def _deadline(rates: Rates, run: Mapping[str, Any]) -> str:
    words = (
        f"{run['name']} must be done by {clock(run['deadline'], run['now'])};"
        f" {run['open']:,} of its messages are still open"
    )
    if run["deadline"] <= run["now"]:
        return f"{words}, and it is late."
    pace = rates.a_minute(ENDED, run["id"])
    if not pace:
        return f"{words}."
    needed = 60 * run["open"] / pace
    spare = (run["deadline"] - run["now"]).total_seconds() - needed
    if spare <= 0:
        return f"{words}. At its pace it will be late already."
    return f"{words}: about {span(needed)} at its pace, so that it can rest for {span(spare)}."


def expected_spend(runs: Sequence[Mapping[str, Any]], jobs: int) -> Decimal | None:
    """Dollars, at what jobs of these runs have cost so far; None while nothing has ended."""
    ended = sum(run["ended"] for run in runs)
    spent = sum((run["spent"] for run in runs), Decimal(0))
    return spent / ended * jobs if ended else None


def read_moment(given: Mapping[str, str]) -> dt.datetime | None:
    """Up to when a preview has counted; None before there was one. Raises UsageError."""
    try:
        until = dt.datetime.fromisoformat(given["until"]) if "until" in given else None
    except ValueError:
        raise UsageError("The moment of the preview cannot be read: preview it again.") from None
    return until if until is None or until.tzinfo is not None else None


def read_count(given: Mapping[str, str]) -> int | None:
    """What a preview has counted; None before there was one."""
    number = given.get("counted", "")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 12 else None


def read_priority(given: str) -> int:
    """Raises UsageError."""
    try:
        wanted = int(given)
    except ValueError:
        raise UsageError(f"{given!r} is not a whole number.") from None
    if not -MAX_PRIORITY <= wanted <= MAX_PRIORITY:
        raise UsageError(f"A priority is between -{MAX_PRIORITY} and {MAX_PRIORITY}.")
    return wanted


def read_dollars(given: str) -> Decimal | None:
    """None for an empty field: no limit. Raises UsageError."""
    if not given.strip():
        return None
    try:
        return read_amount(given)
    except ValueError as error:
        raise UsageError(str(error)) from None
