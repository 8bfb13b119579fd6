"""How runs, queues and tiers stand. Reads counters and the small indexes of what is outstanding:
nothing here grows with the table."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, text

from models.vocabulary import EVERYTHING, BatchState
from worker.domain.hold_words import pause_words
from worker.domain.wording import plural, span
from worker.store.queue.lookup_failures import failing_lookups
from worker.store.reading.queue_holds import queue_holds
from worker.store.rows import values_of

UNCONFIRMED_S = 30.0
"""A batch whose sending nobody has answered for so long is no batch that is being sent."""


def troubles(connection: Connection) -> list[str]:
    """Why queues stand still or are slow, in sentences: pauses, holds, breakers, canaries, and
    look-ups that bring nothing."""
    failing = failing_lookups(connection)
    holds = [hold.words for hold in queue_holds(connection)]
    return [*holds, *(one.words for one in failing), *unconfirmed(connection)]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBatch:
    """A Message Batch under way; `batch` is its number here."""

    batch: int
    state: str
    stage: str
    tier: str | None
    requests: int
    error: str | None
    submitted_at: dt.datetime | None
    age_s: float
    external_id: str | None
    look_s: float
    """Until its next look."""

    @property
    def word(self) -> str:
        """Where it is, as every screen says it."""
        if self.state == BatchState.INTENDED:
            return "being sent" if self.age_s < UNCONFIRMED_S else "not confirmed by Claude"
        return {"submitted": "at Claude", "ended": "being read"}.get(self.state, self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchesAtClaude:
    """All batches that Claude has, of whatever run: how many, `since` when the oldest, and in how
    many seconds one is looked at next."""

    batches: int
    requests: int
    since: dt.datetime | None
    look_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStanding:
    """A queue: what waits and is in flight, its workers, and what keeps it, if anything does.
    `breaker_s` is until an open breaker tries again, `held_s` until Claude may be asked again."""

    queue: str
    waiting: int
    in_flight: int
    workers: int
    paused: bool = False
    paused_reason: str | None = None
    paused_by: str | None = None
    paused_at: dt.datetime | None = None
    breaker: str = "closed"
    breaker_until: dt.datetime | None = None
    breaker_reason: str | None = None
    held_s: float = 0.0
    held_at: dt.datetime | None = None
    held_reason: str | None = None
    breaker_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBudget:
    """A budget of a UTC day, in dollars; `budget_usd` is its cap, None without one. `overrun` is
    what it may be passed by, to let what is in flight end."""

    day: dt.date
    spent_usd: Decimal
    reserved_usd: Decimal
    budget_usd: Decimal | None
    budget_warned_percent: int
    overrun: Decimal

    @property
    def used(self) -> Decimal:
        """Dollars spent and reserved."""
        return self.spent_usd + self.reserved_usd


def batches_at_claude(connection: Connection) -> BatchesAtClaude:
    """Those that were sent and whose results nobody reads yet."""
    (found,) = values_of(BatchesAtClaude, connection.execute(AT_CLAUDE))
    return found


def batches_of(connection: Connection, run_id: int) -> list[OpenBatch]:
    """Message Batches under way that hold jobs of a run, oldest first. Claude says nothing of a
    batch before it has ended, so its age is all the progress there is."""
    return values_of(OpenBatch, connection.execute(BATCHES, {"run": run_id}))


def unconfirmed(connection: Connection) -> list[str]:
    """Batches that were sent, and of which Claude has not said that it has them: in sentences."""
    row = connection.execute(UNCONFIRMED, {"after": UNCONFIRMED_S}).one()
    if not row.batches:
        return []
    held = f"{plural(row.batches, 'batch', 'batches')} with {plural(row.requests, 'request')}"
    why = f": {row.error}" if row.error else ""
    return [
        f"Claude has not confirmed {held}, for {span(row.age_s)} now{why}. Rung looks for"
        " them, and sends again what Claude does not list"
    ]


def queues(connection: Connection, names: Iterable[str]) -> list[QueueStanding]:
    """Each queue: waiting, dispatched, in flight, workers, paused and why."""
    found = {row.queue: (row.leased, row.workers) for row in connection.execute(QUEUES)}
    waiting: dict[str, int] = {row[0]: row[1] for row in connection.execute(WAITING)}
    troubles = {row.pop("name"): row for row in map(dict, connection.execute(TIERS).mappings())}
    return [
        QueueStanding(
            queue=name,
            # Two statements, so two moments: what was claimed between them is not waiting.
            waiting=max(waiting.get(name, 0) - leased, 0),
            in_flight=leased,
            workers=working,
            **troubles.get(name, {}),
        )
        for name in names
        for leased, working in [found.get(name, (0, 0))]
    ]


def in_flight_of(connection: Connection, run_id: int) -> dict[str, int]:
    """Jobs of a run that workers hold, by queue."""
    return {row.queue: row.leased for row in connection.execute(IN_FLIGHT_OF, {"run": run_id})}


def today(connection: Connection) -> DayBudget | None:
    """The budget of the current UTC day; None before its first claim."""
    return next(iter(values_of(DayBudget, connection.execute(TODAY))), None)


def paused_everything(connection: Connection) -> str | None:
    """By whom everything is paused, since when and why; None when it is not."""
    row = connection.execute(PAUSED_ALL).one_or_none()
    if row is None:
        return None
    return pause_words(
        EVERYTHING, by=row.paused_by, since=row.paused_at, reason=row.paused_reason, now=row.now
    )


UNCONFIRMED = text("""
SELECT count(*) AS batches, coalesce(sum(requests), 0)::bigint AS requests, max(error) AS error,
  extract(epoch FROM now() - min(coalesce(submitted_at, created_at)))::float8 AS age_s
FROM message_batches WHERE state = 'intended'
  AND coalesce(submitted_at, created_at) < now() - make_interval(secs => :after)
""")
QUEUES = text("""
SELECT coalesce(l.queue, w.queue) AS queue, coalesce(l.leased, 0) AS leased,
  coalesce(w.workers, 0) AS workers
FROM (
  SELECT queue, count(*) AS leased FROM (
    SELECT queue FROM jobs WHERE lease_until IS NOT NULL ORDER BY queue, lease_until OFFSET 0) AS j
  GROUP BY 1) AS l
FULL JOIN (
  SELECT key AS queue, count(*) AS workers FROM workers, jsonb_each(capacity)
  WHERE seen_at > now() - interval '10 seconds' AND NOT stopping GROUP BY 1) AS w USING (queue)
""")

IN_FLIGHT_OF = text("""
SELECT queue, count(*) AS leased FROM (
  SELECT queue, run_id FROM jobs WHERE lease_until IS NOT NULL
  ORDER BY queue, lease_until OFFSET 0) AS j
WHERE run_id = :run GROUP BY 1
""")

WAITING = text("""
SELECT CASE c.state WHEN 'queued' THEN 'routing' ELSE c.tier END, sum(c.jobs)::bigint
FROM run_counts AS c JOIN runs AS r ON r.id = c.run_id
WHERE r.finished_at IS NULL AND c.state IN ('queued', 'routed') GROUP BY 1
""")

TODAY = text("""
SELECT day, spent AS spent_usd, reserved AS reserved_usd, cap AS budget_usd,
  warned_percent AS budget_warned_percent, overrun
FROM budgets WHERE day = (now() AT TIME ZONE 'UTC')::date
""")
TIERS = text("""
SELECT name, paused, CASE WHEN paused THEN paused_reason END AS paused_reason,
  CASE WHEN paused THEN paused_by END AS paused_by,
  CASE WHEN paused THEN paused_at END AS paused_at, breaker, breaker_until, breaker_reason,
  CASE WHEN breaker_until > now() THEN extract(epoch FROM breaker_until - now())::float8 END
    AS breaker_s,
  greatest(coalesce(extract(epoch FROM held_until - now()), 0), 0)::float8 AS held_s,
  CASE WHEN held_until > now() THEN held_at END AS held_at,
  CASE WHEN held_until > now() THEN held_reason END AS held_reason
FROM tiers
""")
PAUSED_ALL = text("""
SELECT paused_reason, paused_by, paused_at, now() AS now FROM tiers
WHERE name = 'everything' AND paused
""")
AT_CLAUDE = text("""
SELECT count(*) AS batches, coalesce(sum(requests), 0)::bigint AS requests,
  min(submitted_at) AS since,
  extract(epoch FROM greatest(min(next_poll_at) - now(), interval '0'))::float8 AS look_s
FROM message_batches WHERE state = 'submitted'
""")
BATCHES = text("""
SELECT id AS batch, state, stage, tier, requests, error, submitted_at, external_id,
  extract(epoch FROM now() - coalesce(submitted_at, created_at))::float8 AS age_s,
  extract(epoch FROM next_poll_at - now())::float8 AS look_s
FROM message_batches AS b
WHERE state IN ('intended', 'submitted', 'ended') AND EXISTS (
  SELECT FROM (SELECT job_id FROM attempts WHERE batch_id = b.id OFFSET 0) AS a
  CROSS JOIN LATERAL (SELECT run_id FROM jobs WHERE id = a.job_id OFFSET 0) AS j
  WHERE j.run_id = :run OFFSET 0)
ORDER BY id LIMIT 200
""")
