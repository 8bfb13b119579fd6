"""Batch or realtime: how long a run with a deadline can still afford to wait for half price. Pure.

The estimate is rough on purpose and leans to the late side: a run that moves too early pays full
price for a few jobs, one that moves too late misses its deadline.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.vocabulary import ROUTING, RunLane

CALL_S = 10.0
"""What a call takes, generously: Claude's answers take 2 to 8 seconds."""
CLIMBS = 0.3
"""Assumed share of a rung's answers that climb, until the run has shown its own."""
TELLING_ANSWERS = 50
"""So many answers of a rung make its own share of climbs believed."""
SAFETY = 1.5
"""Other runs want the same tiers, and estimates err."""
LIMIT_USED = 0.9


class Move(StrEnum):
    """What becomes of a run's jobs in the batch lane."""

    STAY = "stay"
    UNSENT = "unsent"
    """What is not at Claude yet would come back too late from a batch."""
    ALL = "all"
    """What is at Claude is cancelled there as well."""


@dataclass(frozen=True, slots=True)
class LanePace:
    """Calls a second that one tier can do in the realtime lane. None where nothing bounds it."""

    in_flight: int
    """Over all live workers."""
    rpm: int | None = None

    @property
    def per_s(self) -> float:
        """0 when no worker consumes the tier."""
        by_workers = self.in_flight / CALL_S
        return by_workers if self.rpm is None else min(by_workers, LIMIT_USED * self.rpm / 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What a run still has to do. `climbed` and `answered` are of this run so far, by tier."""

    ladder: Sequence[str]
    routing_tier: str
    unrouted: int
    at_tier: Mapping[str, int]
    answered: Mapping[str, int]
    climbed: Mapping[str, int]


def lane_of(named: str | None, deadline: dt.datetime | None) -> RunLane:
    """The lane that was named. A run with a deadline otherwise starts at half price, and is taken
    out of the batch lane before it would be late."""
    if named is not None:
        return RunLane(named)
    return RunLane.BATCH if deadline is not None else RunLane.REALTIME


def realtime_s(rest: Rest, paces: Mapping[str, LanePace]) -> float:
    """Seconds until `rest` would be done in the realtime lane, all tiers working side by side.

    `paces` holds each tier, and `routing`. Unclassified jobs are taken to start at the cheapest
    rung. Infinite when work waits for a queue that nobody consumes.
    """
    needed = _takes(rest.unrouted, paces.get(ROUTING))
    waves = 1 if rest.unrouted else 0
    arriving = float(rest.unrouted)
    for tier in rest.ladder:
        calls = arriving + rest.at_tier.get(tier, 0)
        needed = max(needed, _takes(calls, paces.get(tier)))
        waves += calls >= 1
        arriving = calls * _climb_share(rest, tier)
    return SAFETY * needed + waves * CALL_S


def move(left_s: float, realtime: float, *, turnaround_s: float, margin_s: float) -> Move:
    """`left_s` is until the deadline, `realtime` what the realtime lane needs for the rest,
    `turnaround_s` what a batch takes; `margin_s` is kept free for cancelling and stragglers."""
    slack = left_s - realtime - margin_s
    if slack <= 0:
        return Move.ALL
    return Move.UNSENT if slack <= turnaround_s else Move.STAY


def _takes(calls: float, pace: LanePace | None) -> float:
    if calls < 1:
        return 0.0
    return calls / pace.per_s if pace is not None and pace.per_s > 0 else float("inf")


def _climb_share(rest: Rest, tier: str) -> float:
    answers = rest.answered.get(tier, 0)
    if answers < TELLING_ANSWERS:
        return CLIMBS
    return min(rest.climbed.get(tier, 0) / answers, 1.0)
