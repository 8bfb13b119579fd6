"""What it would do to pause a run, to let it go on, or to take it out of the batch lane."""

from models.vocabulary import JobState
from worker.domain.wording import plural
from worker.runs.budget_previews import require_enough
from worker.runs.preview_shapes import Look, Preview
from worker.store.actions.changes import CANCEL
from worker.store.actions.foresight import expected_cost, foresee


def pause(look: Look) -> Preview:
    """Nothing of the run is begun any more."""
    (run,), _ = look.runs()
    words = [
        f"{plural(run.open, 'message')} of it are still open; none is begun any more.",
        "What is in flight ends and is recorded.",
    ]
    return look.shown(words=words + look.deadlines([run]), count=run.open)


def resume(look: Look) -> Preview:
    """The run goes on, perhaps with another budget."""
    (run,), _ = look.runs()
    require_enough(look, [run])
    words = [f"{plural(run.open, 'open message')} will go on.", *look.deadlines([run])]
    if run.money_words and look.order.cap is None:
        helps = f" Raise its budget: {run.go_on_with}" if run.raises else ""
        words.append(f"It is {run.money_words}.{helps}")
    expected = foresee(look.connection, CANCEL, look.order.chosen).expected
    return look.shown(words=words, count=run.open, expected=expected)


def realtime(look: Look) -> Preview:
    """The rest of the run leaves the batch lane."""
    (run,), _ = look.runs()
    sent = run.jobs(JobState.SUBMITTED)
    words = [
        f"{plural(run.open, 'open message')} will be answered one by one, at full price, and so is"
        " whatever climbs: batches cost half as much.",
    ]
    if sent:
        words.append(
            f"{plural(sent, 'message')} of them {'is' if sent == 1 else 'are'} in batches: what"
            " Claude has answered there until then is paid for and counts, and the rest is asked"
            " anew."
        )
    found = foresee(look.connection, CANCEL, look.order.chosen)
    policies = [run.policy]
    return look.shown(
        words=words + look.deadlines([run]),
        count=found.jobs,
        expected=expected_cost(look.connection, found.jobs, policies),
        undo="There is no way back into batches.",
    )
