"""What an action would do, said before it is done: how many, at what cost, and to which deadlines.

A preview reads; it changes nothing. What it counted is what the action then does: the moment up to
which dead letters were counted travels with the form.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from models.vocabulary import EVERYTHING
from worker.domain.wording import dollars, listed, plural
from worker.errors import RungError, UsageError
from worker.runs.filtered_previews import preview_filtered
from worker.runs.preview_shapes import (
    ACTIONS,
    VERBS,
    Ask,
    Preview,
    Surroundings,
    deadlines,
    expected_spend,
    read_dollars,
    read_moment,
    read_priority,
)
from worker.store.actions.acting import MAX_PRIORITY, DeadLetters, count_dead, database_now
from worker.store.reading import screens
from worker.store.reading.status import queues
from worker.store.runs import find_run


def preview(
    around: Surroundings, connection: Connection, action: str, given: Mapping[str, str]
) -> Preview:
    """Raises UsageError or RungError, in words for the person, when it would make no sense."""
    if action not in ACTIONS:
        raise UsageError(f"There is no action {action!r}.")
    if "where" in given:
        return preview_filtered(around, connection, action, given)
    if action in ("pause", "resume", "drain") and "tier" in given:
        return _tier(around, connection, action, given["tier"])
    if action == "drain":
        raise UsageError("A tier is drained, or everything: a run is paused.")
    run = screens.one_run(connection, find_run(connection, given.get("run", "")).id)
    if action == "retry":
        return _retry(around, connection, run, given)
    if run["finished_at"] is not None:
        raise RungError(f"Run {run['name']} is {run['state']}: there is nothing left to {action}.")
    makers = {
        "pause": _pause_run,
        "resume": _resume_run,
        "cancel": _cancel,
        "priority": _priority,
        "budget": _budget,
    }
    return makers[action](around, connection, run, given)


def _tier(around: Surroundings, connection: Connection, action: str, tier: str) -> Preview:
    if tier not in (*around.queues, EVERYTHING):
        raise UsageError(f"There is no queue {tier!r}.")
    lines = [q for q in queues(connection, around.queues) if tier in (q["queue"], EVERYTHING)]
    waiting = sum(line["waiting"] for line in lines)
    flying = sum(line["in_flight"] for line in lines)
    runs = screens.live_runs(connection)
    if action != "resume":
        after = " When none is left, nothing is lost if its workers are taken away."
        words = (
            f"{plural(waiting, 'message')} that wait will go on waiting"
            + (
                ", those included that workers hold and have not begun."
                if action == "drain"
                else "."
            ),
            f"{plural(flying, 'call')} in flight will end and be recorded: they are paid for."
            + (after if action == "drain" else ""),
            *deadlines(around.rates, runs),
        )
    else:
        words = (
            f"{plural(waiting, 'message')} that wait will be sent on.",
            *deadlines(around.rates, runs),
        )
    name = "every queue" if tier == EVERYTHING else f"the queue {tier}"
    return Preview(
        action,
        f"{VERBS[action]} {name}",
        "/",
        words,
        {"tier": tier},
        waiting,
        expected_spend(runs, waiting) if action == "resume" else None,
    )


def _pause_run(
    around: Surroundings, _: Connection, run: dict[str, Any], __: Mapping[str, str]
) -> Preview:
    if run["state"] != "active":
        raise RungError(f"Run {run['name']} is {run['state']}, so it cannot be paused.")
    words = (
        f"{plural(run['open'], 'message')} of it are still open; none is begun any more.",
        "What is in flight ends and is recorded.",
        *deadlines(around.rates, [run]),
    )
    return _of_run("pause", run, words, count=run["open"])


def _resume_run(
    around: Surroundings, _: Connection, run: dict[str, Any], __: Mapping[str, str]
) -> Preview:
    words = [f"{plural(run['open'], 'open message')} will go on."]
    words += deadlines(around.rates, [run])
    if run["waiting_for"]:
        words.append(f"It waits for its {run['waiting_for']}: raise the budget instead.")
    return _of_run(
        "resume", run, tuple(words), count=run["open"], expected=expected_spend([run], run["open"])
    )


def _cancel(
    around: Surroundings, connection: Connection, run: dict[str, Any], __: Mapping[str, str]
) -> Preview:
    spared = expected_spend([run], run["open"])
    others = [r["name"] for r in screens.live_runs(connection) if r["id"] != run["id"]]
    sooner = (f"{listed(others)} will be served sooner.",) if others else ()
    still = ("It is still being handed in: what comes in before is cancelled too.",)
    words = (
        f"{plural(run['open'], 'message')} still open will end without an answer;"
        f" the {run['ended']:,} that have ended stay as they are.",
        "Answers in flight are paid for, recorded and not used. What ends before you press the"
        " button is not cancelled.",
        f"About {dollars(spared)} is not spent." if spared else "Nothing more is spent.",
        *(still if run["accepting"] else ()),
        *sooner,
    )
    undo = "It cannot be taken back: the messages would have to be handed in again."
    more = {"counted": str(run["open"])}
    return _of_run("cancel", run, words, count=run["open"], undo=undo, more=more)


def _retry(
    around: Surroundings, connection: Connection, run: dict[str, Any], given: Mapping[str, str]
) -> Preview:
    if run["state"] == "cancelled":
        raise RungError(f"Run {run['name']} is cancelled; its jobs cannot be retried.")
    chosen = dead_letters(connection, run["id"], given)
    count = count_dead(connection, chosen)
    cause = f" that died of “{chosen.reason}”" if chosen.reason else ""
    words = (
        f"{plural(count, 'dead letter')}{cause} will be tried again at the tier where they stood,"
        " with a clean count of failures. What was tried before stays in their receipts.",
        "If the cause is still there, they die again: mend it first.",
        *deadlines(around.rates, [run | {"open": run["open"] + count}]),
    )
    fields = {"run": str(run["id"]), "until": chosen.until.isoformat(), "counted": str(count)}
    if chosen.reason:
        fields["reason"] = chosen.reason
    return Preview(
        "retry",
        f"Retry dead letters of {run['name']}",
        f"/dead?run={run['id']}",
        words,
        fields,
        count,
        expected_spend([run], count),
        "It cannot be taken back, but the run can be paused or cancelled.",
    )


def dead_letters(connection: Connection, run_id: int, given: Mapping[str, str]) -> DeadLetters:
    """The set that a form names; without a moment, everything up to now."""
    until = read_moment(given)
    if until is None:
        until = database_now(connection)
    return DeadLetters(run_id, until, given.get("reason") or None)


def _priority(
    around: Surroundings, connection: Connection, run: dict[str, Any], given: Mapping[str, str]
) -> Preview:
    others = [r for r in screens.live_runs(connection) if r["id"] != run["id"]]
    highest = max((r["priority"] for r in others), default=run["priority"])
    suggested = str(min(max(highest + 1, run["priority"]), MAX_PRIORITY))
    hint = f"Higher goes first; it is {run['priority']} now. The highest of the others: {highest}."
    ask = Ask("to", "New priority", given.get("to", suggested), hint)
    if "to" not in given:
        return _of_run("priority", run, (), ask=ask)
    wanted = read_priority(given["to"])
    behind = [r["name"] for r in others if r["priority"] < wanted]
    ahead = [r["name"] for r in others if r["priority"] > wanted]
    words = [f"Its priority goes from {run['priority']} to {wanted}, from the next dispatch on."]
    words += [f"It will be served before {', '.join(behind)}."] if behind else []
    words += [f"{', '.join(ahead)} will still be served first."] if ahead else []
    words += deadlines(around.rates, [r for r in others if r["name"] in behind])
    return _of_run("priority", run, tuple(words), count=run["open"], more={"to": str(wanted)})


def _budget(
    around: Surroundings, connection: Connection, run: dict[str, Any], given: Mapping[str, str]
) -> Preview:
    committed = run["spent"] + run["reserved"]
    rest = expected_spend([run], run["open"])
    enough = f" About {dollars(run['spent'] + rest)} would be enough for all of it." if rest else ""
    hint = f"Dollars in all; empty for no limit. {dollars(committed)} is spent or reserved.{enough}"
    current = run["cap"]
    ask = Ask("to", "New budget", given.get("to", f"{current:.2f}" if current else ""), hint)
    if "to" not in given:
        return _of_run("budget", run, (), ask=ask)
    cap = read_dollars(given["to"])
    if cap is not None and cap < committed:
        raise UsageError(
            f"{run['name']} has spent or reserved {dollars(committed)} already;"
            f" a budget of {dollars(cap)} is too small."
        )
    limit = dollars(cap) if cap is not None else "no limit"
    before = dollars(current) if current is not None else "no limit"
    words = [f"Its budget goes from {before} to {limit}; {dollars(committed)} of it is used."]
    if run["waiting_for"]:
        words.append("It waits for budget now, and goes on at once.")
    if rest and cap is not None and run["spent"] + rest > cap:
        words.append(f"That will not be enough: about {dollars(run['spent'] + rest)} is needed.")
    words += deadlines(around.rates, [run])
    return _of_run("budget", run, tuple(words), expected=rest, more={"to": given["to"].strip()})


def _of_run(
    action: str,
    run: dict[str, Any],
    words: tuple[str, ...],
    *,
    count: int | None = None,
    expected: Decimal | None = None,
    undo: str = "You can take it back.",
    ask: Ask | None = None,
    more: Mapping[str, str] | None = None,
) -> Preview:
    return Preview(
        action,
        f"{VERBS[action]} {run['name']}",
        f"/runs/{run['id']}",
        words,
        {"run": str(run["id"]), **(more or {})},
        count,
        expected,
        undo,
        ask,
    )
