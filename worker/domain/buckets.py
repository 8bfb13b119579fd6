"""Three token buckets that are taken from together: their state, and what limits hold for them.

The arithmetic is that of `worker/claude/rate_limits.lua`. A property test holds the script to the
same in Python (`tests/support/bucket_model.py`).

A call goes when no bucket is in debt, and takes what it needs from all three, which may put them
into debt: so a call that needs more than a bucket can hold goes as well, and pays by waiting. In
any window of w seconds, what was taken from a bucket is at most

    limit / 60 x (w + burst_s) + what one call needs

Refill is continuous. It starts at a share of the limit and grows (`Pace`) from the moment of
`ramp_us`, and pauses until `hold_us`. Times are microseconds since 1970 by one clock, Redis's; when
that clock steps back, everything that is stored steps back with it.
"""

from dataclasses import dataclass

from worker.domain.limits import Limits, Triple

SECOND = 1_000_000
LOWERED_S = 120
"""Claude's lower limit is believed for this long after it was last heard."""
HELD = 4
"""Why fewer calls were granted than asked: 1 to 3 for a bucket, in the order of KINDS, or this."""
Lowered = tuple[int | None, int | None, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """One tier's state. A negative level is debt, in requests or tokens."""

    seen_us: int
    levels: Triple
    hold_us: int
    ramp_us: int
    ramp_s: float
    asked_us: int
    lowered: Lowered = (None, None, None)
    told_us: int = 0


def in_force(state: Buckets, limits: Limits, now: int) -> Limits:
    """The configured limits, or Claude's where those are lower and were heard lately."""
    if now - state.told_us >= LOWERED_S * SECOND:
        return limits
    return Limits(
        *(
            min(ours, told) if ours and told else ours
            for ours, told in zip(limits.by_kind, state.lowered, strict=True)
        )
    )
