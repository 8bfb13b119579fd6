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
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from models.vocabulary import Lane, Stage
from worker.domain.claimed import Candidate, Claimed, Plan
from worker.domain.messages import MessageText
from worker.domain.policy import Policy
from worker.store.policies import PolicyCache
from worker.store.queue import budgets, gates
from worker.store.queue import suspects as suspicion
from worker.store.queue.canaries import Canaries
from worker.store.queue.certified import keep_keys
from worker.store.queue.history import NO_PAST, Past, past_of
from worker.store.rows import as_json
from worker.store.scopes import day_scope, run_scope

BUDGET_WAIT_S = 15.0


Planner = Callable[[Candidate], Plan]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a claim came to: leases; jobs to ask for again in a moment, because their queue lets one
    through at a time; and jobs that would ask Claude, which more than `may_ask` of them may not."""

    granted: list[Claimed]
    held: list[int]
    unasked: list[int] = field(default_factory=list)


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
    ) -> None:
        """`classifier` is the prompt version and model whose labels may be remembered; with
        `canary` a new combination of prompt, schema and model goes one call at a time."""
        self._engine = engine
        self._worker = worker
        self._lease_s = lease_s
        self._per_day_usd = per_day_usd
        self._classifier = {"prompt": classifier[0], "model": classifier[1]}
        self._policies = PolicyCache()
        self._canaries = Canaries(canary)
        self._day_ensured: dt.date | None = None
        """The day whose budget is known to be committed."""

    def claim(self, queue: str, ids: Sequence[int], planner: Planner) -> list[Claimed]:
        """Leases of those of `ids` that are ready in `queue` and that the budgets allow."""
        return self.take(queue, ids, planner).granted

    def take(
        self, queue: str, ids: Sequence[int], planner: Planner, may_ask: int | None = None
    ) -> Taken:
        """As `claim`, and says which jobs have to wait. At most `may_ask` of those that are claimed
        will ask Claude (None: all may); what a rule or the policy decides alone is not counted."""
        with self._engine.begin() as connection:
            rows, held = self._ready(connection, queue, ids)
            if not rows:
                return Taken([], held)
            candidates = self._candidates(connection, rows)
            planned = [Claimed(candidate, planner(candidate)) for candidate in candidates]
            planned = keep_keys(connection, planned)
            planned, unasked = _allowed(planned, may_ask)
            planned, suspects = suspicion.one_at_a_time(connection, self._worker, planned)
            planned, waiting = self._canaries.admit(connection, planned)
            day: dt.date = rows[0].today
            granted, refused = self._reserve(connection, planned, day)
            if granted:
                self._write(connection, granted, day)
            note_waiting(connection, rows, granted, refused)
        self._day_ensured = day
        return Taken(granted, held + suspects + waiting, unasked)

    def _ready(
        self, connection: Connection, queue: str, ids: Sequence[int]
    ) -> tuple[Sequence[Row[Any]], list[int]]:
        """Locks those that are ready. Nothing ready may mean that the queue's gate is not open."""
        wanted = {"ids": list(ids), "queue": queue, "gate": queue, "probing": False, "limit": None}
        rows = connection.execute(LOCK_READY, wanted | self._classifier).all()
        if rows:
            return rows, []
        gate = gates.gate_of(connection, queue)
        if gate is gates.QueueGate.SHUT:
            gates.unmark(connection, queue, ids)
        if gate is gates.QueueGate.SINGLE:
            wanted |= {"probing": True, "limit": 1}
            rows = connection.execute(LOCK_READY, wanted | self._classifier).all()
        if gate in (gates.QueueGate.OPEN, gates.QueueGate.SHUT):
            return [], []
        locked = {row.id for row in rows}
        return rows, [job_id for job_id in ids if job_id not in locked]

    def _candidates(self, connection: Connection, rows: Sequence[Row[Any]]) -> list[Candidate]:
        policies = self._policies.of(connection, {row.run_id for row in rows})
        # The first attempt of every job routes it: one that is at its first answer has no answers.
        tried = [row.id for row in rows if row.fence > (1 if row.state == "routed" else 0)]
        past = past_of(connection, tried) if tried else {}
        return [candidate_of(row, policies[row.run_id], past.get(row.id, NO_PAST)) for row in rows]

    def _reserve(
        self, connection: Connection, planned: Sequence[Claimed], day: dt.date
    ) -> tuple[list[Claimed], dict[int, str]]:
        """Grants in order as long as both budgets allow; says for the rest which one refused."""
        if self._day_ensured != day:
            budgets.ensure_day(connection, day, self._per_day_usd)
        today = day_scope(day)
        scopes = [today, *(run_scope(c.candidate.run_id) for c in planned)]
        purses = budgets.lock_purses(connection, scopes)
        granted: list[Claimed] = []
        refused: dict[int, str] = {}
        for claimed in planned:
            run = purses[run_scope(claimed.candidate.run_id)]
            purse_of_day, worst = purses[today], claimed.reserved
            if not run.fits(worst):
                refused[claimed.candidate.job_id] = "run budget"
            elif not purse_of_day.fits(worst):
                refused[claimed.candidate.job_id] = "day budget"
            else:
                run.taken += worst
                purse_of_day.taken += worst
                granted.append(claimed)
        return granted, refused

    def _write(
        self,
        connection: Connection,
        granted: Sequence[Claimed],
        day: dt.date,
        batch: int | None = None,
    ) -> None:
        """Leases and reservations; or with `batch` no lease, for whoever reads that batch's
        results will record."""
        worst = ((claimed.candidate.run_id, claimed.reserved) for claimed in granted)
        values = {
            "rows": as_json(_row(claimed) for claimed in granted),
            "purses": as_json(budgets.reservations(day, worst)),
            "lease": self._lease_s,
            "worker": self._worker,
            "day": day,
            "batch": batch,
        }
        connection.execute(WRITE_CLAIM, values)


def _allowed(planned: list[Claimed], may_ask: int | None) -> tuple[list[Claimed], list[int]]:
    """Those that ask nothing and the first `may_ask` of the others; and the ids of the rest."""
    asking = [claimed for claimed in planned if claimed.question is not None]
    if may_ask is None or len(asking) <= may_ask:
        return planned, []
    unasked = {claimed.candidate.job_id for claimed in asking[may_ask:]}
    allowed = [claimed for claimed in planned if claimed.candidate.job_id not in unasked]
    return allowed, [c.candidate.job_id for c in planned if c.candidate.job_id in unasked]


def candidate_of(row: Row[Any], policy: tuple[Policy, str], past: Past) -> Candidate:
    """From a row as `LOCK_READY` gives it; `fence` is that of before the claim."""
    return Candidate(
        job_id=row.id,
        run_id=row.run_id,
        fence=row.fence + 1,
        stage=Stage.ROUTE if row.state == "queued" else Stage.ANSWER,
        lane=Lane(row.lane),
        tier=row.tier,
        remembered=row.remembered,
        failures=row.failures,
        deferrals=row.deferrals,
        message=MessageText(
            row.body, row.subject, row.channel, row.language, row.customer_id, row.metadata
        ),
        policy=policy[0],
        policy_version=policy[1],
        history=past.answers,
        available_at=row.available_at,
        kept=past.kept,
        difficulty=row.difficulty,
        alone=past.alone,
    )


def _row(claimed: Claimed) -> dict[str, Any]:
    candidate, question = claimed.candidate, claimed.question
    row: dict[str, Any] = {
        "job_id": candidate.job_id,
        "fence": candidate.fence,
        "stage": candidate.stage,
        "lane": candidate.lane,
        "policy_version": candidate.policy_version,
        "reserved": claimed.reserved,
        "available_at": candidate.available_at.isoformat(),
    }
    if question is not None:
        row |= {
            "tier": question.tier,
            "model": question.model,
            "prompt_version": question.prompt_version,
            "schema_version": question.schema_version,
            "effort": question.effort,
            "max_tokens": question.max_tokens,
            "answer_fence": question.answer_fence,
            "purpose": question.purpose,
            "worst_cost": question.worst_cost,
        }
    return row


def note_waiting(
    connection: Connection,
    rows: Sequence[Row[Any]],
    granted: Sequence[Claimed],
    refused: Mapping[int, str],
) -> None:
    """Keeps `runs.waiting_for` true, touching the row only when it changes."""
    if refused:
        connection.execute(POSTPONE, {"ids": list(refused), "wait": BUDGET_WAIT_S})
    waiting = {row.run_id: row.waiting_for for row in rows}
    claimed_runs = {claimed.candidate.run_id for claimed in granted}
    words = {row.run_id: refused[row.id] for row in rows if row.id in refused}
    for run_id, was in waiting.items():
        now = words.get(run_id)
        if now != was and (now is not None or run_id in claimed_runs):
            connection.execute(SET_WAITING, {"run": run_id, "words": now})


LOCK_READY = text("""
SELECT j.id, j.run_id, j.state, j.lane, j.tier, j.difficulty, j.fence, j.failures, j.deferrals,
  j.available_at, r.waiting_for, (now() AT TIME ZONE 'UTC')::date AS today,
  m.body, m.subject, m.channel, m.language, m.customer_id, m.metadata,
  CASE WHEN j.state = 'queued' THEN (
    SELECT difficulty FROM classifications
    WHERE digest = m.digest AND prompt_version = :prompt AND model = :model) END AS remembered
FROM jobs AS j JOIN runs AS r ON r.id = j.run_id JOIN messages AS m ON m.id = j.message_id
WHERE j.id = ANY(:ids) AND j.queue = :queue AND j.lease_until IS NULL
  AND j.available_at <= now() AND r.state = 'active' AND m.erased_at IS NULL
  AND NOT EXISTS (
    SELECT FROM tiers t WHERE t.name IN (:gate, 'everything')
      AND (t.paused OR (t.breaker = 'open' AND t.breaker_until > now())
        OR (t.breaker <> 'closed' AND NOT :probing)))
ORDER BY j.id LIMIT :limit FOR UPDATE OF j SKIP LOCKED
""")

# The budgets' rows are locked by now.
WRITE_CLAIM = text("""
WITH reserved AS (
  UPDATE budgets AS b SET reserved = b.reserved + t.reserved, updated_at = now()
  FROM jsonb_to_recordset(CAST(:purses AS jsonb)) AS t(scope text, reserved numeric)
  WHERE b.scope = t.scope
), given AS (
  SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
    job_id bigint, fence int, stage text, tier text, model text, lane text, policy_version text,
    prompt_version text, schema_version text, effort text, max_tokens int, answer_fence int,
    reserved numeric, available_at timestamptz, purpose text, worst_cost numeric)
), leased AS (
  UPDATE jobs SET fence = g.fence, dispatched_at = NULL,
    state = CASE WHEN CAST(:batch AS bigint) IS NULL THEN jobs.state ELSE 'submitted' END,
    lease_until = CASE WHEN CAST(:batch AS bigint) IS NULL
      THEN clock_timestamp() + make_interval(secs => :lease) END
  FROM given AS g WHERE jobs.id = g.job_id
), attempted AS (
  INSERT INTO attempts (job_id, fence, stage, tier, model, lane, policy_version, prompt_version,
    schema_version, effort, max_tokens, answer_fence, reserved, budget_day, worker, batch_id,
    available_at)
  SELECT job_id, fence, stage, tier, model, lane, policy_version, prompt_version,
    schema_version, effort, max_tokens, answer_fence, reserved, :day, :worker, :batch, available_at
  FROM given
)
INSERT INTO calls (job_id, fence, purpose, tier, model, lane, worst_cost)
SELECT job_id, fence, purpose, tier, model, lane, worst_cost FROM given WHERE purpose IS NOT NULL
""")

POSTPONE = text("""
UPDATE jobs SET dispatched_at = NULL, available_at = now() + make_interval(secs => :wait)
WHERE id = ANY(:ids)
""")

SET_WAITING = text("UPDATE runs SET waiting_for = :words WHERE id = :run")
