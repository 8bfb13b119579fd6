"""The rate limits of every tier, shared by all workers through Redis.

Slots first, then `take`, then the claim, and what was granted is sent at once. What a call really
used is settled when it ends, what was granted and not sent is given back, a 429 holds the tier, and
Claude's headers correct us downwards.

Promises:
1. All or nothing: a call takes a request and its estimated tokens, or none of them.
2. In any window of w seconds a tier takes at most limit / 60 x (w + burst_s) and one call's need,
   however many workers there are.
3. No Redis, no grant. Nothing here raises because Redis is away; it goes on when Redis is back.
4. A Redis that forgot everything starts a tier empty, at the beginning of a ramp.

Calls block for a round trip (about 0.2 ms; `connect` bounds it to 10 s when Redis is away), so
they belong on a plain thread and not on the event loop.
"""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import redis

from worker.config.redis_address import read_redis
from worker.config.settings import Settings
from worker.domain.buckets import HELD, LOWERED_S, SECOND, Buckets, in_force
from worker.domain.limit_headers import Told, hold_s, read_headers
from worker.domain.limits import Grant, Limits, Pace, Used

log = logging.getLogger(__name__)
SCRIPT = Path(__file__).with_suffix(".lua")
AWAY_RETRY_S = 1.0
USAGE_REST_S = 1.0
"""So long after Redis has kept a screen waiting in vain, screens do not ask it."""
TOLD_EVERY_S = 0.1
"""At most so often does a process tell Redis that Claude's bucket is low."""
SLOT_S, WINDOW_S = 10, 60
"""As in the script: what was used is kept in slots of 10 s; screens show the last minute."""
REASONS = {
    0: None,
    1: "requests a minute are used up",
    2: "input tokens a minute are used up",
    3: "output tokens a minute are used up",
    HELD: "Claude asked for a pause",
}


def key_of(tier: str) -> str:
    """The tier's one key; braces keep it in one slot of a cluster."""
    return f"rung:limit:{{{tier}}}"


def buckets_of(settings: Settings) -> dict[str, str]:
    """The bucket of each tier: the first tier that has its model."""
    first: dict[str, str] = {}
    return {name: first.setdefault(tier.model, name) for name, tier in settings.tiers.items()}


def limits_of(settings: Settings) -> dict[str, Limits]:
    """The limits of each bucket: of each kind the tightest that one of its tiers has."""
    tightest: dict[str, list[int | None]] = {}
    for name, bucket in buckets_of(settings).items():
        tier = settings.tiers[name]
        known = tightest.setdefault(bucket, [None, None, None])
        for kind, limit in enumerate((tier.rpm, tier.itpm, tier.otpm)):
            known[kind] = min((n for n in (known[kind], limit) if n is not None), default=None)
    return {bucket: Limits(*kinds) for bucket, kinds in tightest.items()}


def connect(url: str, timeout_s: float = 5.0) -> redis.Redis:
    """A client that answers or fails within `timeout_s` to connect and as much to reply.

    It repeats nothing by itself: a repeated settlement would count twice.
    """
    client: redis.Redis = read_redis(url).client(timeout_s)
    return client


class Limiter:
    """The limits of the tiers that are configured. Threads may share one.

    `clock` gives Unix seconds, for tests; without it Redis's own clock decides.
    """

    def __init__(
        self,
        client: redis.Redis,
        tiers: Mapping[str, Limits],
        pace: Pace | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._client, self._tiers, self._clock = client, dict(tiers), clock
        self._pace = pace or Pace()
        self._script = client.register_script(SCRIPT.read_text("utf-8"))
        self._reported: dict[str, tuple[float, tuple[int | None, ...]]] = {}
        self._away, self._not_before = False, 0.0

    def take(self, tier: str, *, calls: int, input_tokens: float, output_tokens: float) -> Grant:
        """Grants as many of `calls` as fit now. Tokens are estimates for one call."""
        reply = self._run("take", tier, calls, max(input_tokens, 0), max(output_tokens, 0))
        if isinstance(reply, str):
            return Grant(calls=0, retry_in_s=AWAY_RETRY_S, reason=reply)
        granted, wait, why = reply
        return Grant(calls=int(granted), retry_in_s=float(wait), reason=REASONS[int(why)])

    def settle(
        self, tier: str, *, calls: int = 0, input_tokens: float, output_tokens: float
    ) -> bool:
        """Corrects by used minus estimated, summed over any number of ended calls; `calls` counts
        those sent without a grant. Buckets may go into debt. False when Redis is away."""
        if not (calls or input_tokens or output_tokens):
            return True
        return not isinstance(self._run("settle", tier, calls, input_tokens, output_tokens), str)

    def hold(
        self, tier: str, retry_after: str | float | None = None, *, slowly: bool = False
    ) -> float:
        """After a 429: nobody sends to this tier for as long as `retry_after` says (the header, or
        seconds, or None), then a ramp; a long one if `slowly` (`ramp_limit_exceeded`). Returns the
        seconds; those of a Redis that is away are lost, and nothing is sent either."""
        seconds = hold_s(retry_after, self._unix())
        ramp_s = self._pace.slow_ramp_s if slowly else self._pace.ramp_s
        self._run("hold", tier, seconds, ramp_s)
        return seconds

    def lift(self, tier: str) -> bool:
        """Ends a hold: sending begins again, at the beginning of a ramp. False when Redis is
        away."""
        return not isinstance(self._run("lift", tier), str)

    def observe(self, tier: str, headers: Mapping[str, str]) -> bool:
        """Follows `anthropic-ratelimit-*`, downwards only. Cheap: Redis hears of it only when
        Claude's limit is lower than ours, or its bucket is low. True when Redis was told."""
        now = self._unix()
        told = read_headers(headers, now)
        lowered = told.lower_than(self._tiers[tier])
        room = told.room_s(self._pace.burst_s)
        if not self._worth_telling(tier, now, told, lowered, room):
            return False
        self._reported[tier] = (now, lowered)
        blank = ["" if figure is None else figure for figure in (*lowered, *room)]
        return not isinstance(self._run("observe", tier, *blank), str)

    def _worth_telling(
        self,
        tier: str,
        now: float,
        told: Told,
        lowered: tuple[int | None, ...],
        room: tuple[float | None, ...],
    ) -> bool:
        """Silence about limits says nothing; otherwise news, a low bucket, or a reminder."""
        if all(limit is None for limit in told.limits):
            return False
        at, before = self._reported.get(tier, (-LOWERED_S, (None, None, None)))
        age = abs(now - at)
        low = any(figure is not None for figure in room) and age >= TOLD_EVERY_S
        remind = any(lowered) and age >= LOWERED_S / 4
        return lowered != before or low or remind

    def usage(self, tier: str) -> Used | None:
        """What the tier used in the last minute, for screens. None when Redis is away: who has
        waited for one that hangs does so once, and not for each tier."""
        if time.monotonic() < self._not_before:
            return None
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                pipeline.time()
                pipeline.hgetall(key_of(tier))
                (seconds, micros), raw = pipeline.execute()
        except (redis.RedisError, OSError) as error:
            if isinstance(error, redis.TimeoutError | TimeoutError):
                self._not_before = time.monotonic() + USAGE_REST_S
            return None
        now = seconds * SECOND + micros if self._clock is None else self._now()
        return _used({_text(k): _text(v) for k, v in raw.items()}, self._tiers[tier], now)

    def _now(self) -> int:
        return round(self._unix() * SECOND)

    def _unix(self) -> float:
        return time.time() if self._clock is None else self._clock()

    def _run(self, operation: str, tier: str, *arguments: float | str) -> Any:
        """The script's reply, or a sentence when Redis gave none."""
        limits = ["" if limit is None else limit for limit in self._tiers[tier].by_kind]
        now = "" if self._clock is None else self._now()
        pace = self._pace
        ways = (pace.burst_s, pace.ramp_from, pace.ramp_s, pace.idle_s)
        try:
            reply = self._script(
                keys=[key_of(tier)], args=[operation, now, *limits, *ways, *arguments]
            )
        except (redis.RedisError, OSError) as error:
            if not self._away:
                log.warning("rate limits cannot be kept, nothing is sent", extra={"tier": tier})
            self._away = True
            return f"Redis does not keep the rate limits ({type(error).__name__})"
        self._away = False
        return reply


def _used(stored: Mapping[str, str], limits: Limits, now: int) -> Used:
    """Whole slots count whole; the oldest counts for the part of it that the minute still holds."""
    sums, newest = [0.0, 0.0, 0.0], now / SECOND / SLOT_S
    for name, value in stored.items():
        if name.startswith("used"):
            number, *amounts = (float(part) for part in value.split())
            share = min(max(number + 1 - (newest - WINDOW_S / SLOT_S), 0.0), 1.0)
            sums = [total + share * more for total, more in zip(sums, amounts, strict=True)]
    state = state_of(stored)
    held = max(state.hold_us - now, 0) / SECOND if state else 0.0
    force = in_force(state, limits, now) if state else limits
    return Used(
        calls=max(sums[0], 0),
        input_tokens=max(sums[1], 0),
        output_tokens=max(sums[2], 0),
        limits=force,
        held_s=held,
    )


def state_of(stored: Mapping[str, str]) -> Buckets | None:
    """A tier's hash as a value; None when there is none."""
    if "seen" not in stored:
        return None
    lowered = [int(stored[f"told_{kind}"]) or None for kind in ("calls", "input", "output")]
    return Buckets(
        seen_us=int(stored["seen"]),
        levels=(float(stored["calls"]), float(stored["input"]), float(stored["output"])),
        hold_us=int(stored["hold"]),
        ramp_us=int(stored["ramp"]),
        ramp_s=float(stored["ramp_s"]),
        asked_us=int(stored["asked"]),
        lowered=(lowered[0], lowered[1], lowered[2]),
        told_us=int(stored["told"]),
    )


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
