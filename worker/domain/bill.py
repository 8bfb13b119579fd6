"""The bill of a run, and what the same answers would have cost elsewhere on the ladder."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from models.vocabulary import CallState, Lane, Purpose
from worker.domain.pricing import BATCH_FACTOR, NO_TOKENS, Price, Usage

ASSUMPTION = (
    "Assumed: one answer a job with the same tokens as the answers given, priced at that tier;"
    " no classification, no checks, no second attempts. Other models would write other lengths."
)
ZERO = Decimal(0)


ENOUGH_ENDED = 20
ENOUGH_SHARE = 0.1


def comparable(ended: int, total: int) -> bool:
    """Whether so much has ended that a comparison with another tier means something: what is in
    flight is paid for, and not yet among the answers. Of what has ended altogether it always does.
    """
    return ended == total or (ended >= ENOUGH_ENDED and ended >= ENOUGH_SHARE * total)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendLine:
    """One row of `run_spend`."""

    tier: str
    purpose: Purpose
    model: str
    lane: Lane
    state: CallState
    simulated: bool
    calls: int
    unpriced: int
    usage: Usage
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Alternative:
    """The run on one tier alone; `cost` is None when that tier's model has no price."""

    tier: str
    cost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a run cost, and how that compares. Dollars.

    Classifying, answering, checking and lost add up to the total; `lost` are calls that brought
    nothing and may be billed. `batch_saved` is what the batch lane's calls would have cost more in
    the realtime lane; `hurry_cost` is what the realtime calls of a run of the batch lane cost more
    than batches would have, because its deadline came near. `escalating` is the part of answering
    that did not become the result; `cache_saved` is what cached reads would have cost as plain
    input, less what they and the cache writes did cost more.
    """

    run: str
    lines: tuple[SpendLine, ...]
    total: Decimal
    classifying: Decimal
    answering: Decimal
    checking: Decimal
    escalating: Decimal
    lost: Decimal
    cache_saved: Decimal
    batch_saved: Decimal
    hurry_cost: Decimal
    resolved: int
    per_resolved: Decimal | None
    top: Alternative
    cheapest: Alternative
    simulated: bool
    unpriced_calls: int
    assumption: str = ASSUMPTION

    @property
    def saved_against_top(self) -> Decimal | None:
        """Share of the top tier's cost that was saved, 0 to 1; negative when it cost more."""
        if not self.top.cost:
            return None
        return 1 - self.total / self.top.cost


def make_bill(
    run: str,
    lines: Iterable[SpendLine],
    *,
    resolved: int,
    jobs: int,
    rejected_answers: Decimal,
    ladder: Mapping[str, str],
    price_of: Callable[[str], Price | None],
    lane: Lane = Lane.REALTIME,
) -> Bill:
    """The bill. `ladder` maps tiers to models, cheapest first; `lane` is the run's;
    `rejected_answers` is the cost of answer attempts that were not accepted, in dollars."""
    rows = tuple(lines)
    total = sum((line.cost for line in rows), ZERO)
    cheapest, top = next(iter(ladder)), list(ladder)[-1]
    return Bill(
        run=run,
        lines=rows,
        total=total,
        classifying=_of(rows, Purpose.CLASSIFY),
        answering=_of(rows, Purpose.ANSWER),
        checking=_of(rows, Purpose.CHECK),
        escalating=rejected_answers,
        lost=sum((line.cost for line in rows if line.state is not CallState.DONE), ZERO),
        cache_saved=sum((_cache_saved(line, price_of(line.model)) for line in rows), ZERO),
        batch_saved=sum(
            (_dearer(x, price_of(x.model)) for x in rows if x.lane is Lane.BATCH), ZERO
        ),
        hurry_cost=sum((-_dearer(x, price_of(x.model)) for x in rows if x.lane is not lane), ZERO)
        if lane is Lane.BATCH
        else ZERO,
        resolved=resolved,
        per_resolved=total / resolved if resolved else None,
        top=Alternative(top, _repriced(rows, jobs, price_of(ladder[top]))),
        cheapest=Alternative(cheapest, _repriced(rows, jobs, price_of(ladder[cheapest]))),
        simulated=any(line.simulated for line in rows),
        unpriced_calls=sum(line.unpriced for line in rows),
    )


def lane_effect(calls: Iterable[tuple[str, Decimal]], run_lane: str) -> tuple[Decimal, Decimal]:
    """What calls saved by going in batches, and what those that left the batch lane of their run
    cost more than there. `calls` are lanes and dollars."""
    saved = hurried = ZERO
    for lane, cost in calls:
        if lane == Lane.BATCH:
            saved += cost / BATCH_FACTOR - cost
        elif run_lane == Lane.BATCH:
            hurried += cost - cost * BATCH_FACTOR
    return saved, hurried


def _of(lines: Iterable[SpendLine], purpose: Purpose) -> Decimal:
    done = (x for x in lines if x.purpose is purpose and x.state is CallState.DONE)
    return sum((line.cost for line in done), ZERO)


def _repriced(lines: Iterable[SpendLine], jobs: int, price: Price | None) -> Decimal | None:
    """The answers' tokens at another model's price, scaled to one answer a job. Kinds of input
    stay what they were: a cached prefix would have been cached there too."""
    answers = [x for x in lines if x.purpose is Purpose.ANSWER and x.state is CallState.DONE]
    calls = sum(line.calls for line in answers)
    if price is None or not calls:
        return None if price is None else ZERO
    # Rates by the average request: long-context prices apply to a request, never to a sum.
    cost = sum(
        (
            price.rates(line.usage.total_input // max(line.calls, 1), line.lane).cost(line.usage)
            for line in answers
        ),
        ZERO,
    )
    return cost * jobs / calls


def _cache_saved(line: SpendLine, price: Price | None) -> Decimal:
    if price is None or line.usage == NO_TOKENS:
        return ZERO
    rates = price.rates(line.usage.total_input // max(line.calls, 1), line.lane)
    uncached = Usage(input_tokens=line.usage.total_input, output_tokens=line.usage.output_tokens)
    return rates.cost(uncached) - rates.cost(line.usage)


def _dearer(line: SpendLine, price: Price | None) -> Decimal:
    """What the other lane would have cost more; negative when it would have cost less."""
    if price is None or line.usage == NO_TOKENS:
        return ZERO
    other = Lane.REALTIME if line.lane is Lane.BATCH else Lane.BATCH
    size = line.usage.total_input // max(line.calls, 1)
    here, there = price.rates(size, line.lane), price.rates(size, other)
    return there.cost(line.usage) - here.cost(line.usage)
