"""What a backlog will probably cost, before anything is spent, and what that assumes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Connection

from models.vocabulary import Lane, Purpose
from worker.claude.prompts import prompts_of
from worker.config.addresses import is_simulated
from worker.config.prices import price_of
from worker.config.settings import Settings
from worker.domain.knowledge_cost import KnowledgeSize, KnowledgeWay, decide_way
from worker.domain.lengths import LengthClass
from worker.domain.policy import Policy
from worker.domain.wording import dollars
from worker.runs.estimator import (
    NOTHING_COUNTED,
    BacklogEstimate,
    BacklogEstimator,
    CountedTokens,
    LengthEstimate,
    TierEstimate,
)
from worker.store.counted import counted_inputs


def estimate(settings: Settings, policy: Policy, jobs: int, body_bytes: int) -> BacklogEstimate:
    """Expected spend by tier, of messages that are all of about the same length."""
    return BacklogEstimator(settings, policy).backlog(jobs, body_bytes)


def counted_tokens(connection: Connection, settings: Settings) -> CountedTokens:
    """What the fixed parts of requests came to in earlier calls, of Claude or of the simulator,
    whichever answers now; of several schemas the most."""
    simulated = is_simulated(settings)
    found: dict[tuple[Purpose, str, str], int] = {}
    for kind, tokens in counted_inputs(connection, simulated=simulated).items():
        key = (kind.purpose, kind.model, kind.prompt_version)
        found[key] = max(tokens, found.get(key, 0))
    return found


def way_of_pages(
    settings: Settings,
    policy: Policy,
    folders: Mapping[str, KnowledgeSize],
    lane: Lane,
    messages: int,
) -> KnowledgeWay | None:
    """How a run with so many messages would be shown its pages; None where it has none that were
    synced, or no price says."""
    size = KnowledgeSize.together(folders[name] for name in policy.knowledge if name in folders)
    model = settings.tiers[policy.rungs.bottom].model
    price = price_of(model, settings.prices)
    if not size.whole or price is None:
        return None
    version = prompts_of(settings, policy)[Purpose.ANSWER].version
    return decide_way(
        policy, size, price, model=model, lane=lane, messages=messages, prompt_version=version
    )


def by_length(
    settings: Settings,
    policy: Policy,
    lengths: Iterable[LengthClass],
    pages: KnowledgeWay | None = None,
    counted: CountedTokens = NOTHING_COUNTED,
    *,
    forecast: float | None = None,
) -> tuple[BacklogEstimate, list[LengthEstimate]]:
    """Expected spend of a backlog by tier and by length. Where the record gives a `forecast` in
    dollars for all of it, the parts come to that sum, in the proportions that are assumed."""
    estimator, classes = BacklogEstimator(settings, policy, pages, counted), list(lengths)
    found = [estimator.backlog(one.messages, one.all_bytes) for one in classes]
    if not found:
        return estimator.backlog(0, 0), []
    by_tier = zip(*(one.tiers for one in found), strict=True)
    tiers = tuple(
        TierEstimate(
            tier=same[0].tier,
            jobs=sum(line.jobs for line in same),
            calls=sum(line.calls for line in same),
            cost=sum((line.cost for line in same), Decimal(0)),
        )
        for same in by_tier
    )
    total = sum((one.total for one in found), Decimal(0))
    summed = BacklogEstimate(tiers, total, found[0].assumption)
    lines = [estimator.length(one) for one in classes]
    return (summed, lines) if forecast is None else _come_to(summed, lines, forecast)


def _come_to(
    summed: BacklogEstimate, lengths: list[LengthEstimate], forecast: float
) -> tuple[BacklogEstimate, list[LengthEstimate]]:
    total = Decimal(repr(forecast))
    factor = total / summed.total if summed.total else Decimal(0)
    tiers = tuple(replace(line, cost=line.cost * factor) for line in summed.tiers)
    parts = [replace(line, cost=line.cost * factor) for line in lengths]
    return replace(summed, tiers=tiers, total=total), parts


def unreachable(settings: Settings, policy: Policy) -> Mapping[str, Decimal]:
    """Tiers at which even an empty message could cost more than a message may, and how much."""
    estimator = BacklogEstimator(settings, policy)
    return {tier: estimator.worst(tier, 0) for tier in policy.ladder if estimator.beyond(tier, 0)}


def unreachable_words(settings: Settings, found: Mapping[str, Decimal]) -> str:
    """As a sentence without a full stop."""
    listed = ", ".join(f"{tier} {dollars(worst)}" for tier, worst in found.items())
    most = dollars(settings.policy.max_cost_per_message)
    return f"a message may cost {most}, and one answer could cost more: {listed}"
