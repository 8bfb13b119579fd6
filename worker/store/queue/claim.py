"""Claim: take a lease, reserve the worst case, and write the ledger before anything is sent.

One short transaction for a group. Promises: only a ready job of an active run is claimed, by
compare-and-set under its row lock, and zero rows is a normal end; `settled + reserved ≤ cap`; each
claimed attempt and its first call are in Postgres before the request leaves (the ledger is
write-ahead, so a crash can lose an answer but never the trace of a request).
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from worker.domain.claimed import Candidate, Claimed, FoundPages, Plan, Prepared
from worker.store.passages import PASSAGES_SHOWN
from worker.store.policies import PolicyCache
from worker.store.queue.budgets import Budgets
from worker.store.queue.canaries import Canaries
from worker.store.queue.candidates import candidate_of
from worker.store.queue.certified import keep_keys
from worker.store.queue.gates import ClaimGate, QueueGate, Stop, Stops, gate_of, unmark
from worker.store.queue.history import NO_PAST, past_of
from worker.store.queue.knowledge import PagesShown
from worker.store.queue.knowledge_ways import PriceOf
from worker.store.queue.leases import write_leases
from worker.store.queue.suspects import one_at_a_time
from worker.store.queue.waiting import note_waiting
from worker.store.queue.wanting import Wanting, wanting
from worker.store.vectors import Near, has_pgvector, nearest

PlanOf = Callable[[Candidate], Plan]
"""What a candidate would ask, and what that can cost; it does no I/O, for jobs are locked."""
NONE_PREPARED: Mapping[int, Prepared] = {}


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What a claim came to: leases; jobs to ask for again in a moment, because their queue lets one
    through at a time; and jobs that would ask Claude, which more than `may_ask` of them may not."""

    granted: list[Claimed]
    held: list[int]
    unasked: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class GatesPassed:
    """Which of the ready jobs passed every gate, why the others did not, and whose day it is."""

    granted: list[Claimed]
    stops: Stops
    day: dt.date

    def at(self, stop: Stop) -> list[int]:
        """Ids of the jobs that stopped for this."""
        return [job_id for job_id, why in self.stops.items() if why is stop]


class Claims:
    """Claims groups of jobs for one worker process."""

    def __init__(
        self,
        engine: Engine,
        *,
        worker: str,
        lease_s: float,
        per_day_usd: Decimal | None,
        classifier: tuple[str, str],
        canary: bool = True,
        price_of: PriceOf | None = None,
    ) -> None:
        """`classifier` is the prompt version and model whose labels may be remembered; with
        `canary` a new combination of prompt, schema and model goes one call at a time. `price_of`
        gives model and price of a tier; without it pages are never shown whole."""
        self._engine = engine
        self._worker = worker
        self._lease_s = lease_s
        self._classifier = {"prompt": classifier[0], "model": classifier[1]}
        self._policies = PolicyCache()
        self._suspects: ClaimGate = partial(one_at_a_time, worker)
        self._canaries = Canaries(canary)
        self._budgets = Budgets(per_day_usd)
        self._pages = PagesShown(price_of)
        self._pgvector = False

    def take(
        self,
        queue: str,
        ids: Sequence[int],
        planner: PlanOf,
        may_ask: int | None = None,
        prepared: Mapping[int, Prepared] = NONE_PREPARED,
    ) -> ClaimResult:
        """Leases of those of `ids` that are ready in `queue` and that the budgets allow, and which
        jobs have to wait. At most `may_ask` of those that are claimed will ask Claude (None: all
        may); what a rule or the policy decides alone is not counted. `prepared` is what look-ups
        found, by job."""
        gates: tuple[ClaimGate, ...] = (self._suspects, self._canaries.singly)
        if may_ask is not None:
            gates = (partial(_asking, may_ask), *gates)
        with self._engine.begin() as connection:
            rows, held = self._ready(connection, queue, ids, prepared)
            if not rows:
                return ClaimResult([], held)
            passed = self._through(connection, rows, planner, gates, prepared)
            if passed.granted:
                self._write(connection, passed.granted, passed.day)
        self._budgets.committed(passed.day)
        return ClaimResult(passed.granted, held + passed.at(Stop.HELD), passed.at(Stop.UNASKED))

    def _ready(
        self, connection: Connection, queue: str, ids: Sequence[int], read: Mapping[int, Prepared]
    ) -> tuple[Sequence[Row[Any]], list[int]]:
        """Locks those that are ready. Nothing ready may mean that the queue's gate is not open."""
        rows = self._lock(connection, queue, queue, ids, read)
        if rows:
            return rows, []
        gate = gate_of(connection, queue)
        if gate is QueueGate.SHUT:
            unmark(connection, queue, ids)
        if gate is QueueGate.SINGLE:
            rows = self._lock(connection, queue, queue, ids, read, probing=True, limit=1)
        if gate in (QueueGate.OPEN, QueueGate.SHUT):
            return [], []
        locked = {row.id for row in rows}
        return rows, [job_id for job_id in ids if job_id not in locked]

    def _lock(
        self,
        connection: Connection,
        queue: str,
        gate: str,
        ids: Sequence[int],
        read: Mapping[int, Prepared],
        *,
        probing: bool = False,
        limit: int | None = None,
    ) -> Sequence[Row[Any]]:
        """Those that may be claimed now, locked; `gate` is the row of `tiers` that may keep the
        queue: of the batch lane its tier's. Of `read` the rows' columns are known already."""
        wanted = {"ids": list(ids), "queue": queue, "gate": gate, "probing": probing,
                  "read": [job_id for job_id, one in read.items() if one.message]}  # fmt: skip
        return connection.execute(LOCK_READY, wanted | self._classifier | {"limit": limit}).all()

    def _through(
        self,
        connection: Connection,
        rows: Sequence[Row[Any]],
        planner: PlanOf,
        gates: Sequence[ClaimGate],
        prepared: Mapping[int, Prepared] = NONE_PREPARED,
    ) -> GatesPassed:
        """Plans what is locked, and sends it through the gates; what the budgets refuse says so."""
        day: dt.date = rows[0].today
        candidates = self._pages.shown_to(
            connection, self._candidates(connection, rows, prepared), rows[0].pages_at
        )
        going = [Claimed(candidate, planner(candidate)) for candidate in candidates]
        planned = going = keep_keys(connection, going)
        last: ClaimGate = partial(self._budgets.stops, day)
        stops = dict[int, Stop]()
        for gate in (*gates, last):
            if found := gate(connection, going):
                stops |= found
                going = [one for one in going if one.candidate.job_id not in found]
        note_waiting(connection, rows, planned, going, stops, planner)
        return GatesPassed(going, stops, day)

    def _candidates(
        self, connection: Connection, rows: Sequence[Row[Any]], prepared: Mapping[int, Prepared]
    ) -> list[Candidate]:
        policies = self._policies.of(connection, {row.run_id for row in rows})
        # The first attempt of every job routes it: one that is at its first answer has no answers.
        tried = [row.id for row in rows if row.fence > (1 if row.state == "routed" else 0)]
        past = past_of(connection, tried) if tried else {}
        return [
            candidate_of(row, policies[row.run_id], past.get(row.id, NO_PAST), prepared.get(row.id))
            for row in rows
        ]

    def wanting(self, ids: Sequence[int]) -> tuple[list[Wanting], dict[int, FoundPages]]:
        """Those of `ids` about which something is found out before they are claimed, and what was
        found in their policies' pages, by job; nothing is locked."""
        with self._engine.begin() as connection:
            search = self._pages.to_search
            found = wanting(connection, self._policies, ids, self._pages.searching, search)
            return found, self._pages.found_before(connection, found, search)

    def nearest(self, embedder: str, asked: Sequence[Near]) -> dict[int, list[str]] | None:
        """The ids of the passages nearest to messages; None where pgvector is not there."""
        with self._engine.begin() as connection:
            self._pgvector = self._pgvector or has_pgvector(connection)
            return nearest(connection, embedder, asked, PASSAGES_SHOWN) if self._pgvector else None

    def _write(
        self,
        connection: Connection,
        granted: Sequence[Claimed],
        day: dt.date,
        batch: int | None = None,
    ) -> None:
        write_leases(
            connection,
            granted,
            day=day,
            worker=self._worker,
            lease_s=self._lease_s,
            batch=batch,
        )


def _asking(may_ask: int, _: Connection, planned: Sequence[Claimed]) -> Stops:
    """The gate of the rate limits: what asks nothing passes, and `may_ask` of the others."""
    asking = [claimed.candidate.job_id for claimed in planned if claimed.question is not None]
    return dict.fromkeys(asking[may_ask:], Stop.UNASKED)


LOCK_READY = text("""
SELECT j.id, j.run_id, j.message_id, j.state, j.lane, j.tier, j.difficulty, j.fence, j.failures,
  j.deferrals, j.cost AS spent, j.available_at, r.waiting_for,
  (now() AT TIME ZONE 'UTC')::date AS today,
  m.body, m.subject, m.channel, m.language, m.customer_id,
  CASE WHEN j.id <> ALL(CAST(:read AS bigint[])) THEN m.metadata END AS metadata,
  CASE WHEN j.state = 'queued' THEN (
    SELECT difficulty FROM classifications
    WHERE digest = m.digest AND model = :model
      AND prompt_version = coalesce(r.prompts ->> 'classify', :prompt)) END AS remembered,
  CASE r.kind
    WHEN 'judge' THEN (SELECT reply FROM results WHERE job_id = j.origin_id) END AS judged,
  (SELECT hashtextextended(string_agg(concat_ws(' ', id, version, synced_at), ' ' ORDER BY id), 0)
    FROM knowledge_folders) AS pages_at
FROM jobs AS j CROSS JOIN LATERAL (
  SELECT state, kind, prompts, waiting_for FROM runs WHERE id = j.run_id OFFSET 0) AS r
JOIN messages AS m ON m.id = j.message_id
WHERE j.id = ANY(:ids) AND j.queue = :queue AND j.lease_until IS NULL
  AND j.available_at <= now() AND r.state = 'active' AND m.erased_at IS NULL
  AND NOT EXISTS (
    SELECT FROM tiers t WHERE t.name IN (:gate, 'everything')
      AND (t.paused OR (t.breaker = 'open' AND t.breaker_until > now())
        OR (t.breaker <> 'closed' AND NOT :probing)))
ORDER BY j.id LIMIT :limit FOR UPDATE OF j SKIP LOCKED
""")
