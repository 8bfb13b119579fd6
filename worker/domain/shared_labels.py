"""Several messages labelled in one routing call, where a policy allows it.

Every message has an attempt and a ledger row of its own: the request's tokens are shared out over
them, and nothing is lost or counted twice. A message whose label is missing, unknown or given twice
is asked again, alone; so is every message of a request that failed, for one may have spoilt it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate

from worker.domain.answers import Answer, Troubled
from worker.domain.claimed import Claimed
from worker.domain.labels import entries_of
from worker.domain.pricing import Usage

MAX_BYTES = 40_000
"""Of messages in one shared request: far below where a model's price goes up."""


def parts_of(got: Answer | Troubled, group: Sequence[Claimed]) -> list[Answer | Troubled]:
    """What a shared request brought each message of `group`, in order: its label and its share of
    the tokens, or the trouble that all met."""
    if isinstance(got, Troubled):
        return [replace(got, shared=len(group))] * len(group)
    keys = [str(claimed.candidate.job_id) for claimed in group]
    entries = entries_of(got.answer, keys)
    usages = shared_out(got.usage, [claimed.reserved for claimed in group])
    return [
        replace(
            got,
            answer=replace(got.answer, text=entries[key]),
            usage=usage,
            whole=got.usage,
            shared=len(group),
        )
        for key, usage in zip(keys, usages, strict=True)
    ]


def requests_of(group: Iterable[Claimed]) -> list[list[Claimed]]:
    """Claimed attempts as they will be sent: most alone, routing calls together where their
    policies allow it."""
    requests: list[list[Claimed]] = []
    filling: dict[tuple[str, ...], tuple[list[Claimed], int]] = {}
    for claimed in group:
        question, candidate = claimed.question, claimed.candidate
        if question is None or question.together == 1:
            requests.append([claimed])
            continue
        size = len(candidate.message.text.encode())
        kind = (candidate.policy_version, question.model, question.prompt_version)
        batch, so_far = filling.get(kind, ([], 0))
        if not batch or len(batch) >= question.together or so_far + size > MAX_BYTES:
            batch, so_far = [], 0
            requests.append(batch)
        batch.append(claimed)
        filling[kind] = (batch, so_far + size)
    return requests


def shared_out(usage: Usage, weights: Sequence[Decimal]) -> list[Usage]:
    """Tokens of every kind over the messages by weight, so that each kind adds up exactly."""
    kinds = Usage.__slots__
    columns = [_split(getattr(usage, kind), weights) for kind in kinds]
    return [Usage(**dict(zip(kinds, one, strict=True))) for one in zip(*columns, strict=True)]


def _split(total: int, weights: Sequence[Decimal]) -> list[int]:
    """Whole parts in proportion that add up to `total`; equal ones when nothing has weight."""
    whole = sum(weights, Decimal(0))
    if not whole:
        weights, whole = [Decimal(1)] * len(weights), Decimal(len(weights))
    ends = [int(total * so_far / whole) for so_far in accumulate(weights)]
    return [end - start for start, end in zip([0, *ends], [*ends[:-1], total], strict=False)]
