"""Previews of what is done to the jobs that a filter chooses. What is counted here up to a moment,
the deed changes: never more, and fewer only where jobs ended meanwhile, which the audit says."""

from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urlencode

from sqlalchemy import Connection

from worker.domain.filter_parsing import parse
from worker.domain.wording import dollars, listed, plural
from worker.errors import UsageError
from worker.runs.preview_shapes import (
    FILTERED,
    VERBS,
    Ask,
    Preview,
    Surroundings,
    deadlines,
    read_dollars,
    read_moment,
    read_priority,
)
from worker.store.actions.acting import database_now
from worker.store.actions.filtered import CANCEL, Foreseen, Target, foresee, runs_of
from worker.store.reading import screens
from worker.store.runs import find_run

RUNS_NAMED = 5


def target_of(connection: Connection, given: Mapping[str, str]) -> Target:
    """The set that a form or an address names. Raises UsageError, RungError."""
    node = parse(given["where"])
    until = read_moment(given) or database_now(connection)
    if not given.get("run"):
        return Target(node, until=until)
    run = find_run(connection, given["run"])
    return Target(node, run.id, run.name, until)


def preview_filtered(
    around: Surroundings, connection: Connection, action: str, given: Mapping[str, str]
) -> Preview:
    """Raises UsageError or RungError, in words for the person."""
    if action not in FILTERED:
        raise UsageError(f"{VERBS[action]} is not for jobs that a filter chooses.")
    target = target_of(connection, given)
    if action == "budget":
        return _budget(around, connection, target, given)
    found = foresee(connection, action, target)
    if action == "retry":
        return _shown(action, target, given, _retried(found), found)
    runs = [screens.one_run(connection, n) for n in runs_of(connection, target)[:RUNS_NAMED]]
    dated = deadlines(around.rates, runs)
    if action == "cancel":
        return _shown(action, target, given, _cancelled(found), found)
    if "to" not in given:
        hint = "Higher goes first within a run; 0 is usual."
        return _shown(action, target, given, (), found, ask=Ask("to", "New priority", "10", hint))
    wanted = read_priority(given["to"])
    words = (
        f"Their priority becomes {wanted}, from the next dispatch on: they are served before the"
        " others of their run. A run with a higher priority still goes first.",
        *dated,
    )
    return _shown(action, target, given, words, found, {"to": str(wanted)}, spend=False)


def _retried(found: Foreseen) -> tuple[str, ...]:
    return (
        f"{plural(found.jobs, 'dead letter')} will be tried again at the tier where they stood,"
        " with a clean count of failures.",
        "Jobs that are not dead, or whose run is cancelled, are left as they are.",
    )


def _cancelled(found: Foreseen) -> tuple[str, ...]:
    spared = found.expected.usd if found.expected is not None else None
    return (
        f"{plural(found.jobs, 'open message')} will end without an answer. Answers in flight are"
        " paid for, recorded and not used. What ends before you press the button is not cancelled.",
        f"About {dollars(spared)} is not spent." if spared else "Nothing more is spent for them.",
    )


def _budget(
    around: Surroundings, connection: Connection, target: Target, given: Mapping[str, str]
) -> Preview:
    ids = runs_of(connection, target)
    runs = [screens.one_run(connection, run_id) for run_id in ids]
    named = listed([run["name"] for run in runs[:RUNS_NAMED]])
    more = f" and {len(runs) - RUNS_NAMED} more" if len(runs) > RUNS_NAMED else ""
    used = max((run["spent"] + run["reserved"] for run in runs), default=Decimal(0))
    hint = f"Dollars in all, for each run; empty for no limit. One has used {dollars(used)}."
    ask = Ask("to", "New budget of each run", given.get("to", ""), hint)
    if "to" not in given:
        return _shown("budget", target, given, (), None, ask=ask, count=len(runs))
    cap = read_dollars(given["to"])
    if cap is not None and cap < used:
        raise UsageError(
            f"One of these runs has spent or reserved {dollars(used)} already;"
            f" a budget of {dollars(cap)} is too small."
        )
    limit = "no limit" if cap is None else dollars(cap)
    words = (
        f"{named}{more}: the budget of each becomes {limit}." if runs else "No run is meant.",
        "What waits for budget goes on at once.",
        *deadlines(around.rates, runs[:RUNS_NAMED]),
    )
    return _shown("budget", target, given, words, None, {"to": given["to"]}, count=len(runs))


def _shown(
    action: str,
    target: Target,
    given: Mapping[str, str],
    words: tuple[str, ...],
    found: Foreseen | None,
    more: Mapping[str, str] | None = None,
    *,
    ask: Ask | None = None,
    count: int | None = None,
    spend: bool = True,
) -> Preview:
    jobs = found.jobs if found is not None else count or 0
    usd = found.expected.usd if spend and found is not None and found.expected is not None else None
    address = {name: given[name] for name in ("where", "run") if given.get(name)}
    moment = {} if target.until is None else {"until": target.until.isoformat()}
    undo = {
        "retry": "It cannot be taken back, but they can be cancelled.",
        "cancel": "It cannot be taken back: the messages would have to be handed in again.",
        "budget": "It can be changed again, run by run.",
    }
    return Preview(
        action,
        f"{VERBS[action]} {'runs with ' if action == 'budget' else ''}jobs: {target.words}",
        f"/jobs?{urlencode(address)}",
        words,
        {**address, **moment, "counted": str(jobs), **(more or {})} if ask is None else address,
        jobs,
        None if action == CANCEL else usd,
        undo.get(action, "You can give them another priority."),
        ask,
        "runs" if action == "budget" else "messages",
    )
