"""What a pause says: who, since when, why, and how many wait. One sentence for every surface."""

import datetime as dt

from worker.domain import wording
from worker.domain.wording import clock, span

BY_HAND = {"pause": "paused by hand", "drain": "drained by hand"}
"""The reasons of pauses for which nobody gave one."""
NO_BATCHES = "Claude's door has no batches"
"""The reason of the pause of a run that wants batches where there are none."""
NO_REDIS = (
    "Redis does not answer: workers send nothing without it. Once it runs again, they go on by"
    " themselves, and nothing is lost; rung doctor says where it should be."
)
ITSELF = "rung"
LONG_S = 60.0
"""A shorter hold is over before a clock shows another minute."""
CANARY = "canary: "
"""How the reason of a pause begins that a canary made."""


def pause_words(
    name: str,
    *,
    by: str | None,
    since: dt.datetime | None,
    reason: str | None,
    now: dt.datetime,
    waiting: int = 0,
) -> str:
    """`sonnet is paused by root, since 07:45: 672 messages wait`, without a full stop."""
    wait = wording.waiting(waiting) if waiting else ""
    return f"{name} is {paused_words(by=by, since=since, reason=reason, now=now, left=wait)}"


def paused_words(
    *,
    by: str | None,
    since: dt.datetime | None,
    reason: str | None,
    now: dt.datetime,
    left: str = "",
) -> str:
    """`paused by root, since 07:45: lunch; 672 messages wait`: of a queue, a run, a webhook.
    `left` says what stands still because of it."""
    who = f" by {_who(by, reason)}" if by else ""
    when = f", since {clock(since, now)}" if since is not None else ""
    given = (reason or "").removeprefix(CANARY) if reason not in BY_HAND.values() else ""
    said = "; ".join(part for part in (given, left) if part)
    return f"paused{who}{when}" + (f": {said}" if said else "")


def _who(by: str, reason: str | None) -> str:
    if by != ITSELF:
        return by
    return "Rung’s canary" if is_canary(reason) else "Rung itself"


def held_words(
    name: str,
    *,
    since: dt.datetime | None,
    until: dt.datetime,
    reason: str | None,
    now: dt.datetime,
    waiting: int = 0,
) -> str:
    """`sonnet is held since 16:48, until 17:03: Claude asked for …; 32 messages wait`, without a
    full stop."""
    left = (until - now).total_seconds()
    when = f" since {clock(since, now)}," if since is not None and left >= LONG_S else ""
    end = f"until {clock(until, now)}" if left >= LONG_S else f"for {span(left)}"
    wait = wording.waiting(waiting) if waiting else ""
    said = "; ".join(part for part in (reason, wait) if part)
    return f"{name} is held{when} {end}" + (f": {said}" if said else "")


def breaker_words(
    name: str,
    *,
    state: str,
    since: dt.datetime | None,
    reason: str | None,
    now: dt.datetime,
    waiting: int = 0,
    again_s: float | None = None,
) -> str:
    """`haiku is left alone since 13:00 (its breaker is open), because overloaded; 5 messages wait;
    it tries again by itself in 30 s`, without a full stop."""
    why = wording.reason(reason) or "too many calls in a row failed"
    what = "is left alone" if state == "open" else "is tried one call at a time"
    said = [f"{name} {what}{since_words(since, now)} (its breaker is {wording.reason(state)})"]
    said[0] += f", because {why}"
    said += [wording.waiting(waiting)] if waiting else []
    said += [f"it tries again by itself in {span(again_s)}"] if again_s else []
    return "; ".join(said)


def since_words(since: dt.datetime | None, now: dt.datetime) -> str:
    """` since 16:48`, of what is known."""
    return f" since {clock(since, now)}" if since is not None else ""


def unmanned_words(
    *, left: int, in_flight: int, since: dt.datetime | None, now: dt.datetime
) -> str:
    """`No worker is running since 16:48, and 61 messages wait, and 75 more were in flight`."""
    said = [f"No worker is running{since_words(since, now)}"]
    said += [wording.waiting(left)] if left else []
    more, were = " more" if left else "", "was" if in_flight == 1 else "were"
    said += [f"{in_flight:,}{more} {were} in flight"] if in_flight else []
    return ", and ".join(said)


def is_canary(reason: str | None) -> bool:
    """Whether a canary made this pause."""
    return bool(reason and reason.startswith(CANARY))
