"""What the ending of an attempt changes in its job, as columns: pure, for `record` to write.

A column that is missing stays as it is. `attempts`, `failures`, `deferrals`, `escalations` and
`cost` are added to; `delay_s` makes the job ready again after so many seconds.
"""

from typing import Any

from models.vocabulary import JobState, Lane, RunLane
from worker.domain.endings import (
    Accepted,
    Again,
    ClimbTo,
    Dead,
    Deferred,
    Ending,
    Failed,
    Lost,
    RoutedTo,
    ToReview,
)
from worker.domain.trouble import MAX_FAILURES

ADDED = ("cost", "attempts", "failures", "deferrals", "escalations")


def change_of(ending: Ending, *, failures: int, counted: bool) -> dict[str, Any]:
    """Columns that `ending` changes. `failures` are those before it; `counted` says that rescue
    has already counted this attempt."""
    change = _columns(ending)
    if isinstance(ending, Lost) and failures + 1 >= MAX_FAILURES:
        reason = f"lost or failed {MAX_FAILURES} times, the last time because its worker died"
        change |= {"state": JobState.DEAD, "reason": reason}
    used_up = not isinstance(ending, Deferred) and not counted
    return change | {"attempts": 1 if used_up else 0}


def lane_change(ending: Ending, run_lane: str) -> dict[str, Any]:
    """In a mixed run, what goes to a rung above the cheapest goes in batches, whether it climbed
    there or starts there."""
    above = isinstance(ending, ClimbTo) or (isinstance(ending, RoutedTo) and ending.rung > 0)
    return {"lane": Lane.BATCH} if run_lane == RunLane.MIXED and above else {}


def _columns(ending: Ending) -> dict[str, Any]:
    match ending:
        case RoutedTo(tier, rung, difficulty):
            change = {"state": JobState.ROUTED, "tier": tier, "rung": rung, "delay_s": 0}
            change["difficulty"] = difficulty
        case Accepted():
            change = {"state": JobState.ANSWERED}
        case ClimbTo(tier=tier, rung=rung):
            change = {"tier": tier, "rung": rung, "delay_s": 0, "escalations": 1}
        case Again():
            change = {"delay_s": 0}
        case ToReview(reason):
            change = {"state": JobState.REVIEW, "reason": reason, "escalations": 1}
        case Deferred(delay_s):
            change = {"delay_s": delay_s, "deferrals": 1}
        case Failed(delay_s):
            change = {"delay_s": delay_s, "failures": 1}
        case Lost():
            change = {"delay_s": 0, "failures": 1}
        case Dead(reason):
            change = {"state": JobState.DEAD, "reason": reason, "failures": 1}
    return change


def merged(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One change a job. Two attempts of one job in one group are rare (a late answer beside a
    newer one), and `UPDATE … FROM` would silently apply only one of them."""
    by_id: dict[int, dict[str, Any]] = {}
    for change in changes:
        known = by_id.setdefault(change["id"], {"id": change["id"], "unlease": False})
        ended = known.get("state") is not None
        for column, value in change.items():
            if column in ADDED:
                known[column] = known.get(column, 0) + value
            elif column == "unlease":
                known[column] = known[column] or value
            elif not ended:
                known[column] = value
    return list(by_id.values())
