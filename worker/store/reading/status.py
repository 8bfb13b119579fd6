"""How runs, queues and tiers stand. Reads counters and the small indexes of what is outstanding:
nothing here grows with the table."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from models.vocabulary import EVERYTHING
from worker.domain.hold_words import pause_words
from worker.domain.trials import trial_words
from worker.store.queue.lookup_failures import failing_lookups
from worker.store.reading.batches import unconfirmed
from worker.store.reading.queue_holds import queue_holds
from worker.store.reading.trials import holding, trials
from worker.store.rows import values_of


@dataclass(frozen=True, slots=True)
class TroubleTold:
    """What is wrong, with all that may help, and in brief: with what helps mostly."""

    words: str
    brief: str


def told(connection: Connection) -> list[TroubleTold]:
    """Why queues stand still or are slow: pauses, holds, breakers, canaries, and look-ups that
    bring nothing."""
    others = [one.words for one in failing_lookups(connection)] + unconfirmed(connection)
    holds = [TroubleTold(hold.words, hold.brief) for hold in queue_holds(connection)]
    return [*holds, *(TroubleTold(words, words) for words in others)]


def troubles(connection: Connection) -> list[str]:
    """The same in sentences."""
    return [one.words for one in told(connection)]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStanding:
    """A queue: what waits and is in flight, its workers, and what keeps it, if anything does.
    `breaker_s` is until an open breaker tries again, `held_s` until Claude may be asked again.
    `halted` says that everything is paused; who did that, why and when is said as of the queue
    where it has no pause of its own."""

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
    breaker_at: dt.datetime | None = None
    """Since when it is not closed."""
    halted: bool = False
    in_batches: int = 0
    """Messages that are in Message Batches, and wait for nothing here."""
    trial_good: int | None = None
    """Calls of a new prompt, schema or model that have gone well, and `trial_bad` those that have
    failed, while these are tried and hold all others back; None while nothing is on trial."""
    trial_bad: int | None = None

    @property
    def stands(self) -> bool:
        """Whether somebody has paused it, alone or with everything."""
        return self.paused or self.halted

    @property
    def trial_words(self) -> str:
        """How its trial goes, and what comes of it; empty while nothing is on trial."""
        if self.trial_good is None:
            return ""
        return trial_words(self.queue, self.trial_good, self.trial_bad or 0, self.waiting)


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


def queues(connection: Connection, names: Iterable[str]) -> list[QueueStanding]:
    """Each queue: waiting, dispatched, in flight, workers, paused and why."""
    found = {row.queue: (row.leased, row.workers) for row in connection.execute(QUEUES)}
    waiting: dict[str, int] = {row[0]: row[1] for row in connection.execute(WAITING)}
    batched: dict[str, int] = {row[0]: row[1] for row in connection.execute(IN_BATCHES)}
    tiers = {row.pop("name"): row for row in map(dict, connection.execute(TIERS).mappings())}
    tried, lines = trials(connection), list[QueueStanding]()
    for name in names:
        leased, working = found.get(name, (0, 0))
        # Where these are two moments, what was claimed between them is not waiting.
        left, sent = max(waiting.get(name, 0) - leased, 0), batched.get(name, 0)
        trial = holding(tried, name, waiting=left, in_flight=leased, batched=sent)
        lines.append(
            QueueStanding(
                queue=name,
                waiting=left,
                in_flight=leased,
                workers=working,
                in_batches=sent,
                trial_good=trial.good if trial else None,
                trial_bad=trial.bad if trial else None,
                **_kept(name, tiers),
            )
        )
    return lines


def _kept(name: str, tiers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What keeps a queue: its own row, and a pause of everything."""
    own, all_of_it = tiers.get(name, {}), tiers.get(EVERYTHING, {})
    if not all_of_it.get("paused"):
        return dict(own)
    whose = own if own.get("paused") else all_of_it
    pause = {key: whose[key] for key in ("paused_reason", "paused_by", "paused_at")}
    return {**own, **pause, "halted": True}


def in_flight_of(connection: Connection, runs: Sequence[int]) -> dict[int, dict[str, int]]:
    """Jobs that workers hold of each of these runs, by queue."""
    found: dict[int, dict[str, int]] = {run: {} for run in runs}
    for row in connection.execute(IN_FLIGHT_OF, {"runs": list(runs)}):
        found[row.run_id][row.queue] = row.leased
    return found


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


QUEUES = text("""
SELECT coalesce(l.queue, w.queue) AS queue, coalesce(l.leased, 0) AS leased,
  coalesce(w.workers, 0) AS workers
FROM (
  SELECT queue, count(*) AS leased FROM (
    SELECT queue FROM jobs WHERE lease_until > now() ORDER BY queue, lease_until OFFSET 0) AS j
  GROUP BY 1) AS l
FULL JOIN (
  SELECT key AS queue, count(*) AS workers FROM workers, jsonb_each(capacity)
  WHERE seen_at > now() - interval '10 seconds' AND NOT stopping GROUP BY 1) AS w USING (queue)
""")

IN_FLIGHT_OF = text("""
SELECT run_id, queue, count(*) AS leased FROM (
  SELECT queue, run_id FROM jobs WHERE lease_until > now()
  ORDER BY queue, lease_until OFFSET 0) AS j
WHERE run_id = ANY(:runs) GROUP BY 1, 2
""")

WAITING = text("""
SELECT CASE c.state WHEN 'queued' THEN 'routing' ELSE c.tier END, sum(c.jobs)::bigint
FROM run_counts AS c JOIN runs AS r ON r.id = c.run_id
WHERE r.finished_at IS NULL AND c.state IN ('queued', 'routed') GROUP BY 1
""")

IN_BATCHES = text("""
SELECT CASE c.tier WHEN '' THEN 'routing' ELSE c.tier END, sum(c.jobs)::bigint
FROM run_counts AS c JOIN runs AS r ON r.id = c.run_id
WHERE r.finished_at IS NULL AND c.state = 'submitted' GROUP BY 1
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
  CASE WHEN breaker <> 'closed' THEN (
    SELECT max(at) FROM notices WHERE kind = 'breaker_open' AND target = t.name) END AS breaker_at,
  greatest(coalesce(extract(epoch FROM held_until - now()), 0), 0)::float8 AS held_s,
  CASE WHEN held_until > now() THEN held_at END AS held_at,
  CASE WHEN held_until > now() THEN held_reason END AS held_reason
FROM tiers AS t
""")
PAUSED_ALL = text("""
SELECT paused_reason, paused_by, paused_at, now() AS now FROM tiers
WHERE name = 'everything' AND paused
""")
