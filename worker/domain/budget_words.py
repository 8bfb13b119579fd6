"""What a budget that stops a run says: what is left, what the next call may cost, and what sum is
enough. Pure; dollars throughout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_UP, Decimal
from typing import Any

from worker.domain.wording import dollars

STEP = Decimal("0.0001")
LEAST_MARGIN, MOST_MARGIN = Decimal("1.1"), Decimal("1.5")
"""The jobs that are left are not quite like those before them."""
MOST_SCALE = Decimal(4)
"""A tier's worst case is no more than so many times that of a cheaper tier that waits."""
USUAL = Decimal("0.1")
"""Of its worst case: what an answer costs, rather too much, before any was given. A worst case is
all the tokens that may be written; a usual answer writes a tenth of them."""
STARTS, CLIMBS = Decimal("0.75"), Decimal("0.2")
"""Before a run shows its own: the share of what reaches a rung that starts there, and the share of
its answers that climb to the next."""
TELLING = 20
"""So many jobs or answers say as much of shares as what is usual does."""
MUCH_LESS = Decimal("0.9")
"""Of the sum that is enough: what is likely is said below that."""
UNROUTED = ""
"""The tier of what is not routed yet."""
NONE: Mapping[str, Decimal] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestOfRun:
    """What a run has left to do and what it has shown so far, by tier (`UNROUTED` before that):
    jobs that are `open` and that have `ended`, dollars `paid` for answers (for routing under
    `UNROUTED`), and how many climbed from where to where. `tiers` are its policy's, cheapest
    first."""

    open: Mapping[str, int] = field(default_factory=dict)
    ended: Mapping[str, int] = field(default_factory=dict)
    paid: Mapping[str, Decimal] = field(default_factory=dict)
    climbs: Sequence[tuple[str, str, int]] = ()
    forecast: Decimal | None = None
    """Dollars that the run was forecast to stay below with 90 %."""
    tiers: Sequence[str] = ()

    @classmethod
    def read(cls, found: Mapping[str, Any], tiers: Sequence[str]) -> "RestOfRun":
        """From what is counted, and the policy's tiers."""
        return cls(
            open=found.get("open") or {},
            ended=found.get("ended") or {},
            paid={tier: Decimal(cost) for tier, cost in (found.get("paid") or {}).items()},
            climbs=[(at, to, jobs) for at, to, jobs in found.get("climbs") or ()],
            forecast=Decimal(found["forecast"]) if found.get("forecast") else None,
            tiers=tiers or (),
        )

    @property
    def unseen(self) -> bool:
        """Whether messages wait to be routed, and none shows where they will go."""
        begun = any(self.started(tier) for tier in self.ladder())
        return bool(self.open.get(UNROUTED)) and not begun

    def blind(self, worst: Mapping[str, Decimal]) -> bool:
        """Whether nothing says what an answer at some tier may cost that has work to do, or where
        messages will go: `worst` are the worst cases that are known."""
        if self.unseen and not self.tiers:
            return True
        return any(tier not in worst and not self.answers(tier) for tier in self.work())

    def answers(self, tier: str) -> int:
        """Answers that the tier has given: each ended its job, or sent it up; for `UNROUTED`, jobs
        that were routed."""
        if tier == UNROUTED:
            return sum(self.started(t) for t in self.ladder())
        return self.ended.get(tier, 0) + sum(n for at, _, n in self.climbs if at == tier)

    def started(self, tier: str) -> int:
        """Jobs that routing sent to the tier."""
        came = sum(n for _, to, n in self.climbs if to == tier)
        return max(self.open.get(tier, 0) + self.answers(tier) - came, 0)

    def ladder(self) -> list[str]:
        """The tiers, each after all from which something climbed to it."""
        left = {*self.open, *self.ended, *(at for at, _, _ in self.climbs)} - {UNROUTED}
        left -= {*self.tiers}
        placed: list[str] = []
        while left:
            free = [t for t in left if not any(to == t and at in left for at, to, _ in self.climbs)]
            placed += sorted(free or left)
            left -= set(placed)
        return [*placed, *self.tiers]

    def work(self, usual_climbs: Decimal = CLIMBS) -> dict[str, Decimal]:
        """Answers that each tier still has to give: what is there and what will come to it.
        `usual_climbs` is the share of a tier's answers that climb before it shows its own."""
        tiers, unrouted = self.ladder(), self.open.get(UNROUTED, 0)
        starts = self._starts()
        work = {
            tier: self.open.get(tier, 0) + unrouted * starts.get(tier, Decimal(0)) for tier in tiers
        }
        for tier in tiers:
            for to, share in self._climbing(tier, usual_climbs).items():
                if to in work:
                    work[to] += work[tier] * share
        if unrouted:
            work[UNROUTED] = Decimal(unrouted)
        return {tier: jobs for tier, jobs in work.items() if jobs}

    def _starts(self) -> dict[str, Decimal]:
        """Shares of what is not routed yet that will start at each tier: as those before, and while
        these are few, as is usual."""
        usual, left = dict[str, Decimal](), Decimal(1)
        for tier in self.tiers:
            usual[tier] = left * (STARTS if tier != self.tiers[-1] else 1)
            left -= usual[tier]
        begun, weight = self.answers(UNROUTED), TELLING if usual else 0
        return {
            tier: (self.started(tier) + weight * usual.get(tier, Decimal(0))) / (begun + weight)
            for tier in self.ladder()
            if begun + weight
        }

    def climbs_so_far(self) -> Decimal:
        """The share of all answers below the top that climbed, and while these are few, as is
        usual: what the tiers that have shown theirs say of those that have not."""
        below = [tier for tier in self.ladder() if tier not in self.tiers[-1:]]
        given = sum(self.answers(tier) for tier in below)
        climbed = sum(jobs for at, _, jobs in self.climbs if at in below)
        return (climbed + TELLING * CLIMBS) / (given + TELLING)

    def _climbing(self, tier: str, usual: Decimal) -> dict[str, Decimal]:
        """Shares of a tier's answers that climb, by where to."""
        given = self.answers(tier)
        found: dict[str, Decimal] = {}
        for at, to, jobs in self.climbs:
            if at == tier:
                found[to] = found.get(to, Decimal(0)) + jobs
        place = self.tiers.index(tier) + 1 if tier in self.tiers else 0
        weight = TELLING if 0 < place < len(self.tiers) else 0
        if weight:
            found[self.tiers[place]] = found.get(self.tiers[place], Decimal(0)) + weight * usual
        return {to: jobs / (given + weight) for to, jobs in found.items() if given + weight}

    def price(self, tier: str) -> Decimal | None:
        """Dollars for an answer of the tier, or for routing a job; None where none is known."""
        given = self.answers(tier)
        return self.paid.get(tier, Decimal(0)) / given if given else None

    def margin(self, tier: str) -> Decimal:
        """By how much more it may come to: few answers say little of those to come."""
        given = self.answers(tier)
        wide = 1 + 1 / Decimal(given).sqrt() if given else LEAST_MARGIN
        return min(max(LEAST_MARGIN, wide), MOST_MARGIN)


def enough(
    *, spent: Decimal, needs: Decimal | None, rest: RestOfRun, worst: Mapping[str, Decimal] = NONE
) -> Decimal:
    """A budget for the whole run. What is open, and what will climb, costs at each tier what an
    answer there has cost so far; where none was given, a part of its worst case that is as large as
    at other tiers. And there is room for one more worst case. `worst` is what a call at each tier
    may cost at most, `needs` the cheapest that waits anywhere: it stands for tiers of which `worst`
    says nothing, where a dearer one's is larger as its answers are dearer."""
    least, work = needs or Decimal(0), rest.work()
    priced = {tier: price for tier in (*rest.ladder(), UNROUTED) if (price := rest.price(tier))}
    known = {tier: price for tier, price in priced.items() if tier in work}
    part = _part(priced, worst)
    each = {tier: part * most for tier, most in worst.items()}
    each |= {tier: price * rest.margin(tier) for tier, price in known.items()}
    expected = sum((jobs * each.get(tier, least) for tier, jobs in work.items()), Decimal(0))
    coming = [tier for tier in worst if rest.unseen or work.get(tier)]
    seen = max((worst[tier] for tier in coming), default=Decimal(0))
    room = max(seen, least * _scale(rest, work, known, worst))
    wanted = spent + expected + room
    if rest.forecast is not None and any(tier not in known for tier in work):
        told = max(spent, rest.forecast) + room
        wanted = max(wanted, told) if rest.blind(worst) else min(wanted, told)
    return wanted.quantize(STEP, ROUND_UP)


def _part(priced: Mapping[str, Decimal], worst: Mapping[str, Decimal]) -> Decimal:
    """Of its worst case, what an answer of a tier costs that has given none: as at the others, with
    the widest margin, and never less than is usual."""
    seen = [priced[tier] / worst[tier] for tier in priced if tier and worst.get(tier)]
    return min(max(MOST_MARGIN * max(seen, default=Decimal(0)), USUAL), Decimal(1))


def _scale(
    rest: RestOfRun,
    work: Mapping[str, Decimal],
    known: Mapping[str, Decimal],
    worst: Mapping[str, Decimal],
) -> Decimal:
    """How many times the cheapest worst case that of a tier may be of which none is known."""
    waiting = [known[tier] for tier in known if rest.open.get(tier)]
    unseen = [known[tier] for tier in known if work[tier] >= 1 and tier not in worst]
    ratio = max(unseen, default=Decimal(0)) / min(waiting) if waiting else Decimal(1)
    return min(max(ratio, Decimal(1)), MOST_SCALE)


def enough_words(wanted: Decimal, *, whole: bool, likely: Decimal | None = None) -> str:
    """`about $0.0550 would be enough for all of it, which is likely to cost about $0.0300`; not
    `whole` where it cannot be known yet. What is likely is said where it is much less."""
    if whole:
        words = f"about {dollars(wanted)} would be enough for all of it"
        told = likely is not None and likely < MUCH_LESS * wanted
        return f"{words}, which is likely to cost about {dollars(likely)}" if told else words
    return (
        f"about {dollars(wanted)} would be enough to route all of it, and what the answers take is"
        " known once some are there"
    )


def stop_words(budget: str, left: Decimal, needs: Decimal | None, enough: str) -> str:
    """`$0.0031 of its budget is left and the next call may cost up to $0.0500; …`: what is left of
    a budget, what a call may cost, and which sum is enough."""
    has = dollars(max(left, Decimal(0)))
    said = f"{has} of {budget} is left"
    if needs is not None:
        costs = dollars(needs)
        more = "a little more" if costs == has else f"up to {costs}"
        said += f" and the next call may cost {more}"
    return f"{said}; {enough}" if enough else said
