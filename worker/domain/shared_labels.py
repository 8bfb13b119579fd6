"""Several messages labelled in one routing call, where a policy allows it.

Every message has an attempt and a ledger row of its own: the request's tokens are shared out over
them, and nothing is lost or counted twice. A message whose label is missing, unknown or given twice
is asked again, alone; so is every message of a request that failed, for one may have spoilt it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import accumulate

from models.vocabulary import AttemptOutcome, CallState, Purpose
from worker.domain.answers import Answer, Troubled, read_difficulty
from worker.domain.attempts import Claimed
from worker.domain.labels import entries_of
from worker.domain.pricing import Price, Usage
from worker.domain.reporting import answered_call, routed, troubled_call, troubled_report
from worker.domain.reports import Again, AttemptReport, CallReport
from worker.domain.trouble import Meaning

MAX_BYTES = 40_000
"""Of messages in one shared request: far below where a model's price goes up."""
NO_LABEL = "no label"
"""Reason of an attempt whose label the shared answer lacked."""
SPOILT = frozenset({Meaning.TOO_LONG, Meaning.PERMANENT})
"""Trouble that may be about one of the messages only."""


@dataclass(frozen=True, slots=True)
class Together:
    """What a shared request brought."""

    group: Sequence[Claimed]
    got: Answer | Troubled
    price: Price | None
    jitter: float

    def reports(self) -> list[AttemptReport]:
        """One for each message, in order."""
        if isinstance(self.got, Troubled):
            return [self._troubled(claimed, self.got) for claimed in self.group]
        keys = [str(claimed.candidate.job_id) for claimed in self.group]
        entries = entries_of(self.got.answer, keys)
        weights = [claimed.plan.call_worst_cost for claimed in self.group]
        usages = shared_out(self.got.usage, weights)
        return [
            self._labelled(claimed, self.got, entries[key], usage)
            for claimed, key, usage in zip(self.group, keys, usages, strict=True)
        ]

    def _labelled(self, claimed: Claimed, got: Answer, entry: str, usage: Usage) -> AttemptReport:
        own = replace(got, answer=replace(got.answer, text=entry))
        call = answered_call(Purpose.CLASSIFY, own, self.price)
        # At the rates of the whole request, so that the shares add up to its price.
        lane = claimed.candidate.lane
        rates = self.price.rates(got.usage.total_input, lane) if self.price else None
        cost = rates.cost(usage) if rates is not None else None
        call = replace(call, usage=usage, cost=cost, shared=len(self.group))
        difficulty = read_difficulty(own.answer)
        if difficulty is None:
            return _again(claimed, call)
        tier = claimed.candidate.policy.tier_for(difficulty)
        return routed(claimed, tier, difficulty, (call,), None)

    def _troubled(self, claimed: Claimed, got: Troubled) -> AttemptReport:
        worst = claimed.plan.call_worst_cost if self.price else None
        call = replace(troubled_call(Purpose.CLASSIFY, got, worst), shared=len(self.group))
        if got.trouble.meaning in SPOILT:
            return _again(claimed, call)
        return troubled_report(claimed, got.trouble, (call,), self.jitter)


def requests_of(group: Iterable[Claimed]) -> list[list[Claimed]]:
    """Claimed attempts as they will be sent: most alone, routing calls together where their
    policies allow it."""
    requests: list[list[Claimed]] = []
    filling: dict[tuple[str, ...], tuple[list[Claimed], int]] = {}
    for claimed in group:
        plan, candidate = claimed.plan, claimed.candidate
        if plan.together == 1:
            requests.append([claimed])
            continue
        size = len(candidate.message.text.encode())
        kind = (candidate.policy_version, plan.model or "", plan.prompt_version or "")
        batch, so_far = filling.get(kind, ([], 0))
        if not batch or len(batch) >= plan.together or so_far + size > MAX_BYTES:
            batch, so_far = [], 0
            requests.append(batch)
        batch.append(claimed)
        filling[kind] = (batch, so_far + size)
    return requests


def shared_out(usage: Usage, weights: Sequence[Decimal]) -> list[Usage]:
    """Tokens of every kind over the messages by weight, so that each kind adds up exactly."""
    kinds = (
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
        usage.output_tokens,
    )
    columns = [_split(tokens, weights) for tokens in kinds]
    return [Usage(*shares) for shares in zip(*columns, strict=True)]


def _split(total: int, weights: Sequence[Decimal]) -> list[int]:
    """Whole parts in proportion that add up to `total`; equal ones when nothing has weight."""
    whole = sum(weights, Decimal(0))
    if not whole:
        weights, whole = [Decimal(1)] * len(weights), Decimal(len(weights))
    ends = [int(total * so_far / whole) for so_far in accumulate(weights)]
    return [end - start for start, end in zip([0, *ends], [*ends[:-1], total], strict=False)]


def _again(claimed: Claimed, call: CallReport) -> AttemptReport:
    """The message's label is asked for once more, alone."""
    return AttemptReport(
        claimed.candidate.job_id,
        claimed.candidate.fence,
        AttemptOutcome.MALFORMED if call.state is CallState.DONE else AttemptOutcome.FAILED,
        Again({"alone": True}),
        (call,),
        (NO_LABEL,) if call.state is CallState.DONE else ("shared request refused",),
    )
