"""Slices: claims for the batch lane.

Promise: a slice's jobs, attempts, calls and the batch's own row are committed before the create
request leaves, so whatever becomes of the reply, what was asked is known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, Row, text

from worker.domain.claimed import Claimed, Prepared
from worker.store.queue.claim import NONE_PREPARED, Claims, PlanOf
from worker.store.queue.gates import ClaimGate, Stop, Stops

PREFIX = "batch."
"""`jobs.queue` of a job in the batch lane: this, and its tier or `routing`."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What a claim for the batch lane came to: an intent with its jobs, and jobs that need no call,
    because a rule or a remembered label decides."""

    batch_id: int | None
    asked: list[Claimed]
    begun: list[Claimed]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Ready jobs of one queue of the batch lane. `tier` may be `routing`."""

    tier: str
    ids: list[int]


def ready(
    connection: Connection, tiers: Sequence[str], size: int, gather_s: float
) -> list[Gathered]:
    """What goes into the next slices: full ones, or smaller ones where somebody has waited for
    `gather_s`. A run with a deadline has slices of its own, so that they can be cancelled when it
    has to leave the lane."""
    values = {"queues": [PREFIX + tier for tier in tiers], "limit": size, "gather": gather_s}
    found: dict[tuple[str, int | None], list[Row[Any]]] = {}
    for row in connection.execute(READY, values):
        found.setdefault((row.queue.removeprefix(PREFIX), row.alone), []).append(row)
    return [
        Gathered(tier, [row.id for row in rows[:size]])
        for (tier, _), rows in found.items()
        if len(rows) >= size or any(row.ripe for row in rows)
    ]


class Slices(Claims):
    """Claims for the batch lane."""

    def take_slice(
        self,
        tier: str,
        ids: Sequence[int],
        planner: PlanOf,
        weigh: Callable[[Claimed], int],
        max_bytes: int,
        prepared: Mapping[int, Prepared] = NONE_PREPARED,
    ) -> Slice:
        """Claims a slice and writes its intent, in one transaction. A queue that is paused, or
        whose breaker is not closed, gives nothing."""
        size: ClaimGate = partial(_beyond, max_bytes, weigh)
        with self._engine.begin() as connection:
            rows = self._lock(connection, PREFIX + tier, tier, ids, prepared)
            if not rows:
                return Slice(None, [], [])
            gates = (size, self._canaries.in_slices)
            passed = self._through(connection, rows, planner, gates, prepared)
            begun = [claimed for claimed in passed.granted if claimed.question is None]
            asked = [claimed for claimed in passed.granted if claimed.question is not None]
            if begun:
                self._write(connection, begun, passed.day)
            batch_id = _intend(connection, asked) if asked else None
            if asked:
                self._write(connection, asked, passed.day, batch_id)
        self._budgets.committed(passed.day)
        return Slice(batch_id, asked, begun)


def _beyond(
    max_bytes: int, weigh: Callable[[Claimed], int], _: Connection, planned: Sequence[Claimed]
) -> Stops:
    """The gate of one request's size: as many pass, in order, as fit into it; one at least."""
    sizes = accumulate(weigh(claimed) for claimed in planned)
    fit = max(sum(size <= max_bytes for size in sizes), 1)
    return {claimed.candidate.job_id: Stop.LATER for claimed in planned[fit:]}


def _intend(connection: Connection, asked: Sequence[Claimed]) -> int:
    question = asked[0].question
    assert question is not None, "only what asks is put into a batch"
    values = {
        "stage": asked[0].candidate.stage,
        "tier": question.tier,
        "model": question.model,
        "requests": len(asked),
    }
    return int(connection.execute(INTEND, values).scalar_one())


READY = text("""
SELECT j.queue, j.id, j.available_at <= now() - make_interval(secs => :gather) AS ripe,
  CASE WHEN r.deadline IS NOT NULL THEN r.id END AS alone
FROM runs AS r CROSS JOIN unnest(CAST(:queues AS text[])) AS q(queue) CROSS JOIN LATERAL (
  SELECT id, queue, priority, available_at FROM jobs
  WHERE run_id = r.id AND queue = q.queue AND lease_until IS NULL
    AND available_at <= now()
  ORDER BY priority DESC, available_at, id LIMIT :limit) AS j
WHERE r.state = 'active' AND r.lane IN ('batch', 'mixed')
ORDER BY r.priority DESC, r.id, j.priority DESC, j.available_at, j.id
""")

INTEND = text("""
INSERT INTO message_batches (stage, tier, model, requests)
VALUES (:stage, :tier, :model, :requests) RETURNING id
""")
