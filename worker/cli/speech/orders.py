"""What the commands that change something share: a preview, a question, the deed, a sentence."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Engine

from worker.cli.speech.output import print_json, talk
from worker.cli.speech.person import actor, confirm
from worker.config.settings import Settings
from worker.domain.wording import dollars, plural
from worker.runs.actions import perform
from worker.runs.orders import Order
from worker.runs.preview_shapes import Preview
from worker.runs.previews import preview
from worker.store.audit import Done

SPENDS = {"retry": "would cost about", "cancel": "would save up to about"}
ASKED = {
    "cancel": "Cancel {jobs} of {name}?",
    "retry": "Retry {jobs} of {name}? Each may cost money.",
}
DONE = {
    "cancel": "cancelled",
    "retry": "retried",
    "pause": "paused",
    "resume": "resumed",
    "overrule": "resumed, and its new prompt is trusted",
}


def look(engine: Engine, settings: Settings, order: Order) -> Preview:
    """What the order would do. Where that is a matter of counting many, what is known at once is
    said at once."""
    with engine.connect() as connection:
        if order.chosen.node is not None:
            first = preview(connection, settings, order, quick=True)
            if not first.at_least:
                return first
            talk(f"At least {first.count:,} {first.counts}. {' '.join(first.words)}", dim=True)
        return preview(connection, settings, order)


def carry_out(
    engine: Engine, settings: Settings, order: Order, *, dry_run: bool, as_json: bool, yes: bool
) -> None:
    """Says what the order would do, or does it, once the person agrees where that is asked."""
    found = look(engine, settings, order)
    if found.beware:
        talk(found.beware, fg="yellow")
    if dry_run:
        _say_preview(order, found, as_json)
        return
    if order.action in ASKED and (found.count or order.action == "cancel"):
        jobs = plural(found.count, "open job" if order.action == "cancel" else "job")
        confirm(ASKED[order.action].format(jobs=jobs, name=name_of(order)), yes)
    counted = found.count if order.chosen.node is not None else None
    say_done(order, found, perform(engine, actor(), replace(order, counted=counted)), as_json)


def name_of(order: Order) -> str:
    """What it is done to."""
    return order.queue or order.chosen.name


def say_done(order: Order, found: Preview, done: Done, as_json: bool) -> None:
    """What was done."""
    if as_json:
        print_json(_document(order, found, done.affected, dry_run=False))
    elif order.action in ("cancel", "retry"):
        were = "was" if done.affected == 1 else "were"
        talk(f"{plural(done.affected, 'job')} of {name_of(order)} {were} {DONE[order.action]}.")
    elif order.action in DONE:
        talk(f"{name_of(order)} was {DONE[order.action]}.")
    else:
        have = "has" if order.chosen.is_run else "have"
        talk(f"{_subject(order, done.affected)} now {have} {_figure(order)}.")


def _say_preview(order: Order, found: Preview, as_json: bool) -> None:
    if as_json:
        print_json(_document(order, found, found.count, dry_run=True))
        return
    name = name_of(order)
    if order.action in ("pause", "resume", "overrule"):
        effect = "would wait" if order.action == "pause" else "would go on"
        talk(f"{found.count} messages of {name} {effect}.")
    elif order.action in DONE:
        talk(f"{plural(found.count, 'job')} of {name} would be {DONE[order.action]}.")
    else:
        talk(f"{_subject(order, found.count)} would have {_figure(order)}.")
    if order.action in SPENDS and found.count:
        _say_expected(order.action, found)


def _say_expected(action: str, found: Preview) -> None:
    expected = found.expected
    if expected is None:
        talk("Nothing is recorded yet to say what that costs.")
        return
    between = f"{dollars(expected.low)} to {dollars(expected.high)}"
    talk(f"That {SPENDS[action]} {dollars(expected.usd)}, {between} ({expected.basis}).")


def _subject(order: Order, count: int) -> str:
    if order.chosen.is_run:
        return order.chosen.name
    return f"{plural(count, 'job' if order.action == 'priority' else 'run')} of {name_of(order)}"


def _figure(order: Order) -> str:
    if order.action == "priority":
        return f"the priority {order.priority}"
    return "no limit" if order.cap is None else f"a budget of {dollars(order.cap)}"


def _document(order: Order, found: Preview, affected: int, *, dry_run: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "action": order.action,
        "target": name_of(order),
        "affected": affected,
        "dry_run": dry_run,
    }
    if order.action in SPENDS and dry_run:
        document["expected"] = found.expected.as_document() if found.expected is not None else None
    if order.action in ("priority", "budget"):
        to = order.priority if order.action == "priority" else order.cap
        document |= {"from": found.before, "to": to}
    return document
