"""What a backlog will probably cost, before anything is spent, and what that assumes."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from models.vocabulary import Lane, Purpose
from worker.claude.prompts import load_prompts
from worker.config.prices import price_of
from worker.config.settings import Settings
from worker.domain.policy import CLASSIFY, Policy
from worker.domain.pricing import Usage

CHARS_PER_TOKEN = 3.5
ANSWER_TOKENS, CLASSIFY_TOKENS, CHECK_TOKENS = 220, 15, 40
STOP_FIRST, STOP_LATER = Decimal("0.75"), Decimal("0.8")
"""Of what reaches a rung, the share that it answers: the first of several, and any other but the
last, which answers the rest."""


@dataclass(frozen=True, slots=True)
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


def estimate(settings: Settings, policy: Policy, jobs: int, body_bytes: int) -> BacklogEstimate:
    """Expected spend by tier. A model without a price counts as zero and is named."""
    names = policy.ladder
    shares = shares_of(len(names))
    prompts = load_prompts(settings.prompts.dir)
    size = round(body_bytes / max(jobs, 1) / CHARS_PER_TOKEN)
    lines, unpriced = [], []
    for rung, name in enumerate(names):
        # A job that stops on a rung has, on average, been answered once on the rung below as well.
        reached = (
            round(jobs * sum(shares[rung:], Decimal(0)))
            if policy.start.otherwise != CLASSIFY
            else round(jobs * shares[rung])
        )
        cost, calls = Decimal(0), reached
        if price := price_of(settings.tiers[name].model, settings.prices):
            prefix = round(prompts[Purpose.ANSWER].size_bytes / CHARS_PER_TOKEN)
            usage = Usage(size, cache_read_tokens=prefix, output_tokens=ANSWER_TOKENS)
            rates = price.rates(usage.total_input, Lane.REALTIME)
            cost = reached * rates.cost(usage)
            if policy.accept.confidence == "separate":
                cost += reached * rates.cost(Usage(size + 500, output_tokens=CHECK_TOKENS))
                calls += reached
            if name == settings.routing_tier and policy.start.otherwise == CLASSIFY:
                cost += jobs * rates.cost(Usage(size + 300, output_tokens=CLASSIFY_TOKENS))
                calls += jobs
        else:
            unpriced.append(name)
        lines.append(TierEstimate(name, reached, calls, cost))
    words = ", ".join(_words(share, name) for share, name in zip(shares, names, strict=True))
    assumption = (
        f"Assumed, not measured: {words}; {ANSWER_TOKENS} tokens an answer; the prompt read from"
        " the cache."
    )
    if unpriced:
        assumption += f" Without a price, so left out: {', '.join(unpriced)}."
    return BacklogEstimate(tuple(lines), sum((line.cost for line in lines), Decimal(0)), assumption)


def shares_of(rungs: int) -> list[Decimal]:
    """Share of messages answered on each rung: all of them together."""
    left, found = Decimal(1), list[Decimal]()
    for rung in range(rungs - 1):
        found.append(left * (STOP_FIRST if rung == 0 and rungs > 2 else STOP_LATER))
        left -= found[-1]
    return [*found, left]


def _words(share: Decimal, name: str) -> str:
    return f"{(share * 100).normalize():f}% {name}"
