"""What `rate_limits.lua` does on Redis, done on values: a model that the script is held to."""

import math
from dataclasses import replace

from worker.domain.buckets import HELD, SECOND, Buckets, Lowered, in_force
from worker.domain.limits import Limits, Pace, Triple

TINY = 1e-6
"""Tokens of debt that are rounding, so that who waits for `retry_in_s` is not sent away again."""
EMPTY: Triple = (0.0, 0.0, 0.0)


def fresh(pace: Pace, now: int) -> Buckets:
    """Nothing is known (first use, or Redis was flushed): empty, and at the start of a ramp."""
    return Buckets(
        seen_us=now, levels=EMPTY, hold_us=0, ramp_us=now, ramp_s=pace.ramp_s, asked_us=now
    )


def ramped(x: float, ramp_s: float, ramp_from: float) -> float:
    """Seconds of full refill that have come in `x` seconds after a ramp began."""
    if x <= 0:
        return 0.0
    if x >= ramp_s:
        return ramp_s * (1 + ramp_from) / 2 + (x - ramp_s)
    return ramp_from * x + (1 - ramp_from) * x * x / (2 * ramp_s)


def unramped(y: float, ramp_s: float, ramp_from: float) -> float:
    """The inverse: seconds after a ramp began at which `y` seconds of full refill have come."""
    whole = ramp_s * (1 + ramp_from) / 2
    if y >= whole:
        return ramp_s + (y - whole)
    a = (1 - ramp_from) / (2 * ramp_s)
    return 2 * y / (math.sqrt(ramp_from * ramp_from + 4 * a * y) + ramp_from)


def refilled(state: Buckets, limits: Limits, pace: Pace, now: int) -> Buckets:
    """The state at `now`."""
    if now < state.seen_us:
        back = now - state.seen_us
        state = replace(
            state,
            hold_us=state.hold_us + back,
            ramp_us=state.ramp_us + back,
            asked_us=state.asked_us + back,
            told_us=state.told_us + back,
        )
        return replace(state, seen_us=now)
    start = max(state.seen_us, state.hold_us)
    came = 0.0
    if now > start:
        came = _earned(state, pace, now) - _earned(state, pace, start)
    x = (now - state.ramp_us) / SECOND
    growth = (1 - pace.ramp_from) * max(x, 0) / max(state.ramp_s, TINY)
    share = pace.ramp_from + growth if x < state.ramp_s else 1
    a, b, c = (
        min(level + rate / 60 * came, rate / 60 * pace.burst_s * share) if rate else 0.0
        for level, rate in zip(state.levels, in_force(state, limits, now).by_kind, strict=True)
    )
    return replace(state, levels=(a, b, c), seen_us=now)


def take(
    state: Buckets, limits: Limits, pace: Pace, now: int, calls: int, needs: Triple
) -> tuple[Buckets, int, float, int]:
    """The state after, calls granted, seconds until the next fits, and why (0: all granted).
    `needs` is what one call takes from each bucket."""
    state = refilled(state, limits, pace, now)
    if now - state.asked_us > pace.idle_s * SECOND and state.hold_us <= now:
        state = replace(_emptied(state), ramp_us=now, ramp_s=pace.ramp_s)
    state = replace(state, asked_us=now)
    if calls < 1:
        return state, 0, 0.0, 0
    if state.hold_us > now:
        return state, 0, (state.hold_us - now) / SECOND, HELD
    rates = in_force(state, limits, now).by_kind
    granted = calls
    for level, rate, need in zip(state.levels, rates, needs, strict=True):
        if rate and level < -TINY:
            granted = 0
        elif rate and need > TINY:
            granted = min(granted, math.floor((level + TINY) / need) + 1)
    a, b, c = (
        level - granted * need if rate else level
        for level, rate, need in zip(state.levels, rates, needs, strict=True)
    )
    state = replace(state, levels=(a, b, c))
    if granted == calls:
        return state, granted, 0.0, 0
    wait, why = 0.0, 1
    earned = _earned(state, pace, now)
    for place, (level, rate) in enumerate(zip(state.levels, rates, strict=True), 1):
        if rate and level < 0:
            until = unramped(earned - level * 60 / rate, state.ramp_s, pace.ramp_from)
            seconds = until - (now - state.ramp_us) / SECOND
            if seconds > wait:
                wait, why = seconds, place
    return state, granted, wait, why


def settle(state: Buckets | None, limits: Limits, pace: Pace, now: int, more: Triple) -> Buckets:
    """Takes `more` (or gives back, where negative, to a bucket that is known)."""
    if state is None:
        a, b, c = (
            -max(amount, 0.0) if limit else 0.0
            for amount, limit in zip(more, limits.by_kind, strict=True)
        )
        return replace(fresh(pace, now), levels=(a, b, c))
    state = refilled(state, limits, pace, now)
    a, b, c = (level - amount for level, amount in zip(state.levels, more, strict=True))
    return refilled(replace(state, levels=(a, b, c)), limits, pace, now)


def lift(state: Buckets, limits: Limits, pace: Pace, now: int) -> Buckets:
    """A hold ends now, and a ramp begins."""
    state, ramp_s = refilled(state, limits, pace, now), pace.ramp_s
    return replace(_emptied(state), hold_us=min(state.hold_us, now), ramp_us=now, ramp_s=ramp_s)


def hold(
    state: Buckets, limits: Limits, pace: Pace, now: int, seconds: float, ramp_s: float
) -> Buckets:
    """Nothing is sent for `seconds` (a longer hold stays); then a ramp of `ramp_s` begins."""
    state = refilled(state, limits, pace, now)
    until = max(state.hold_us, now + math.floor(seconds * SECOND))
    return replace(_emptied(state), hold_us=until, ramp_us=until, ramp_s=ramp_s)


def observe(
    state: Buckets,
    limits: Limits,
    pace: Pace,
    now: int,
    lowered: Lowered,
    room_s: tuple[float | None, float | None, float | None],
) -> Buckets:
    """Follows Claude's lower limits, and empties a bucket that is fuller than Claude's (`Told`)."""
    state = refilled(state, limits, pace, now)
    state = replace(state, lowered=lowered, told_us=now)
    rates = in_force(state, limits, now).by_kind
    a, b, c = (
        min(level, rate / 60 * room) if rate and room is not None else level
        for level, rate, room in zip(state.levels, rates, room_s, strict=True)
    )
    return replace(state, levels=(a, b, c))


def _earned(state: Buckets, pace: Pace, at: int) -> float:
    return ramped((at - state.ramp_us) / SECOND, state.ramp_s, pace.ramp_from)


def _emptied(state: Buckets) -> Buckets:
    a, b, c = (min(level, 0.0) for level in state.levels)
    return replace(state, levels=(a, b, c))
