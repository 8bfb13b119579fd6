"""What an answer would have cost that was never asked for, from those that were.

The answers of a rung that only hard messages reach are dear ones, so their mean says little of the
others. The tokens of a message's own first answer do, at that rung's price: so the bill of a run
compares as well. Where tokens or price are not known it is dollars of one rung for a dollar of
another, from the messages that both answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import permutations

from models.vocabulary import Lane
from worker.domain.pricing import Price
from worker.domain.proof.graded import GradedMessage

FEW_PAIRED = 5
"""Messages with answers of both rungs below which their ratio is not used."""


@dataclass(frozen=True, slots=True)
class PairedCosts:
    """Of the messages that two rungs answered: how many, and dollars at the one for a dollar at the
    other."""

    messages: int
    ratio: Decimal


@dataclass(frozen=True, slots=True)
class LanePrices:
    """Prices by tier, as far as they are known, in the lane of the runs that are looked at."""

    lane: Lane = Lane.REALTIME
    tiers: Mapping[str, Price] = field(default_factory=dict)


NO_PRICES = LanePrices()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnaskedCosts:
    """Mean dollars an answer by tier, pairs by (tier asked for, tier that answered), and prices."""

    means: Mapping[str, Decimal] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], PairedCosts] = field(default_factory=dict)
    prices: LanePrices = NO_PRICES
    said: dict[tuple[int, str], tuple[GradedMessage, Decimal]] = field(
        default_factory=dict, compare=False, repr=False
    )
    """What was asked for already, with its message: many plans ask the same."""

    def of(self, message: GradedMessage, tier: str) -> Decimal:
        """Dollars that `tier` would have cost for the message: by the tokens of its first answer;
        in proportion to what an answer of it cost elsewhere, by the pair of which most is known; or
        the mean."""
        key = id(message), tier
        if (known := self.said.get(key)) is None:
            known = self.said[key] = message, self._of(message, tier)
        return known[1]

    def _of(self, message: GradedMessage, tier: str) -> Decimal:
        price = self.prices.tiers.get(tier)
        if price is not None and message.usage is not None:
            rates = price.rates(message.usage.total_input, self.prices.lane)
            return rates.cost(message.usage)
        known = [
            (pair.messages, -answer.cost, pair.ratio * answer.cost)
            for other, answer in message.answers.items()
            if (pair := self.pairs.get((tier, other)))
        ]
        return max(known)[2] if known else self.means.get(tier, Decimal(0))


def unasked_costs(
    messages: Sequence[GradedMessage], prices: LanePrices = NO_PRICES
) -> UnaskedCosts:
    """From the answers that were given."""
    sums: dict[str, tuple[Decimal, int]] = {}
    both: dict[tuple[str, str], tuple[Decimal, Decimal, int]] = {}
    for message in messages:
        for tier, answer in message.answers.items():
            total, count = sums.get(tier, (Decimal(0), 0))
            sums[tier] = total + answer.cost, count + 1
        for one, other in permutations(message.answers, 2):
            mine, its, count = both.get((one, other), (Decimal(0), Decimal(0), 0))
            costs = message.answers[one].cost, message.answers[other].cost
            both[one, other] = mine + costs[0], its + costs[1], count + 1
    return UnaskedCosts(
        means={tier: total / count for tier, (total, count) in sums.items()},
        pairs={
            pair: PairedCosts(count, mine / its)
            for pair, (mine, its, count) in both.items()
            if its and count >= FEW_PAIRED
        },
        prices=prices,
    )
