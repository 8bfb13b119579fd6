"""The outbox: which answers are to be posted where, and what became of it.

Promises: every answer that became ready while its target was configured is delivered at least once,
or dead after a day and visible; one delivery of a job at a time; a worker that dies with one leaves
it to the next after `LEASE_S`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, text

from worker.domain.hold_words import paused_words
from worker.domain.wording import waiting
from worker.store.audit import Actor, audit
from worker.store.rows import values_of

LEASE_S = 90.0
"""Longer than a post may take: until then nobody else tries the same delivery."""
GIVE_UP_AFTER = "1 day"
GONE = "the receiver says that it is gone (HTTP 410)"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """A delivery to be made now."""

    target: str
    job_id: int
    revision: int
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStanding:
    """How it stands with one target. `waiting` and `dead` count to 10,000; `oldest_s` is how long,
    in seconds, the first of those that wait has waited, `error` what went wrong with one of them.
    """

    name: str
    enabled: bool
    simulated: bool
    paused_at: dt.datetime | None
    paused_by: str | None
    paused_reason: str | None
    waiting: int
    oldest_s: float | None
    error: str | None
    dead: int
    now: dt.datetime

    @property
    def pause(self) -> str:
        """`paused by ada, since 07:45: moving`; empty where it goes on."""
        if self.paused_at is None:
            return ""
        by, since, why = self.paused_by, self.paused_at, self.paused_reason
        return paused_words(by=by, since=since, reason=why, now=self.now)

    @property
    def pause_words(self) -> str:
        """`Deliveries to desk are paused by ada, since 07:45: moving; 2 answers wait`."""
        by, since, why = self.paused_by, self.paused_at, self.paused_reason
        left = waiting(self.waiting, "answer") if self.waiting else ""
        said = paused_words(by=by, since=since, reason=why, now=self.now, left=left)
        return f"Deliveries to {self.name} are {said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyAnswer:
    """What may go out for a job; `send` is the text, `verdict` a person's or `accepted`."""

    job: int
    run: str
    source: str
    external_id: str
    customer_id: str | None
    channel: str | None
    language: str | None
    subject: str | None
    metadata: Mapping[str, Any] | None
    verdict: str | None
    send: str
    tier: str
    model: str
    confidence: Decimal | None
    simulated: bool
    answered_at: dt.datetime


def announce(engine: Engine, targets: Mapping[str, bool]) -> None:
    """Says which targets are configured, each with whether simulated answers go there too. What
    becomes ready from now on is for them."""
    names = sorted(targets)
    with engine.begin() as connection:
        if names or connection.execute(ANY).scalar():
            values = {"names": names, "simulated": [targets[name] for name in names]}
            connection.execute(ANNOUNCE, values)
            connection.execute(RETIRE, {"names": names})


def take(engine: Engine, targets: Sequence[str], limit: int) -> list[DueDelivery]:
    """Deliveries that are due, each leased to whoever took it."""
    values = {"targets": list(targets), "limit": limit, "lease": LEASE_S}
    with engine.begin() as connection:
        rows = connection.execute(TAKE, values)
        return values_of(DueDelivery, rows)


def contents(engine: Engine, job_ids: Sequence[int]) -> dict[int, ReadyAnswer]:
    """What may go out for these jobs, read now. A job that is missing has nothing to send any more:
    it was erased, or a person has rejected it since."""
    with engine.begin() as connection:
        rows = connection.execute(CONTENTS, {"ids": list(job_ids)})
        return {row.job: ReadyAnswer(**row._mapping) for row in rows if row.send}


def delivered(engine: Engine, taken: DueDelivery) -> None:
    """It arrived."""
    _end(engine, taken, "delivered", None)


def withdrawn(engine: Engine, taken: DueDelivery) -> None:
    """There is nothing to send any more."""
    _end(engine, taken, "withdrawn", None)


def failed(engine: Engine, taken: DueDelivery, error: str, again_in_s: float) -> bool:
    """It did not arrive, or nobody knows: again then, or dead after a day. Whether it is dead."""
    values = _key(taken) | {"error": error, "again": again_in_s, "after": GIVE_UP_AFTER}
    with engine.begin() as connection:
        return connection.execute(FAILED, values).scalar() == "dead"


def pause(engine: Engine, actor: Actor, target: str, reason: str) -> bool:
    """Nothing is posted there any more; what becomes ready waits. False without such a target, or
    when it is paused already."""
    values = {"name": target, "by": actor.name, "reason": reason}
    with engine.begin() as connection:
        changed = connection.execute(PAUSE, values).rowcount
        if changed:
            audit(connection, actor, "pause", f"delivery {target}", 1, reason=reason)
    return bool(changed)


def resume(engine: Engine, actor: Actor, target: str) -> bool:
    """It goes on, at once. False when it was not paused."""
    with engine.begin() as connection:
        changed = connection.execute(RESUME, {"name": target}).rowcount
        if changed:
            connection.execute(DUE_NOW, {"name": target})
            audit(connection, actor, "resume", f"delivery {target}", 1)
    return bool(changed)


def standing(connection: Connection) -> list[TargetStanding]:
    """Each target: what waits, since when, and what is dead."""
    return values_of(TargetStanding, connection.execute(STANDING))


def _end(engine: Engine, taken: DueDelivery, state: str, error: str | None) -> None:
    with engine.begin() as connection:
        connection.execute(END, _key(taken) | {"state": state, "error": error})


def _key(taken: DueDelivery) -> dict[str, Any]:
    return {"target": taken.target, "job": taken.job_id, "revision": taken.revision}


ANY = text("SELECT EXISTS (SELECT FROM delivery_targets WHERE enabled)")
ANNOUNCE = text("""
INSERT INTO delivery_targets AS t (name, simulated)
SELECT name, simulated
FROM unnest(CAST(:names AS text[]), CAST(:simulated AS boolean[])) AS u(name, simulated)
ON CONFLICT (name) DO UPDATE SET enabled = true, simulated = excluded.simulated
WHERE NOT t.enabled OR t.simulated <> excluded.simulated
""")
RETIRE = text("UPDATE delivery_targets SET enabled = false WHERE enabled AND name <> ALL(:names)")
TAKE = text("""
UPDATE deliveries AS d SET tries = d.tries + 1, next_try_at = now() + make_interval(secs => :lease)
FROM (
  SELECT w.target, w.job_id FROM delivery_targets AS t CROSS JOIN LATERAL (
    SELECT target, job_id, next_try_at FROM deliveries
    WHERE target = t.name AND state = 'waiting' AND next_try_at <= now()
    ORDER BY next_try_at, job_id LIMIT :limit FOR UPDATE SKIP LOCKED) AS w
  WHERE t.name = ANY(:targets) AND t.paused_at IS NULL
  ORDER BY w.next_try_at, w.job_id LIMIT :limit) AS due
WHERE d.target = due.target AND d.job_id = due.job_id
RETURNING d.target, d.job_id, d.revision, d.tries
""")
CONTENTS = text("""
SELECT j.id AS job, r.name AS run, m.source, m.external_id, m.customer_id, m.channel, m.language,
  m.subject, m.metadata, coalesce(v.verdict, CASE WHEN x.accepted THEN 'accepted' END) AS verdict,
  CASE WHEN v.verdict = 'edit' THEN v.reply WHEN v.verdict = 'accept' OR (x.accepted
    AND x.fields ->> 'action' IS DISTINCT FROM 'none') THEN x.reply END AS send,
  x.tier, x.model, x.confidence, x.simulated, x.created_at AS answered_at
FROM unnest(CAST(:ids AS bigint[])) AS i(id)
CROSS JOIN LATERAL (SELECT id, run_id, message_id FROM jobs WHERE id = i.id OFFSET 0) AS j
CROSS JOIN LATERAL (SELECT * FROM results WHERE job_id = i.id OFFSET 0) AS x
CROSS JOIN LATERAL (
  SELECT * FROM messages WHERE id = j.message_id AND erased_at IS NULL OFFSET 0) AS m
CROSS JOIN LATERAL (SELECT name FROM runs WHERE id = j.run_id OFFSET 0) AS r
LEFT JOIN LATERAL (
  SELECT verdict, reply FROM (SELECT * FROM reviews WHERE job_id = i.id OFFSET 0) AS of_it
  ORDER BY id DESC LIMIT 1) AS v ON true
WHERE v.verdict IS DISTINCT FROM 'reject'
""")
END = text("""
UPDATE deliveries SET state = :state, ended_at = now(), error = :error
WHERE target = :target AND job_id = :job AND revision = :revision AND state = 'waiting'
""")
FAILED = text("""
UPDATE deliveries SET error = :error, next_try_at = now() + make_interval(secs => :again),
  state = CASE WHEN created_at < now() - CAST(:after AS interval) THEN 'dead' ELSE 'waiting' END,
  ended_at = CASE WHEN created_at < now() - CAST(:after AS interval) THEN now() END
WHERE target = :target AND job_id = :job AND revision = :revision AND state = 'waiting'
RETURNING state
""")
PAUSE = text("""
UPDATE delivery_targets SET paused_at = now(), paused_by = :by, paused_reason = :reason
WHERE name = :name AND paused_at IS NULL
""")
RESUME = text("""
UPDATE delivery_targets SET paused_at = NULL, paused_by = NULL, paused_reason = NULL
WHERE name = :name AND paused_at IS NOT NULL
""")
DUE_NOW = text("""
UPDATE deliveries SET next_try_at = now()
WHERE target = :name AND state = 'waiting' AND next_try_at > now() + interval '90 seconds'
""")
STANDING = text("""
SELECT t.name, t.enabled, t.simulated, t.paused_at, t.paused_by, t.paused_reason,
  w.waiting, w.oldest_s, w.error, x.dead, now() AS now
FROM delivery_targets AS t CROSS JOIN LATERAL (
  SELECT count(*) AS waiting, max(extract(epoch FROM now() - created_at))::float8 AS oldest_s,
    max(error) AS error
  FROM (SELECT created_at, error FROM deliveries
    WHERE target = t.name AND state = 'waiting' LIMIT 10000) AS of_it) AS w
CROSS JOIN LATERAL (
  SELECT count(*) AS dead FROM (SELECT FROM deliveries
    WHERE target = t.name AND state = 'dead' LIMIT 10000) AS of_it) AS x
ORDER BY t.name
""")
