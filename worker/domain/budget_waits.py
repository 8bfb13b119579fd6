"""What a run's budget refused, tier by tier: what one claim saw is a tier's, and the sum that is
said holds for all of them. Pure; dollars throughout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TierWait:
    """What a tier's refused calls may cost: `least` of those that wait (None: none waits now), and
    `most` of all that were refused since the budget was last set. `rate`: dollars for a million
    tokens that its model writes, where that is known."""

    stop: str | None
    least: Decimal | None
    most: Decimal
    rate: Decimal | None = None

    def as_json(self) -> dict[str, str | None]:
        """As it is stored."""
        dollars = {"least": self.least, "most": self.most, "rate": self.rate}
        said = {name: None if one is None else str(one) for name, one in dollars.items()}
        return {"stop": self.stop, **said}


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a call of a tier may cost at most, and a million tokens that its model writes."""

    worst: Decimal
    rate: Decimal | None = None


TierWaits = Mapping[str, TierWait]
"""By tier; empty for what is not routed yet."""


@dataclass(frozen=True, slots=True)
class ClaimedCall:
    """One call that a claim would make: its tier, its worst case, and the budget that refused it
    (None: granted)."""

    tier: str
    worst: Decimal
    stop: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a run waits for: the budget by name, and the least that a call it refuses may cost."""

    words: str | None
    usd: Decimal | None


NOT_WAITING = Waiting(None, None)


def read_waits(stored: Mapping[str, Any] | None) -> dict[str, TierWait]:
    """From what is stored."""
    return {
        tier: TierWait(
            stop=one["stop"],
            least=_dollars(one["least"]),
            most=Decimal(one["most"]),
            rate=_dollars(one.get("rate")),
        )
        for tier, one in (stored or {}).items()
    }


def _dollars(stored: str | None) -> Decimal | None:
    return None if stored is None else Decimal(stored)


def after_claim(was: TierWaits, calls: Iterable[ClaimedCall]) -> dict[str, TierWait]:
    """`was` with what a claim came to. What other tiers wait for stays as it is; the least of a
    tier is kept until a call as cheap is granted, for a claim sees few of those that wait."""
    seen: dict[str, list[ClaimedCall]] = {}
    for call in calls:
        seen.setdefault(call.tier, []).append(call)
    waits = dict(was)
    for tier, found in seen.items():
        if (now := _tier_after(waits.get(tier), found)) is not None:
            waits[tier] = now
    return waits


def foreseeing(was: TierWaits, foreseen: Mapping[str, Foreseen]) -> dict[str, TierWait]:
    """`was` with what a call of tiers that nothing waits for yet may cost, in dollars."""
    waits = dict(was)
    for tier, one in foreseen.items():
        known = waits.get(tier, TierWait(stop=None, least=None, most=one.worst))
        rate = one.rate if one.rate is not None else known.rate
        waits[tier] = replace(known, most=max(known.most, one.worst), rate=rate)
    return waits


def _tier_after(was: TierWait | None, calls: list[ClaimedCall]) -> TierWait | None:
    refused = [call for call in calls if call.stop is not None]
    granted = [call.worst for call in calls if call.stop is None]
    known = was.least if was is not None else None
    if known is not None and granted and min(granted) <= known:
        known = None
    if not refused:
        if was is None:
            return None
        return replace(was, stop=was.stop if known is not None else None, least=known)
    cheapest = min(refused, key=lambda call: call.worst)
    most = max(call.worst for call in refused)
    if known is not None and was is not None and known < cheapest.worst:
        return replace(was, most=max(was.most, most))
    return TierWait(
        stop=cheapest.stop,
        least=cheapest.worst,
        most=max(most, was.most) if was is not None else most,
        rate=was.rate if was is not None else None,
    )


def waiting_of(
    waits: TierWaits, open_jobs: Mapping[str, int], run_budget: str, left: Decimal | None
) -> Waiting:
    """What the run waits for, of the tiers that have open jobs: its own budget before the day's,
    for that is the one to raise first. Of its own `left` dollars are left (None: no limit): what
    fits into that waits for its turn alone."""
    live = [wait for tier, wait in waits.items() if open_jobs.get(tier) and wait.stop]
    own = [wait for wait in live if wait.stop == run_budget and not _fits(wait, left)]
    chosen = own or [wait for wait in live if wait.stop != run_budget]
    if not chosen:
        return NOT_WAITING
    least = [wait.least for wait in chosen if wait.least is not None]
    return Waiting(chosen[0].stop, min(least, default=None))


def _fits(wait: TierWait, left: Decimal | None) -> bool:
    return left is None or (wait.least is not None and wait.least <= left)
