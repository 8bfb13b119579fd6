"""Jobs that need a person: dead letters and reviews, by cause and one by one, newest first, at a
bounded cost however many there are: what is grouped are the newest."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, text

from worker.store.rows import values_of

GROUPED = 750
"""Dead letters or reviews that are grouped by cause: the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Jobs of a run that ended so for one reason, of the newest."""

    run_id: int
    run: str
    run_state: str
    reason: str | None
    jobs: int
    since: dt.datetime
    until: dt.datetime
    now: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A job that needs a person. `verdict` is the latest one, by `reviewer`, and `known` its
    number (0: none); `read_by` has it before them just now, since `read_since`."""

    job: int
    run_id: int
    run: str
    source: str
    external_id: str
    channel: str | None
    tier: str | None
    attempts: int
    reason: str | None
    cost_usd: Decimal
    finished_at: dt.datetime
    confidence: Decimal | None
    answered: bool
    verdict: str | None
    known: int
    reviewer: str | None
    read_by: str | None
    read_since: dt.datetime | None
    now: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Which of them: `state` is `dead` or `review`; perhaps of one run, of one reason, and only
    those without a verdict."""

    state: str
    run_id: int | None = None
    reason: str | None = None
    decided: bool = True


def causes(connection: Connection, wanted: Attention) -> list[Cause]:
    """How many of the newest `GROUPED` for each run and reason, most frequent first."""
    values = {"run": wanted.run_id, "decided": wanted.decided, "window": GROUPED}
    return values_of(Cause, connection.execute(CAUSES[wanted.state], values))


def letters(
    connection: Connection, wanted: Attention, limit: int, before: tuple[int, int] | None = None
) -> list[Letter]:
    """The jobs themselves, newest run first, from `before` (a run and a job) on."""
    values = {
        "run": wanted.run_id,
        "reason": wanted.reason,
        "decided": wanted.decided,
        "before_run": before[0] if before else None,
        "before_job": before[1] if before else None,
        "limit": limit,
        # Some have to be looked for; else the planner reads a small limit from the index's end.
        "window": limit if wanted.reason is None and wanted.decided else GROUPED,
    }
    return values_of(Letter, connection.execute(LETTERS[wanted.state], values))


def total(connection: Connection, state: str, run_id: int | None) -> int:
    """How many there are that nobody has decided, from the counters."""
    return int(connection.execute(TOTAL, {"state": state, "run": run_id}).scalar_one())


# The state is written out: so the partial index serves, and the planner knows how many there are.
# A window is read from that index alone, and in its order, which `=` for a run would hide; rows are
# looked up for those jobs that are shown.
WINDOW = """(
  SELECT id, run_id, reason, finished_at FROM jobs WHERE state = '{state}'
    AND run_id BETWEEN coalesce(CAST(:run AS bigint), 0)
      AND coalesce(CAST(:run AS bigint), 9223372036854775807) {before}
  ORDER BY run_id DESC, id DESC LIMIT :window) AS j"""
UNDECIDED = "(:decided OR NOT EXISTS (SELECT FROM reviews WHERE job_id = j.id))"
BEFORE = "AND (CAST(:before_run AS bigint) IS NULL OR (run_id, id) < (:before_run, :before_job))"
LETTERS_OF = f"""
SELECT j.id AS job, j.run_id, r.name AS run, m.source, m.external_id, m.channel, k.tier,
  k.attempts, j.reason, k.cost AS cost_usd, j.finished_at, s.confidence, s.job_id IS NOT NULL AS
  answered, v.verdict, v.reviewer, b.reader AS read_by, b.since AS read_since, now() AS now,
  coalesce(v.id, 0) AS known
FROM (
  SELECT * FROM {WINDOW}
  WHERE (CAST(:reason AS text) IS NULL OR j.reason = :reason) AND {UNDECIDED}
  ORDER BY run_id DESC, id DESC LIMIT :limit) AS j
CROSS JOIN LATERAL (SELECT name FROM runs WHERE id = j.run_id OFFSET 0) AS r
CROSS JOIN LATERAL (
  SELECT message_id, tier, attempts, cost FROM jobs WHERE id = j.id OFFSET 0) AS k
CROSS JOIN LATERAL (
  SELECT source, external_id, channel FROM messages WHERE id = k.message_id OFFSET 0) AS m
LEFT JOIN LATERAL (SELECT job_id, confidence FROM results WHERE job_id = j.id OFFSET 0) AS s ON true
LEFT JOIN LATERAL (
  SELECT id, verdict, reviewer FROM reviews WHERE job_id = j.id ORDER BY id DESC LIMIT 1
) AS v ON true
LEFT JOIN LATERAL (
  SELECT reader, since FROM reading_leases WHERE kind = 'review' AND job_id = j.id AND fence = 0
    AND until > now() OFFSET 0) AS b ON true
ORDER BY j.run_id DESC, j.id DESC
"""  # noqa: S608 - constants of this module only
CAUSES_OF = f"""
SELECT g.run_id, r.name AS run, r.state AS run_state, g.reason, g.jobs, g.since, g.until,
  now() AS now
FROM (
  SELECT j.run_id, j.reason, count(*) AS jobs, min(j.finished_at) AS since,
    max(j.finished_at) AS until
  FROM {WINDOW} WHERE {UNDECIDED} GROUP BY 1, 2) AS g
CROSS JOIN LATERAL (SELECT name, state FROM runs WHERE id = g.run_id OFFSET 0) AS r
ORDER BY g.jobs DESC, g.run_id DESC, g.reason
"""  # noqa: S608 - constants of this module only
STATES = ("dead", "review")
LETTERS = {state: text(LETTERS_OF.format(state=state, before=BEFORE)) for state in STATES}
CAUSES = {state: text(CAUSES_OF.format(state=state, before="")) for state in STATES}
TOTAL = text("""
SELECT coalesce(sum(jobs), 0) FROM (
  SELECT run_id, jobs FROM run_counts WHERE state = :state
  UNION ALL SELECT run_id, -jobs FROM run_verdicts WHERE :state = 'review') AS one
WHERE CAST(:run AS bigint) IS NULL OR run_id = :run
""")
