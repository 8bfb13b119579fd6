"""The audit queue: what waits for a verdict, shuffled, with nothing that would sway the judge."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from worker.domain.answers import parse_object

FETCH = 500
PAGE_RUNS, PAGE_AUDITS = 10, 500
"""What a page counts: the newest runs, and of each so many audits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """An answer as a judge sees it: no tier, no model, no confidence, no run's policy. `second`
    says that somebody else has judged it already, not how."""

    job_id: int
    fence: int
    run: str
    subject: str | None
    message: str
    reply: str
    received_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditCounts:
    """How the audits of a run stand. `judging` are with a stronger tier, `passed` had nothing
    wrong found by it and are not looked at; `disagree` of the `twice` that two people judged."""

    run: str
    drawn: int
    judging: int
    passed: int
    open: int
    right: int
    wrong: int
    unsure: int
    twice: int
    disagree: int


def queue_of(
    connection: Connection,
    judge: str,
    run_id: int | None = None,
    limit: int = 1,
    *,
    holder: str | None = None,
) -> list[Blind]:
    """What this person may judge next, in an order of their own: open audits, and those that want
    a second look by somebody else, without what anybody but `holder` reads just now."""
    values = {"judge": judge, "run": run_id, "limit": limit, "holder": holder}
    return [_blind(row) for row in connection.execute(QUEUE, values)]


def every(engine: Engine, judge: str, run_id: int | None = None) -> Iterator[Blind]:
    """All of them, for a spreadsheet."""
    values = {"judge": judge, "run": run_id, "limit": None, "holder": None}
    with engine.connect().execution_options(yield_per=FETCH) as connection:
        for row in connection.execute(QUEUE, values):
            yield _blind(row)


def _blind(row: Row[Any]) -> Blind:
    said = row.reply
    if said is None:
        said = str((parse_object(row.output) or {}).get("reply") or "")
    return Blind(
        job_id=row.job_id,
        fence=row.fence,
        run=row.run,
        subject=row.subject,
        message=row.message,
        reply=said,
        received_at=row.received_at,
    )


def counts(connection: Connection, run_id: int | None = None) -> list[AuditCounts]:
    """By run, the newest first."""
    rows = connection.execute(COUNTS, {"run": run_id}).mappings()
    return [AuditCounts(**row) for row in rows]


def newest_counts(connection: Connection) -> list[AuditCounts]:
    """As `counts`, of the newest runs and at most `PAGE_AUDITS` of each: for a page, which must not
    take longer where more was drawn."""
    values = {"runs": PAGE_RUNS, "most": PAGE_AUDITS}
    return [AuditCounts(**row) for row in connection.execute(NEWEST, values).mappings()]


def waiting_audits(connection: Connection) -> int:
    """How many wait for a verdict; counted up to a thousand."""
    found: Any = connection.execute(WAITING).scalar_one()
    return int(found)


# Of an answer that was climbed past there is what the model said, and no result. Whose run it is
# would say that it is a shadow, so it is called by the run that it is a shadow of.
QUEUE = text("""
SELECT a.job_id, a.fence, coalesce(p.name, r.name) AS run, m.subject, m.body AS message, s.reply,
  c.output, m.received_at
FROM audits AS a JOIN runs AS r ON r.id = a.run_id JOIN jobs AS j ON j.id = a.job_id
JOIN messages AS m ON m.id = j.message_id
LEFT JOIN runs AS p ON p.id = r.parent_id AND r.kind = 'shadow'
LEFT JOIN results AS s ON s.job_id = a.job_id AND s.fence = a.fence
LEFT JOIN LATERAL (
  SELECT output FROM calls WHERE job_id = a.job_id AND fence = a.fence AND purpose = 'answer'
  OFFSET 0) AS c ON s.job_id IS NULL
WHERE a.state IN ('open', 'second') AND m.erased_at IS NULL
  AND (s.job_id IS NOT NULL OR c.output IS NOT NULL)
  AND (CAST(:run AS bigint) IS NULL OR CAST(:run AS bigint) IN (a.run_id, p.id))
  AND NOT EXISTS (
    SELECT FROM truths AS u WHERE u.job_id = a.job_id AND u.fence = a.fence
      AND u.grader = 'person' AND u.grader_name = :judge AND u.undone_at IS NULL)
  AND (CAST(:holder AS text) IS NULL OR NOT EXISTS (
    SELECT FROM reading_leases AS l WHERE l.kind = 'audit' AND l.job_id = a.job_id
      AND l.fence = a.fence AND l.until > now() AND l.holder <> :holder))
ORDER BY md5(CAST(:judge AS text) || a.job_id || '.' || a.fence) LIMIT :limit
""")
# Where nobody has judged, whether every verdict was right is null, and nothing is counted.
TALLIES = """
  count(*) AS drawn, count(*) FILTER (WHERE said.state = 'judging') AS judging,
  count(*) FILTER (WHERE said.state = 'passed' AND people = 0) AS passed,
  count(*) FILTER (WHERE people = 0 AND said.state NOT IN ('judging', 'passed')) AS open,
  count(*) FILTER (WHERE NOT any_unsure AND every_right) AS right,
  count(*) FILTER (WHERE NOT any_unsure AND NOT every_right) AS wrong,
  count(*) FILTER (WHERE any_unsure) AS unsure,
  count(*) FILTER (WHERE people > 1) AS twice,
  count(*) FILTER (WHERE any_right AND NOT every_right) AS disagree"""
SAID = """count(u.id) AS people, bool_and(u.is_right) AS every_right,
    bool_or(u.is_right) AS any_right, bool_or(u.id IS NOT NULL AND u.is_right IS NULL) AS any_unsure
"""
COUNTS = text(f"""
WITH said AS (
  SELECT a.run_id, a.job_id, a.state, {SAID}
  FROM audits AS a LEFT JOIN truths AS u ON u.job_id = a.job_id AND u.fence = a.fence
    AND u.undone_at IS NULL AND u.grader <> 'tier'
  WHERE CAST(:run AS bigint) IS NULL OR a.run_id = :run
  GROUP BY a.run_id, a.job_id, a.fence, a.state)
SELECT r.name AS run, {TALLIES}
FROM said JOIN runs AS r ON r.id = said.run_id GROUP BY r.id, r.name ORDER BY r.id DESC LIMIT 100
""")
NEWEST = text(f"""
SELECT r.name AS run, {TALLIES} FROM (
  SELECT id, name FROM runs AS o
  WHERE EXISTS (SELECT FROM audits WHERE run_id = o.id) ORDER BY id DESC LIMIT :runs) AS r
CROSS JOIN LATERAL (
  SELECT job_id, fence, state FROM audits WHERE run_id = r.id
  ORDER BY job_id LIMIT :most) AS a
CROSS JOIN LATERAL (
  SELECT a.state, {SAID} FROM (
    SELECT * FROM truths WHERE job_id = a.job_id AND fence = a.fence AND undone_at IS NULL
    OFFSET 0) AS u WHERE u.grader <> 'tier') AS said
GROUP BY r.id, r.name ORDER BY r.id DESC
""")
WAITING = text("SELECT count(*) FROM (SELECT FROM audits WHERE state = 'open' LIMIT 1000) AS w")
