"""What knowledge adds to the cost of a message: whole in the cached prefix, or searched.

Whole, every message reads all pages, for a tenth of the price once they are cached; searched, each
reads a few passages at the full price. So few pages are better whole, and many searched; where the
line is depends on prices, the lane and how many messages share a cache.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from models.vocabulary import Lane
from worker.domain.caching import Lifetime, cheapest, prefix_cost
from worker.domain.policy import Policy
from worker.domain.pricing import MILLION, Price
from worker.domain.wording import dollars

CHARS_PER_TOKEN = 4.5
WINDOW_TOKENS = 180_000
"""What may be shown at most: Claude's window, less room for the message and the answer."""
TAG_TOKENS = 24
"""The tag around each passage."""
BATCH_S, LEAST_S, EACH_S = 3_600.0, 300.0, 0.5
"""What a run is taken to last, in seconds: a batch; and in the realtime lane at least five minutes,
at two messages a second."""
By = Literal["cost", "policy", "certificate"]


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

    @classmethod
    def together(cls, sizes: "Iterable[KnowledgeSize]") -> "KnowledgeSize":
        """Of several folders: a search shows no more of all than of the one with the longest
        passages."""
        every = list(sizes)
        searched = max((one.searched for one in every), default=0)
        return cls(whole=sum(one.whole for one in every), searched=searched)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeChoice:
    """Dollars for each message either way; `whole` is None where it does not fit."""

    whole: Decimal | None
    searched: Decimal
    lane: Lane

    @property
    def better_whole(self) -> bool:
        """Whether it should stand in the prompt; at the same cost, a search shows less."""
        return self.whole is not None and self.whole < self.searched


def compare_ways(
    price: Price, size: KnowledgeSize, lane: Lane, messages: int, takes_s: float
) -> KnowledgeChoice:
    """Both ways for so many messages that are worked off in `takes_s` seconds."""
    whole = None
    if size.whole <= WINDOW_TOKENS:
        rates = price.rates(size.whole, lane)
        lifetime = Lifetime.FIVE_MINUTES  # as every request of that lane has it
        if lane is Lane.BATCH:
            lifetime = cheapest(rates, size.whole, messages, takes_s)
        whole = prefix_cost(lifetime, rates, size.whole, messages, takes_s) / messages
    rates = price.rates(size.searched, lane)
    return KnowledgeChoice(whole=whole, searched=size.searched * rates.input / MILLION, lane=lane)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeWay:
    """How a run's pages are shown, what decided, and the arithmetic: dollars are for a message."""

    whole: bool
    by: By
    model: str
    lane: Lane
    messages: int
    tokens_whole: int
    tokens_searched: int
    usd_whole: Decimal | None
    usd_searched: Decimal

    @property
    def words(self) -> str:
        """`searched, about 800 tokens a message, $0.0800 a thousand on …; whole it would be …`."""
        every = f"{self.tokens_whole:,} tokens"
        whole = "they do not fit" if self.usd_whole is None else f"{every}, {_each(self.usd_whole)}"
        found = f"about {self.tokens_searched:,} tokens a message, {_each(self.usd_searched)}"
        way, other = ("whole", "searched") if self.whole else ("searched", "whole")
        here, there = (whole, found) if self.whole else (found, whole)
        count = "1 message" if self.messages == 1 else f"{self.messages:,} messages"
        why = {"cost": "which costs less", "policy": "as the policy says"}
        because = why.get(self.by, "as the answers of its certificate were given")
        return (
            f"{way}, {because}: {here}; {other} {there} (on {self.model}, {self.lane}, for {count})"
        )


def _each(usd: Decimal) -> str:
    return f"{dollars(usd * 1_000)} a thousand"


def decide_way(
    policy: Policy,
    size: KnowledgeSize,
    price: Price,
    *,
    model: str,
    lane: Lane,
    messages: int,
    prompt_version: str = "",
) -> KnowledgeWay:
    """How a run with so many messages is shown its pages. `prompt_version` is that of its prompt
    without them: an answer under a certificate is shown them as the certificate's answers were."""
    messages = max(messages, 1)
    takes_s = BATCH_S if lane is Lane.BATCH else max(LEAST_S, EACH_S * messages)
    choice = compare_ways(price, size, lane, messages, takes_s)
    by: By = "cost"
    whole = choice.better_whole
    if policy.context.pages != "auto":
        by, whole = "policy", policy.context.pages == "whole" and choice.whole is not None
    elif (held := policy.accept.in_force) is not None:
        by, whole = "certificate", held.key.get("prompt_version", "") != prompt_version
    return KnowledgeWay(
        whole=whole,
        by=by,
        model=model,
        lane=lane,
        messages=messages,
        tokens_whole=size.whole,
        tokens_searched=size.searched,
        usd_whole=choice.whole,
        usd_searched=choice.searched,
    )
