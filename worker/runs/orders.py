"""What somebody wants done, by whichever door: a command, a form or a request's body."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from sqlalchemy import Connection

from models.vocabulary import EVERYTHING
from worker.domain.amounts import read_amount
from worker.domain.filter_parsing import parse
from worker.domain.text import whole_number
from worker.errors import Missing, UsageError
from worker.store.actions.changes import MAX_PRIORITY
from worker.store.actions.selection import Selection, database_now, whole
from worker.store.runs import find_run

VERBS = {
    "pause": "Pause",
    "resume": "Resume",
    "realtime": "Answer one by one:",
    "drain": "Drain",
    "overrule": "Resume anyway:",
    "cancel": "Cancel",
    "retry": "Retry",
    "priority": "Change the priority of",
    "budget": "Change the budget of",
}
HOLDS = ("pause", "resume", "drain", "overrule")
"""What is done to queues; the first two also to runs, and nothing of it to chosen jobs."""
OF_QUEUES = ("drain", "overrule")
OF_RUNS = ("pause", "resume", "realtime")
"""What is done to runs as such."""
MAX_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An action on a queue, or on what is chosen. `to` is the new figure as it was typed (of a
    budget, nothing is no limit), `because` why, and `counted` what a preview has counted."""

    action: str
    queue: str | None = None
    chosen: Selection = field(default_factory=Selection)
    to: str | None = None
    because: str | None = None
    counted: int | None = None

    @property
    def priority(self) -> int:
        """Raises UsageError."""
        try:
            wanted = int(self.to or "")
        except ValueError:
            raise UsageError(f"{self.to!r} is not a whole number.") from None
        if not -MAX_PRIORITY <= wanted <= MAX_PRIORITY:
            raise UsageError(f"A priority is between -{MAX_PRIORITY} and {MAX_PRIORITY}.")
        return wanted

    @property
    def cap(self) -> Decimal | None:
        """Dollars; None is no limit. Raises UsageError."""
        if not (self.to or "").strip():
            return None
        try:
            return read_amount(self.to or "")
        except ValueError as error:
            raise UsageError(str(error)) from None


def read_order(
    connection: Connection, queues: Sequence[str], action: str, given: Mapping[str, str]
) -> Order:
    """The order of a form or an address: `tier`, or `run` and `where` with `until` and `reason`.
    Raises UsageError, Missing, FilterError."""
    if action not in VERBS:
        raise Missing(f"There is no action {action!r}.", mend=f"one of: {', '.join(VERBS)}")
    because = (given.get("because") or "")[:MAX_REASON] or None
    counted, to = _count(given), given.get("to")
    if "tier" in given and "where" not in given:
        queue = queue_named(queues, given["tier"])
        return Order(action=action, queue=queue, because=because, counted=counted)
    where = given.get("where")
    run = given.get("run", "" if where is None else None)
    chosen = choose(connection, action, run, where)
    chosen = replace(
        chosen, until=_moment(given) or chosen.until, cause=given.get("reason") or None
    )
    return Order(action=action, chosen=chosen, to=to, because=because, counted=counted)


def choose(connection: Connection, action: str, run: str | None, where: str | None) -> Selection:
    """The jobs that are meant: of a run as such (what will still come into it included, but for a
    retry), or of what there is now. Raises UsageError, Missing, FilterError."""
    if run is None and where is None:
        raise UsageError("Name a run, or choose jobs with --where.", mend=f"rung {action} --help")
    until = database_now(connection) if where is not None or action == "retry" else None
    node = parse(where) if where is not None else None
    if node is not None and not run:
        return Selection(node=node, until=until)
    return replace(whole(find_run(connection, run or "")), node=node, until=until)


def queue_named(queues: Sequence[str], name: str) -> str:
    """The queue of this name, or `everything`. Raises Missing."""
    if name not in (*queues, EVERYTHING):
        raise Missing(f"There is no tier {name!r}.", mend=f"one of: {', '.join(queues)}")
    return name


def _moment(given: Mapping[str, str]) -> dt.datetime | None:
    """Up to when a preview has counted; None before there was one. Raises UsageError."""
    try:
        until = dt.datetime.fromisoformat(given["until"]) if "until" in given else None
    except ValueError:
        raise UsageError("The moment of the preview cannot be read: preview it again.") from None
    return until if until is None or until.tzinfo is not None else None


def _count(given: Mapping[str, str]) -> int | None:
    """What a preview has counted; None before there was one."""
    return whole_number(given.get("counted", ""))
