"""What a budget would do to a run, said before it is set."""

from decimal import ROUND_UP, Decimal

from worker.domain.budget_words import enough_words
from worker.domain.wording import dollars, listed, plural
from worker.runs.preview_shapes import RUNS_NAMED, FigureAsked, Look, Preview
from worker.store.actions.caps import too_small
from worker.store.actions.changes import CANCEL
from worker.store.actions.foresight import foresee
from worker.store.reading.run_standing import RunStanding

CENT = Decimal("0.01")


def budget_preview(look: Look) -> Preview:
    """Of a new cap; asks for one where none is given."""
    runs, unknown = look.runs()
    what = None if look.run is not None else "runs with jobs"
    used = max((run.used for run in runs), default=Decimal(0))
    wanted = _wanted(look)
    if look.order.to is None:
        return look.shown(what, ask=_ask_budget(look, used, wanted))
    cap = require_enough(look, runs)
    if unknown:
        return look.shown(
            what, words=[_unknown(unknown)], count=len(runs), counts="runs", at_least=True
        )
    before = [run.cap for run in runs]
    now = [dollars(one) if one is not None else "no limit" for one in before]
    limit = dollars(cap) if cap is not None else "no limit"
    named = listed([run.name for run in runs[:RUNS_NAMED]])
    named += f" and {len(runs) - RUNS_NAMED} more" if len(runs) > RUNS_NAMED else ""
    if not runs:
        words = ["No run is meant."]
    elif look.run is not None:
        held = f"{dollars(used)} of it is spent or reserved"
        words = [f"Its budget goes from {now[0]} to {limit}; {held}."]
    else:
        words = [f"{named}: the budget of each becomes {limit}."]
    if any(run.waiting_for for run in runs):
        words.append("It waits for budget now, and goes on at once.")
    if wanted is not None and cap is not None and wanted > cap:
        words.append(f"That may not be enough for all of it: about {dollars(wanted)} is.")
    words += look.deadlines(runs[:RUNS_NAMED])
    undo = "It can be changed again." if look.run is not None else "Each can be changed again."
    return look.shown(what, words=words, count=len(runs), counts="runs", before=before, undo=undo)


def _unknown(runs: int) -> str:
    return (
        f"In {plural(runs, 'run')} with open messages none of the newest is meant. All of them are"
        " looked at before anything is done."
    )


def _wanted(look: Look) -> Decimal | None:
    """A budget that is enough for all of a run: as every screen says it, or before its own calls
    tell, by what others have cost."""
    run = look.run
    if run is None or run.finished_at is not None:
        return None
    if run.whole and (run.ended or run.raises):
        return run.enough
    rest = foresee(look.connection, CANCEL, look.order.chosen).expected
    return run.spent + rest.usd if rest is not None else None


def _ask_budget(look: Look, used: Decimal, wanted: Decimal | None) -> FigureAsked:
    if look.run is None:
        held = f"{dollars(used)} of one is spent or reserved"
        hint = f"Dollars in all, for each run; empty for no limit. {held}."
        return FigureAsked("New budget of each run", "", hint)
    hint = f"Dollars in all; empty for no limit. {dollars(used)} is spent or reserved."
    if wanted is not None:
        said = enough_words(wanted, whole=True, likely=look.run.likely)
        hint += f" {said[0].upper()}{said[1:]}."
    cap = wanted if wanted is not None and look.run.raises else look.run.cap
    return FigureAsked("New budget", f"{cap.quantize(CENT, ROUND_UP)}" if cap else "", hint)


def require_enough(look: Look, runs: list[RunStanding]) -> Decimal | None:
    """The cap that is wanted. Raises UsageError when one of the runs has used more."""
    cap = look.order.cap
    for run in runs:
        used = run.used
        if cap is not None and cap < used:
            raise too_small(run.name, used, cap)
    return cap
