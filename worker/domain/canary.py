"""Canary: a new combination of prompt, schema and model proves itself one call at a time. Pure.

A bad prompt fails nearly always, and a hard backlog fails now and then: so it is proven by five
good calls, and given up when five were bad and at most one was good, or when three times as many
were bad as good ones are needed. Trouble of Claude's decides nothing.
"""

from collections.abc import Sequence
from enum import Enum, auto

from models.vocabulary import JUDGED, AttemptOutcome, CallState
from worker.domain import wording
from worker.domain.endings import Dead
from worker.domain.hold_words import CANARY
from worker.domain.judgement import LOW_CONFIDENCE, TOO_LONG
from worker.domain.reports import AttemptReport
from worker.domain.trouble import Meaning

NEEDED = 5
"""Good calls that prove a combination; as many bad ones at first, and it is given up."""
FORGIVEN = 1
"""So many good calls do not yet save one that failed NEEDED times."""
HOPELESS = 3 * NEEDED


class CanaryVerdict(Enum):
    """What its calls say of a combination so far."""

    UNDECIDED = auto()
    PROVEN = auto()
    GIVEN_UP = auto()


def verdict(good: int, bad: int) -> CanaryVerdict:
    """Of so many good and bad calls."""
    if good >= NEEDED:
        return CanaryVerdict.PROVEN
    if (bad >= NEEDED and good <= FORGIVEN) or bad >= HOPELESS:
        return CanaryVerdict.GIVEN_UP
    return CanaryVerdict.UNDECIDED


def speaks_well(report: AttemptReport) -> bool | None:
    """Whether an attempt speaks for its prompt; None when it says nothing of it.

    An answer that doubts itself speaks for it (the ladder is made for that), and so does one that
    was classified. What a validator rejects, what nobody can read and what Claude will never take
    speaks against it.
    """
    if isinstance(report.ending, Dead):
        return False if _never_taken(report) else None
    if not any(call.state is CallState.DONE for call in report.calls):
        return None
    match report.outcome:
        case AttemptOutcome.ACCEPTED:
            return True
        case AttemptOutcome.ROUTED:
            return report.difficulty is not None
        case AttemptOutcome.REJECTED:
            return report.reasons == (LOW_CONFIDENCE,)
        case AttemptOutcome.TRUNCATED:
            return None if TOO_LONG in report.reasons else False
        case outcome:
            return False if outcome in JUDGED else None


def _never_taken(report: AttemptReport) -> bool:
    return any(call.meaning is Meaning.PERMANENT for call in report.calls)


def tried_words(good: int, bad: int) -> str:
    """`2 of 5 first calls have gone well, 1 has failed`."""
    failed = f", {bad} {'has' if bad == 1 else 'have'} failed" if bad else ""
    return f"{good} of {NEEDED} first calls have gone well{failed}"


def trial_words(queue: str, good: int, bad: int, waiting: int) -> str:
    """How a trial that holds a queue back goes and what comes of it, without a full stop."""
    return (
        f"{queue} is on trial with a new prompt, schema or model: {tried_words(good, bad)};"
        f" {wording.waiting(waiting)}, and all go on once {NEEDED} have; if they fail, Rung pauses"
        f" {queue}"
    )


def words(queue: str, good: int, bad: int, reasons: Sequence[str]) -> str:
    """Why a queue was paused, for people."""
    last = f", the last one: {', '.join(reasons)}" if reasons else ""
    return (
        f"{CANARY}{bad} of the first {good + bad} calls of a new prompt, schema or model at"
        f" {queue} failed{last}"
    )
