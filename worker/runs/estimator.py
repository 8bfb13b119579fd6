"""Costs of messages of some length under one policy, at today's prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from models.vocabulary import Lane, Purpose
from worker.claude.input_sizes import REQUEST_OVERHEAD_BYTES
from worker.claude.prompts import prompts_of
from worker.config.prices import price_of
from worker.config.settings import Settings
from worker.domain.knowledge_cost import CHARS_PER_TOKEN as PAGE_CHARS_PER_TOKEN
from worker.domain.knowledge_cost import KnowledgeWay
from worker.domain.lengths import LengthClass
from worker.domain.policy import CLASSIFY, Policy
from worker.domain.pricing import Price, Usage

CHARS_PER_TOKEN = 3.5
CLASSIFY_PROMPT_TOKENS = 300
ANSWER_TOKENS, CLASSIFY_TOKENS, CHECK_TOKENS = 220, 15, 40
CountedTokens = Mapping[tuple[Purpose, str, str], int]
"""Of requests with one purpose, model and prompt version: what they share."""
NOTHING_COUNTED: CountedTokens = MappingProxyType({})
STOP_FIRST, STOP_LATER = Decimal("0.75"), Decimal("0.8")
"""Of what reaches a rung, the share that it answers: the first of several, and any other but the
last, which answers the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierEstimate:
    """One rung's part."""

    tier: str
    jobs: int
    calls: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class BacklogEstimate:
    """All rungs, and what was assumed."""

    tiers: tuple[TierEstimate, ...]
    total: Decimal
    assumption: str

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        tiers = [
            {"tier": t.tier, "jobs": t.jobs, "calls": t.calls, "cost_usd": t.cost}
            for t in self.tiers
        ]
        return {"tiers": tiers, "total_usd": self.total, "assumption": self.assumption}


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthEstimate:
    """Messages of about one length: dollars expected of all, and of the longest if every answer of
    it climbs. `withheld_at` is the first tier that `policy.max_cost_per_message` keeps it from."""

    up_to: int | None
    messages: int
    cost: Decimal
    climbing: Decimal
    withheld_at: str | None

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "up_to_chars": self.up_to,
            "messages": self.messages,
            "cost_usd": self.cost,
            "each_if_it_climbs_usd": self.climbing,
            "withheld_at": self.withheld_at,
        }


class BacklogEstimator:
    """Costs under one policy, at today's prices."""

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        pages: KnowledgeWay | None = None,
        counted: CountedTokens = NOTHING_COUNTED,
    ) -> None:
        """`pages` says how its policy's pages would be shown, where it has some; `counted` what the
        fixed part of requests came to in earlier calls."""
        self._counted = counted
        self._settings, self._policy, self._pages = settings, policy, pages
        self._cached = self._fresh = 0
        """Tokens of pages in an answer's request: in its prompt, and in its turn."""
        if pages is not None:
            self._cached = pages.tokens_whole if pages.whole else 0
            self._fresh = 0 if pages.whole else pages.tokens_searched
        self._prompts = prompts_of(settings, policy)
        self._classifies = policy.start.otherwise == CLASSIFY
        self._checks = policy.accept.confidence == "separate"

    def backlog(self, jobs: int, body_bytes: int) -> BacklogEstimate:
        """Expected spend by tier. A model without a price counts as zero and is named."""
        names = self._policy.ladder
        shares = shares_of(len(names))
        size = round(body_bytes / max(jobs, 1))
        lines = [self._line(name, rung, shares, jobs, size) for rung, name in enumerate(names)]
        words = ", ".join(_words(share, name) for share, name in zip(shares, names, strict=True))
        assumption = (
            f"Assumed, not measured: {words}; {ANSWER_TOKENS} tokens an answer; the prompt read"
            f" from the cache{self._how_counted()}."
        )
        if self._pages is not None:
            assumption += f" Pages {self._pages.words}."
        if unpriced := [name for name in names if self._price(name) is None]:
            assumption += f" Without a price, so left out: {', '.join(unpriced)}."
        return BacklogEstimate(
            tuple(lines), sum((line.cost for line in lines), Decimal(0)), assumption
        )

    def length(self, one: LengthClass) -> LengthEstimate:
        """What messages of about one length come to."""
        spent, withheld = self._label(one.most_bytes), None
        for name in self._policy.ladder:
            if self.beyond(name, one.most_bytes, spent):
                withheld = name
                break
            spent += self._answer(name, one.most_bytes)
        return LengthEstimate(
            up_to=one.up_to,
            messages=one.messages,
            cost=self.backlog(one.messages, one.all_bytes).total,
            climbing=spent,
            withheld_at=withheld,
        )

    def beyond(self, tier: str, body_bytes: int, spent: Decimal = Decimal(0)) -> bool:
        """Whether an answer of `tier` after `spent` dollars could pass what a message may cost."""
        most = self._settings.policy.max_cost_per_message
        return bool(most) and spent + self.worst(tier, body_bytes) > most

    def worst(self, tier: str, body_bytes: int) -> Decimal:
        """Dollars that an answer of `tier` costs at most, its check included; the prompts as they
        were counted in earlier calls, or by their bytes."""
        price, tokens = self._price(tier), self._settings.tiers[tier].max_tokens
        if price is None:
            return Decimal(0)
        fixed = self._tokens(Purpose.ANSWER, tier)
        if fixed is None:
            fixed = self._prompts[Purpose.ANSWER].size_bytes + REQUEST_OVERHEAD_BYTES
        worst = price.worst_case(
            fixed=fixed + round(self._cached * PAGE_CHARS_PER_TOKEN),
            said=body_bytes + round(self._fresh * PAGE_CHARS_PER_TOKEN),
            max_tokens=tokens,
            lane=Lane.REALTIME,
        )
        if self._checks:
            worst += price.worst_case(
                fixed=self._prompts[Purpose.CHECK].size_bytes,
                said=body_bytes + 2 * tokens,
                max_tokens=self._settings.check.max_tokens,
                lane=Lane.REALTIME,
            )
        return worst

    def _line(
        self, name: str, rung: int, shares: list[Decimal], jobs: int, size: int
    ) -> TierEstimate:
        # A job that stops on a rung has, on average, been answered once on the rung below as well.
        share = shares[rung] if self._classifies else sum(shares[rung:], Decimal(0))
        reached = 0 if self.beyond(name, size) else round(jobs * share)
        priced = self._price(name) is not None
        calls = reached * (2 if self._checks and priced else 1)
        cost = reached * self._answer(name, size)
        if self._classifies and name == self._settings.routing_tier and priced:
            cost += jobs * self._label(size)
            calls += jobs
        return TierEstimate(tier=name, jobs=reached, calls=calls, cost=cost)

    def _answer(self, name: str, body_bytes: int) -> Decimal:
        """Dollars of one answer, and of its check."""
        price, size = self._price(name), round(body_bytes / CHARS_PER_TOKEN)
        if price is None:
            return Decimal(0)
        prompt = self._tokens(Purpose.ANSWER, name)
        if prompt is None:
            prompt = round(self._prompts[Purpose.ANSWER].size_bytes / CHARS_PER_TOKEN)
        prefix = prompt + self._cached
        usage = Usage(
            input_tokens=size + self._fresh, cache_read_tokens=prefix, output_tokens=ANSWER_TOKENS
        )
        rates = price.rates(usage.total_input, Lane.REALTIME)
        check = Usage(input_tokens=size + 500, output_tokens=CHECK_TOKENS)
        return rates.cost(usage) + (rates.cost(check) if self._checks else 0)

    def _label(self, body_bytes: int) -> Decimal:
        """Dollars of one routing call."""
        price = self._price(self._settings.routing_tier)
        if price is None or not self._classifies:
            return Decimal(0)
        prompt = self._tokens(Purpose.CLASSIFY, self._settings.routing_tier)
        if prompt is None:
            prompt = CLASSIFY_PROMPT_TOKENS
        said = round(body_bytes / CHARS_PER_TOKEN)
        usage = Usage(input_tokens=said + prompt, output_tokens=CLASSIFY_TOKENS)
        return price.rates(usage.total_input, Lane.REALTIME).cost(usage)

    def _tokens(self, purpose: Purpose, tier: str) -> int | None:
        """Of the fixed part of such requests, as Claude has counted it; None where it has not."""
        kind = (purpose, self._settings.tiers[tier].model, self._prompts[purpose].version)
        return self._counted.get(kind)

    def _how_counted(self) -> str:
        known = [self._tokens(Purpose.ANSWER, name) is not None for name in self._policy.ladder]
        if all(known):
            return ", its tokens as earlier calls counted them"
        return ", its tokens as earlier calls counted them where they did" if any(known) else ""

    def _price(self, tier: str) -> Price | None:
        return price_of(self._settings.tiers[tier].model, self._settings.prices)


def shares_of(rungs: int) -> list[Decimal]:
    """Share of messages answered on each rung: all of them together."""
    left, found = Decimal(1), list[Decimal]()
    for rung in range(rungs - 1):
        found.append(left * (STOP_FIRST if rung == 0 and rungs > 2 else STOP_LATER))
        left -= found[-1]
    return [*found, left]


def _words(share: Decimal, name: str) -> str:
    return f"{(share * 100).normalize():f} % {name}"
