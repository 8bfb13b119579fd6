"""How a run stands with its budget and the day's: whether one stops it, and what is enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from shlex import quote
from typing import Any

from models.vocabulary import ROUTING
from worker.domain.budget_waits import read_waits
from worker.domain.budget_words import (
    LEAST_MARGIN,
    UNROUTED,
    RestOfRun,
    enough,
    enough_words,
    stop_words,
)
from worker.domain.likely_cost import likely
from worker.domain.wording import dollars, listed

RUN_BUDGET, DAY_BUDGET = "run budget", "day budget"
AFTER_THE_DAY = (
    "it goes on by itself after midnight UTC, or once per_day_usd is raised and the workers are"
    " started anew"
)
"""What helps where it is the day's budget that stops."""
HELD_BACK = "held back by its budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMoney:
    """A run's money, in dollars; `waiting_for` names the budget that an active run waits for."""

    name: str
    state: str
    waiting_for: str | None
    waiting_usd: Decimal | None
    cap: Decimal | None
    spent: Decimal
    reserved: Decimal
    rest: Mapping[str, Any] | None = None
    """Of one under way: what is left to do, and what was paid so far, by tier."""
    tier_waits: Mapping[str, Any] | None = None
    """What budgets refused at each tier."""
    ladder: Sequence[str] = ()
    """Its policy's, cheapest first."""
    day_left: Decimal | None = None
    """Of the day's budget, neither spent nor reserved by any run; None without one."""
    day_spent: Decimal = Decimal(0)
    day_reserved: Decimal = Decimal(0)

    @property
    def stop_word(self) -> str:
        """Which budget it is that stops it."""
        return f"stopped by {'its budget' if self.waiting_for == RUN_BUDGET else 'the day budget'}"

    @property
    def used(self) -> Decimal:
        """Dollars spent and reserved."""
        return self.spent + self.reserved

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state in ("finished", "cancelled")

    @property
    def left(self) -> Decimal | None:
        """Dollars neither spent nor reserved; None without a budget of its own."""
        return self.cap - self.used if self.cap is not None else None

    @property
    def out_of_money(self) -> bool:
        """Whether a budget has stopped it: nothing is in flight that could still be settled, and
        what is left is less than any call that waits may cost, at whatever tier. Until then it goes
        on by itself."""
        if self.waiting_for == DAY_BUDGET:
            limited = self.day_left is not None and not self.day_reserved
            return limited and self._lacks(self.day_left)
        return bool(self.waiting_for) and not self.reserved and self._lacks(self.left)

    def _lacks(self, left: Decimal | None) -> bool:
        if left is not None and self._affordable(left):
            return False
        return left is None or self.waiting_usd is None or left < self.waiting_usd

    def _affordable(self, left: Decimal) -> list[str]:
        """Queues with open jobs for whose calls `left` dollars are enough: these were refused while
        others were in flight, and are tried again in a moment."""
        waits, jobs = read_waits(self.tier_waits), self.to_come.open
        costs = {t: wait.most if wait.least is None else wait.least for t, wait in waits.items()}
        there = [tier for tier in (UNROUTED, *self.ladder) if jobs.get(tier) and tier in costs]
        return [tier or ROUTING for tier in there if costs[tier] <= left]

    @property
    def raises(self) -> bool:
        """Whether a larger budget of its own is what helps it."""
        return self.waiting_for in (None, RUN_BUDGET) and (self.out_of_money or self.short)

    @property
    def stopped(self) -> bool:
        """Over, or stopped by a budget."""
        return self.over or self.out_of_money

    @property
    def short(self) -> bool:
        """Whether its own budget, or the day's, lets it go on only as calls in flight are settled:
        calls were refused, and it will not do for all of it. True from the first call that was
        refused to the last that fits, whatever is in flight between them. One that was raised to
        the sum that was enough is not short of it again because a dear answer came first."""
        if self.state != "active" or self.over:
            return False
        if self.waiting_for and self.waiting_for != RUN_BUDGET:
            return True
        refused = bool(self.waiting_for or self.tier_waits)
        return refused and self.cap is not None and self.enough > LEAST_MARGIN * self.cap

    @property
    def enough(self) -> Decimal:
        """Dollars that would be enough for all of it."""
        needs, rest = self.waiting_usd, self.to_come
        return enough(spent=self.spent, needs=needs, rest=rest, worst=self._worst)

    @property
    def likely(self) -> Decimal | None:
        """Dollars that all of it is likely to cost; None where nothing tells."""
        waits = read_waits(self.tier_waits)
        rates = {tier: wait.rate for tier, wait in waits.items() if wait.rate is not None}
        return likely(spent=self.spent, rest=self.to_come, worst=self._worst, rates=rates)

    @property
    def _worst(self) -> dict[str, Decimal]:
        """What a call may cost, by tier, as far as claims have seen or foreseen it."""
        return {tier: wait.most for tier, wait in read_waits(self.tier_waits).items()}

    @property
    def to_come(self) -> RestOfRun:
        """What is left to do, as the sum that is enough wants to know it."""
        return RestOfRun.read(self.rest or {}, self.ladder)

    @property
    def money_words(self) -> str:
        """Why a budget stops it or soon will, with the sum that is enough; empty when none does."""
        if not self.out_of_money:
            return self._short_words if self.short else ""
        if self.waiting_for == DAY_BUDGET:
            return f"stopped by the day budget: {self._day_words}; {AFTER_THE_DAY}"
        left = self.left or Decimal(0)
        words = stop_words("its budget", left, self.waiting_usd, self._enough_words)
        return f"stopped by its budget: {words}"

    @property
    def _day_words(self) -> str:
        left = self.day_left or Decimal(0)
        wanted = self.day_spent + self.enough - self.spent
        words = f"per_day_usd = {wanted.normalize():f} would be enough for all of it today"
        return stop_words("the day's budget", left, self.waiting_usd, words)

    @property
    def _enough_words(self) -> str:
        if not self.enough:
            return ""
        return enough_words(self.enough, whole=self.whole, likely=self.likely)

    @property
    def _short_words(self) -> str:
        if self.waiting_for and self.waiting_for != RUN_BUDGET:
            return f"held back by the {self.waiting_for}: {self._goes_on(self.day_left)}"
        return f"{HELD_BACK}: {self._goes_on(self.left)}; {self._enough_words}"

    def _goes_on(self, left: Decimal | None) -> str:
        """What happens by itself while a budget is short."""
        enough_for = self._affordable(left) if left is not None and not self.reserved else []
        if enough_for:
            return f"{dollars(left)} of it is left, enough for {listed(enough_for)} alone"
        return "new calls wait until those in flight are paid"

    @property
    def whole(self) -> bool:
        """Whether enough is known for the sum that is enough to be one for all of it."""
        return self.to_come.forecast is not None or not self.to_come.blind(self._worst)

    @property
    def go_on_with(self) -> str:
        """The command that lets it go on with a budget that is enough, ready to copy."""
        return f"rung resume {quote(self.name)} --budget {self.enough.normalize():f}"
