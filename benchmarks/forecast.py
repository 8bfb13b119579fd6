"""How far off the forecast of a run's end is, on recorded runs.

Each recording (`benchmarks/recorded_runs.py`) is played back: at 10, 50 and 90 % of the messages
the forecast is made from what was known at that moment, by the function that every screen uses, and
held against when the run was done. The error is a share of the whole run's time; while a queue is
paused there is no forecast, which is right, and the time of a pause that had not begun is left out.
"""

from collections.abc import Sequence
from itertools import pairwise

from benchmarks.figures import Figure, Finding
from benchmarks.recorded_runs import SHAPES, Moment, RecordedRun, load
from worker.domain.completion import paces, seconds_left
from worker.domain.wording import percent
from worker.store.queue.paces import ENDED, KEPT_S
from worker.store.reading.outlook import MEASURED_AFTER

TARGET = 0.25
PLACES = (0.1, 0.5, 0.9)


def run(*, quick: bool = False) -> Finding:
    """The worst error at each place; each recording's own beside it."""
    del quick  # Playing recordings back takes no time.
    errors = {name: errors_of(load(name)) for name in SHAPES}
    worst = tuple(
        Figure(
            f"forecast at {percent(place)}: worst error ÷ the run's time",
            max(abs(found[n]) for found in errors.values()),
            TARGET,
            at_most=True,
        )
        for n, place in enumerate(PLACES)
    )
    facts = {
        f"{name} at {percent(place)}": percent(found[n], sign="+")
        for name, found in errors.items()
        for n, place in enumerate(PLACES)
    }
    return Finding("forecast", worst, facts)


def errors_of(recorded: RecordedRun) -> list[float]:
    """At each of `PLACES`, the error as a share of the whole run's time; positive is too late."""
    return [_error(recorded, place) for place in PLACES]


def _error(recorded: RecordedRun, place: float) -> float:
    """Of the first moment from this place on that has a forecast."""
    for number, moment in enumerate(recorded.moments):
        ended = moment.sample.done.get(ENDED, 0) / recorded.messages
        early = moment.left.lane != "batch" and moment.at < MEASURED_AFTER.total_seconds()
        if ended < place or moment.held or early:
            continue
        expected = forecast(recorded.moments[: number + 1])
        if expected is not None:
            # A pause that is yet to come is nobody's to foretell.
            done_at = recorded.done_at - _paused_after(recorded, number)
            return (moment.at + expected - done_at) / done_at
    raise ValueError(f"{recorded.name} has no forecast from {percent(place)} on")


def _paused_after(recorded: RecordedRun, number: int) -> float:
    """Seconds for which a queue was paused later than the moment of this number."""
    later = recorded.moments[number:]
    return sum(after.at - before.at for before, after in pairwise(later) if before.held)


def forecast(moments: Sequence[Moment]) -> float | None:
    """Seconds left as of the last of these moments."""
    newest = moments[-1]
    known = [moment.sample for moment in moments if newest.at - moment.at <= KEPT_S]
    return seconds_left(newest.left, paces(known), ENDED)
