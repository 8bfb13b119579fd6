"""Canary: a new combination of prompt, schema and model proves itself one call at a time. Pure.

A bad prompt fails nearly always, and a hard backlog fails now and then: so it is proven by five
good calls, and given up when five were bad and at most one was good, or when three times as many
were bad as good ones are needed. Trouble of Claude's decides nothing.
"""

from collections.abc import Sequence
from enum import Enum, auto

from models.vocabulary import JUDGED, AttemptOutcome, CallState
from worker.domain.endings import Dead
from worker.domain.hold_words import CANARY
from worker.domain.judgement import LOW_CONFIDENCE, TOO_LONG
from worker.domain.reports import AttemptReport
from worker.domain.trials import NEEDED
from worker.domain.trouble import Meaning

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


def words(queue: str, good: int, bad: int, reasons: Sequence[str]) -> str:
    """Why a queue was paused, for people."""
    last = f", the last one: {', '.join(reasons)}" if reasons else ""
    return (
        f"{CANARY}{bad} of the first {good + bad} calls of a new prompt, schema or model at"
        f" {queue} failed{last}"
    )
