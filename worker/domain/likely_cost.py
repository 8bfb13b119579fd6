"""What a run that a budget holds back is likely to cost in the end. Pure; dollars throughout."""

from collections.abc import Mapping
from decimal import Decimal

from worker.domain.budget_words import NONE, STEP, UNROUTED, USUAL, RestOfRun


def likely(
    *,
    spent: Decimal,
    rest: RestOfRun,
    worst: Mapping[str, Decimal] = NONE,
    rates: Mapping[str, Decimal] = NONE,
) -> Decimal | None:
    """What the whole run is likely to cost, without the room that is taken for what is not known.

    What is open, and what will climb, costs at each tier what an answer there has cost so far. One
    that has given none is taken to read and write as much as those that have, at its own `rates`,
    dollars for a million tokens written: a model's other rates go with that one. Without those it
    is as large a part of its worst case as elsewhere. And as many of its answers will climb as have
    at the others. None where nothing says what a tier with work to do will cost."""
    work = rest.work(rest.climbs_so_far())
    priced = {tier: price for tier in rest.ladder() if (price := rest.price(tier))}
    part = max((priced[tier] / worst[tier] for tier in priced if worst.get(tier)), default=USUAL)
    each = {tier: most * part for tier, most in worst.items()}
    if (size := _size(rest, priced, rates)) is not None:
        each |= {tier: rate * size for tier, rate in rates.items()}
    each |= priced
    if (routing := rest.price(UNROUTED)) is not None:
        each[UNROUTED] = routing
    if any(tier not in each for tier in work):
        return None
    return (spent + sum((jobs * each[t] for t, jobs in work.items()), Decimal(0))).quantize(STEP)


def _size(
    rest: RestOfRun, priced: Mapping[str, Decimal], rates: Mapping[str, Decimal]
) -> Decimal | None:
    """Of an answer so far, in millions of tokens written that would cost as much; None where none
    was given."""
    known = {tier: rest.answers(tier) for tier in priced if rates.get(tier)}
    if not known:
        return None
    size = sum((given * priced[tier] / rates[tier] for tier, given in known.items()), Decimal(0))
    return size / sum(known.values())
