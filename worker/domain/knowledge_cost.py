"""What knowledge adds to the cost of a message: whole in the cached prefix, or searched.

Whole, every message reads all pages, for a tenth of the price once they are cached; searched, each
reads a few passages at the full price. So few pages are better whole, and many searched; where the
line is depends on prices, the lane and how many messages share a cache.
"""

from dataclasses import dataclass
from decimal import Decimal

from models.vocabulary import Lane
from worker.domain.caching import cheapest, prefix_cost
from worker.domain.pricing import MILLION, Price

CHARS_PER_TOKEN = 4.5
WINDOW_TOKENS = 180_000
"""What may be shown at most: Claude's window, less room for the message and the answer."""
TAG_TOKENS = 24
"""The tag around each passage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSize:
    """How much there is, and how much of it a search shows, in tokens."""

    whole: int
    searched: int

    @classmethod
    def of(cls, chars: int, passages: int, shown: int) -> "KnowledgeSize":
        """From characters of all passages; a search shows `shown` of them, of middling length."""
        whole = int(chars / CHARS_PER_TOKEN) + TAG_TOKENS * passages
        return cls(whole=whole, searched=whole * min(shown, passages) // max(passages, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeChoice:
    """Dollars for each message either way; `whole` is None where it does not fit."""

    whole: Decimal | None
    searched: Decimal
    lane: Lane

    @property
    def better_whole(self) -> bool:
        """Whether it should stand in the prompt."""
        return self.whole is not None and self.whole <= self.searched


def compare_ways(
    price: Price, size: KnowledgeSize, lane: Lane, messages: int, takes_s: float
) -> KnowledgeChoice:
    """Both ways for so many messages that are worked off in `takes_s` seconds."""
    whole = None
    if size.whole <= WINDOW_TOKENS:
        rates = price.rates(size.whole, lane)
        lifetime = cheapest(rates, size.whole, messages, takes_s)
        whole = prefix_cost(lifetime, rates, size.whole, messages, takes_s) / messages
    rates = price.rates(size.searched, lane)
    return KnowledgeChoice(whole=whole, searched=size.searched * rates.input / MILLION, lane=lane)
