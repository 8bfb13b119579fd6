"""Breaker: when the trouble of a queue says that sending more is useless. Pure.

```
closed ──(many in a row, or half of a window, in trouble)──> open ──(its time is over)──> half-open
  ▲                                                           ▲                              │
  └──────────────(enough single probes went well)─────────────┼──────────────────────────────┤
                                                              └────(a probe met trouble)─────┘
```

Only what says something about Claude counts: 5xx, 529, 503, timeouts, resets and connections that
never stood are trouble, an answer is good. A 429 is the limiter's business, and what is wrong with
our own request says nothing of Claude.
"""

from dataclasses import dataclass, replace

from models.vocabulary import Breaker, CallState
from worker.domain.reports import CallReport
from worker.domain.trouble import UNWELL

MAX_TRIPS = 16
"""Beyond this the time open has long reached its bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRule:
    """When a breaker opens, for how long, and when it closes. Seconds."""

    in_row: int = 10
    at_least: int = 20
    """So many calls must have ended in the window before its share says anything."""
    share: float = 0.5
    window_s: float = 30.0
    open_s: float = 10.0
    max_open_s: float = 120.0
    probes: int = 3

    def open_for(self, trips: int) -> float:
        """Seconds: doubled each time that a probe failed, up to the bound."""
        return min(self.open_s * 2.0 ** min(trips, MAX_TRIPS), self.max_open_s)


@dataclass(frozen=True, slots=True)
class Pulse:
    """Calls that ended since the last time; `last` names the trouble seen last."""

    good: int = 0
    troubled: int = 0
    last: str | None = None

    def __add__(self, other: "Pulse") -> "Pulse":
        return Pulse(
            self.good + other.good, self.troubled + other.troubled, other.last or self.last
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A breaker. `age_s` is the age of its window, None when there is none; an open breaker whose
    time is over is given as half-open. `open_s` and `reason` are set when it opens."""

    state: Breaker = Breaker.CLOSED
    in_row: int = 0
    good: int = 0
    troubled: int = 0
    trips: int = 0
    age_s: float | None = None
    open_s: float | None = None
    reason: str | None = None


def pulse_of(calls: tuple[CallReport, ...]) -> Pulse:
    """What the calls of an attempt say of Claude's health."""
    troubles = [words for call in calls if (words := _trouble(call)) is not None]
    good = sum(call.state is CallState.DONE for call in calls)
    return Pulse(good, len(troubles), troubles[-1] if troubles else None)


def _trouble(call: CallReport) -> str | None:
    """What says that Claude is in trouble. Only the kind: the API's words may be long, and this is
    shown in a line."""
    if call.error is None or call.meaning not in UNWELL:
        return None
    return call.error.partition(":")[0]


def hear(standing: Standing, pulse: Pulse, rule: BreakerRule) -> Standing:
    """The breaker after these calls; the same object when they change nothing."""
    match standing.state:
        case Breaker.OPEN:
            return standing  # Sent before it opened: old news.
        case Breaker.HALF_OPEN:
            return _probed(standing, pulse, rule)
        case Breaker.CLOSED:
            return _counted(standing, pulse, rule)


def _probed(standing: Standing, pulse: Pulse, rule: BreakerRule) -> Standing:
    if pulse.troubled:
        return _opened(standing, f"a probe failed: {pulse.last}", rule)
    good = standing.good + pulse.good
    if good >= rule.probes:
        return Standing()
    return replace(standing, good=good) if pulse.good else standing


def _counted(standing: Standing, pulse: Pulse, rule: BreakerRule) -> Standing:
    fresh = standing.age_s is not None and standing.age_s <= rule.window_s
    if not pulse.troubled and not fresh:
        # All is well: nothing to write, however busy the queue is.
        return standing if not standing.in_row or not pulse.good else replace(standing, in_row=0)
    in_row = pulse.troubled if pulse.good else standing.in_row + pulse.troubled
    if not pulse.troubled and pulse.good:
        in_row = 0
    counted = Standing(
        in_row=in_row,
        good=pulse.good + (standing.good if fresh else 0),
        troubled=pulse.troubled + (standing.troubled if fresh else 0),
        age_s=standing.age_s if fresh else 0.0,
    )
    ended = counted.good + counted.troubled
    if in_row >= rule.in_row and not pulse.good:
        return _opened(counted, f"{in_row} calls in a row failed, last with {pulse.last}", rule)
    if pulse.troubled and ended >= rule.at_least and counted.troubled >= rule.share * ended:
        words = f"{counted.troubled} of {ended} calls failed within {rule.window_s:g} s"
        return _opened(counted, f"{words}, last with {pulse.last}", rule)
    return counted


def _opened(standing: Standing, reason: str, rule: BreakerRule) -> Standing:
    return Standing(
        state=Breaker.OPEN,
        trips=standing.trips + 1,
        open_s=rule.open_for(standing.trips),
        reason=reason,
    )
