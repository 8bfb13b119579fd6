"""What a budget that stops a run says: what is left, what the next call may cost, and what sum is
enough. Pure; dollars throughout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_UP, Decimal

from worker.domain.wording import dollars

STEP = Decimal("0.0001")
LEAST_MARGIN, MOST_MARGIN = Decimal("1.1"), Decimal("1.5")
"""The jobs that are left are not quite like those before them."""
MOST_SCALE = Decimal(4)
"""A tier's worst case is no more than so many times that of a cheaper tier that waits."""
UNROUTED = ""
"""The tier of what is not routed yet."""
NONE: Mapping[str, Decimal] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestOfRun:
    """What a run has left to do and what it has shown so far, by tier (`UNROUTED` before that):
    jobs that are `open` and that have `ended`, dollars `paid` for answers (for routing under
    `UNROUTED`), and how many climbed from where to where."""

    open: Mapping[str, int] = field(default_factory=dict)
    ended: Mapping[str, int] = field(default_factory=dict)
    paid: Mapping[str, Decimal] = field(default_factory=dict)
    climbs: Sequence[tuple[str, str, int]] = ()
    forecast: Decimal | None = None
    """Dollars that the run was forecast to stay below with 90 %."""

    @property
    def unseen(self) -> bool:
        """Whether messages wait to be routed, and none shows where they will go."""
        begun = any(self.started(tier) for tier in self.ladder())
        return bool(self.open.get(UNROUTED)) and not begun

    @property
    def unanswered(self) -> bool:
        """Whether no tier has given an answer yet that shows what its answers cost."""
        return not any(self.answers(tier) for tier in self.ladder())

    def answers(self, tier: str) -> int:
        """Answers that the tier has given: each ended its job, or sent it up."""
        return self.ended.get(tier, 0) + sum(n for at, _, n in self.climbs if at == tier)

    def started(self, tier: str) -> int:
        """Jobs that routing sent to the tier."""
        came = sum(n for _, to, n in self.climbs if to == tier)
        return max(self.open.get(tier, 0) + self.answers(tier) - came, 0)

    def ladder(self) -> list[str]:
        """The tiers, each after all from which something climbed to it."""
        left = {*self.open, *self.ended, *(at for at, _, _ in self.climbs)} - {UNROUTED}
        placed: list[str] = []
        while left:
            free = [t for t in left if not any(to == t and at in left for at, to, _ in self.climbs)]
            placed += sorted(free or left)
            left -= set(placed)
        return placed

    def work(self) -> dict[str, Decimal]:
        """Answers that each tier still has to give: what is there and what will come to it."""
        tiers, unrouted = self.ladder(), self.open.get(UNROUTED, 0)
        begun = sum(self.started(tier) for tier in tiers)
        work = {
            tier: Decimal(self.open.get(tier, 0))
            + (Decimal(unrouted * self.started(tier)) / begun if begun else 0)
            for tier in tiers
        }
        for tier in tiers:
            for at, to, climbed in self.climbs:
                if at == tier and to in work and (given := self.answers(at)):
                    work[to] += work[at] * climbed / given
        if unrouted:
            work[UNROUTED] = Decimal(unrouted)
        return work

    def price(self, tier: str) -> Decimal | None:
        """Dollars for an answer of the tier, or for routing a job; None where none is known."""
        routed = sum(self.started(t) for t in self.ladder())
        given = routed if tier == UNROUTED else self.answers(tier)
        return self.paid.get(tier, Decimal(0)) / given if given else None

    def margin(self, tier: str) -> Decimal:
        """By how much more it may come to: few answers say little of those to come."""
        given = self.answers(tier)
        wide = 1 + 1 / Decimal(given).sqrt() if given else LEAST_MARGIN
        return min(max(LEAST_MARGIN, wide), MOST_MARGIN)


def enough(
    *, spent: Decimal, needs: Decimal | None, rest: RestOfRun, worst: Mapping[str, Decimal] = NONE
) -> Decimal:
    """A budget for the whole run. What is open costs, at each tier, what an answer there has cost
    so far, or the worst case where none was given; and there is room for one more worst case.
    `worst` is the dearest call that was refused at each tier, `needs` the cheapest that waits
    anywhere: it stands for tiers at which nothing was refused yet, where a dearer one's is larger
    as its answers are dearer."""
    least, work = needs or Decimal(0), rest.work()
    known = {tier: price for tier in work if (price := rest.price(tier))}
    expected = sum(
        (
            jobs * (known[tier] * rest.margin(tier) if tier in known else worst.get(tier, least))
            for tier, jobs in work.items()
        ),
        Decimal(0),
    )
    coming = [tier for tier in worst if rest.unseen or work.get(tier)]
    seen = max((worst[tier] for tier in coming), default=Decimal(0))
    room = max(seen, least * _scale(rest, work, known, worst))
    wanted = spent + expected + room
    if rest.unanswered and rest.forecast is not None:
        wanted = max(spent, rest.forecast) + room
    return wanted.quantize(STEP, ROUND_UP)


def _scale(
    rest: RestOfRun,
    work: Mapping[str, Decimal],
    known: Mapping[str, Decimal],
    worst: Mapping[str, Decimal],
) -> Decimal:
    """How many times the cheapest worst case that of a tier may be at which none was refused."""
    waiting = [known[tier] for tier in known if rest.open.get(tier)]
    unseen = [known[tier] for tier in known if work[tier] >= 1 and tier not in worst]
    ratio = max(unseen, default=Decimal(0)) / min(waiting) if waiting else Decimal(1)
    return min(max(ratio, Decimal(1)), MOST_SCALE)


def stop_words(left: Decimal, needs: Decimal | None, wanted: Decimal, rest: RestOfRun) -> str:
    """`$0.0031 is left and the next call may cost up to $0.0500; about $0.0550 would be enough`."""
    has = dollars(max(left, Decimal(0)))
    said = f"{has} of its budget is left"
    if needs is not None:
        costs = dollars(needs)
        said += (
            f" and the next call may cost {'a little more' if costs == has else f'up to {costs}'}"
        )
    if not wanted:
        return said
    if rest.unseen and rest.forecast is None:
        return (
            f"{said}; about {dollars(wanted)} would be enough to route all of it, and what the"
            " answers take is known once some are there"
        )
    return f"{said}; about {dollars(wanted)} would be enough for all of it"
