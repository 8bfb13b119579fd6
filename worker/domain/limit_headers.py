"""What the headers of a response say about rate limits."""

import datetime as dt
import email.utils
import math
from collections.abc import Mapping
from dataclasses import dataclass

from worker.domain.limits import KINDS, LOW_SHARE, ROUNDING, Limits

STALE_AFTER_S = 1.0
"""A bucket whose `reset` is this long past has filled up since; `reset` is in whole seconds."""
DEFAULT_HOLD_S, MAX_HOLD_S = 10.0, 900.0
"""For a 429 whose `retry-after` is absent or unreadable, and the longest that one is believed:
whoever asks for more than a quarter of an hour is asked again sooner, and people are told."""
MAX_ASKED_S = 7 * 86_400.0
"""What asks for more than a week is beyond belief: as good as unreadable."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one response's headers say, by kind: the limit, and the share of it that is left.
    None where the headers say nothing that can be read, or nothing that is still true."""

    limits: tuple[int | None, int | None, int | None]
    left: tuple[float | None, float | None, float | None]

    def lower_than(self, limits: Limits) -> tuple[int | None, int | None, int | None]:
        """Claude's limits where they are below ours by more than rounding."""
        first, second, third = (
            told if ours and told and told + rounding < ours else None
            for told, ours, rounding in zip(self.limits, limits.by_kind, ROUNDING, strict=True)
        )
        return first, second, third

    def room_s(self, burst_s: float) -> tuple[float | None, float | None, float | None]:
        """The most that a bucket may hold, in seconds of refill, where Claude's is low: from all
        of `burst_s` at LOW_SHARE down to a debt of as much when nothing is left."""
        first, second, third = (
            None if left is None or left >= LOW_SHARE else burst_s * (2 * left / LOW_SHARE - 1)
            for left in self.left
        )
        return first, second, third


def read_headers(headers: Mapping[str, str], now: float) -> Told:
    """What `anthropic-ratelimit-*` say. `now` is Unix time. Garbage counts as absent."""
    limits, left = list[int | None](), list[float | None]()
    for kind, rounding in zip(KINDS, ROUNDING, strict=True):
        limit = _whole(headers.get(f"anthropic-ratelimit-{kind}-limit"))
        remaining = _whole(headers.get(f"anthropic-ratelimit-{kind}-remaining"))
        reset = _unix(headers.get(f"anthropic-ratelimit-{kind}-reset"))
        stale = reset is not None and reset + STALE_AFTER_S <= now
        limits.append(limit or None)
        known = limit and remaining is not None and not stale
        left.append(min((remaining + rounding) / limit, 1.0) if known else None)  # type: ignore[operator]
    return Told((limits[0], limits[1], limits[2]), (left[0], left[1], left[2]))


def hold_s(retry_after: str | float | None, now: float) -> float:
    """Seconds to send nothing after a 429, 0 to MAX_HOLD_S. `retry_after` is the header as it
    came, or seconds already read from it; `now` is Unix time."""
    seconds = retry_after_s(retry_after, now)
    return DEFAULT_HOLD_S if seconds is None else min(seconds, MAX_HOLD_S)


def retry_after_s(value: str | float | None, now: float) -> float | None:
    """Seconds that `retry-after` asks for, 0 to MAX_ASKED_S: it may be a number or an HTTP date.
    None when absent, unreadable or beyond belief. `now` is Unix time."""
    seconds = value if isinstance(value, float | int) else _seconds(value or "", now)
    if seconds is None or math.isnan(seconds) or seconds > MAX_ASKED_S:
        return None
    return max(float(seconds), 0.0)


def _seconds(value: str, now: float) -> float | None:
    try:
        return float(value)
    except ValueError:
        pass
    try:
        parsed = email.utils.parsedate_tz(value)
        return None if parsed is None else email.utils.mktime_tz(parsed) - now
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def _whole(value: str | None) -> int | None:
    if value is None or not (value.isascii() and value.isdigit()) or len(value) > 15:
        return None
    return int(value)


def _unix(value: str | None) -> float | None:
    try:
        moment = dt.datetime.fromisoformat(value or "")
        return moment.timestamp() if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
