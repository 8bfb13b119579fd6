"""Record: one transaction for a group of finished attempts.

Promises:
- A report written twice changes nothing the second time (a lost COMMIT reply is answered by
  recording again).
- The first paid answer wins, even from a worker whose lease was taken. A result never changes.
- A failure counts only under the fence that claimed.
- The tier only rises, and the escalation's row is committed before the call that it causes.
- Every call is settled: what was reserved is released, what was spent is added, in every budget.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from models.vocabulary import AttemptOutcome
from worker.domain.reports import AttemptReport
from worker.store.queue import audits, budgets, canaries, certified, judgements
from worker.store.queue.changes import merged
from worker.store.queue.halts import halt
from worker.store.queue.rows_of_report import Group, add_report
from worker.store.queue.silencing import silenced
from worker.store.rows import as_json


def record(engine: Engine, reports: Sequence[AttemptReport]) -> None:
    """Writes the reports of a group. Raises nothing but database errors; then nothing is written
    and the same group may be recorded again."""
    with engine.begin() as connection:
        record_in(connection, reports)


def record_in(connection: Connection, reports: Sequence[AttemptReport]) -> None:
    """As `record`, inside the caller's transaction."""
    rows = {(row.job_id, row.fence): row for row in _lock(connection, reports)}
    group = Group()
    told = silenced(connection, reports, rows)
    for report in sorted(told, key=lambda report: (report.job_id, report.fence)):
        row = rows.get((report.job_id, report.fence))
        if row is not None and row.outcome in (AttemptOutcome.STARTED, AttemptOutcome.LOST):
            add_report(group, report, row)
    _write(connection, group)


def _lock(connection: Connection, reports: Sequence[AttemptReport]) -> Iterable[Row[Any]]:
    keys = [{"job_id": report.job_id, "fence": report.fence} for report in reports]
    return connection.execute(LOCK, {"rows": as_json(keys)})


def _write(connection: Connection, group: Group) -> None:
    """All rows of the group, a statement a table. What refers to an attempt goes before it is
    closed: until then it is locked as it stands, and the key writes no lock of its own to the log.
    Counters and budgets come last: their rows are the ones that every worker wants, so they are
    held for the shortest time."""
    group.books.write_calls(connection)
    for statement, rows in (
        (INSERT_RESULTS, group.results),
        (INSERT_ESCALATIONS, group.escalations),
        (CLOSE_ATTEMPTS, group.attempts),
        (MOVE_JOBS, merged(group.jobs)),
    ):
        if rows:
            connection.execute(statement, {"rows": as_json(rows)})
    if labels := [row for row in group.attempts if row["difficulty"] and not row["rule"]]:
        connection.execute(REMEMBER_LABELS, {"rows": as_json(labels)})
    audits.draw(connection, group.drawn)
    judgements.take(connection, group.judgements)
    if under := [row for row in group.results if row.get("certificate_id")]:
        certified.end_rehearsals(connection, under)
    if group.trials:
        canaries.count(connection, group.trials)
    for name, reason in sorted(group.halts.items()):
        halt(connection, name, reason)
    if group.escalations:
        connection.execute(COUNT_ESCALATIONS, {"rows": as_json(group.escalations)})
    group.books.write_totals(connection)
    budgets.settle(connection, group.books.settlements)


# Both rows are locked. Whoever waits for a job sees its new row, but of what is not locked the row
# of before, and would settle an attempt again that another has just closed.
LOCK = text("""
SELECT a.job_id, a.fence, a.outcome, a.reserved, a.cost AS attempt_cost, a.budget_day, a.model,
  a.tier AS attempt_tier, j.fence AS job_fence, j.state, j.failures, j.run_id, j.rung,
  r.audit_share, r.shadow_share, r.lane AS run_lane, r.kind, j.origin_id,
  EXISTS (SELECT FROM canaries AS c WHERE c.proven_at IS NULL AND c.model = a.model
    AND c.tier = CASE a.stage WHEN 'route' THEN 'routing' ELSE a.tier END
    AND c.prompt_version = a.prompt_version AND c.schema_version = a.schema_version) AS on_trial
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(job_id bigint, fence int)
JOIN attempts AS a USING (job_id, fence) JOIN jobs AS j ON j.id = a.job_id
JOIN runs AS r ON r.id = j.run_id
ORDER BY j.id, a.fence FOR UPDATE OF j, a
""")

CLOSE_ATTEMPTS = text("""
UPDATE attempts AS a SET outcome = t.outcome, findings = t.findings, rule = t.rule,
  reasons = ARRAY(SELECT jsonb_array_elements_text(t.reasons)), difficulty = t.difficulty,
  confidence = t.confidence, threshold = t.threshold, decision = t.decision, hint = t.hint,
  score = t.score, standard = t.standard, certificate_id = t.certificate_id,
  cost = t.cost, finished_at = clock_timestamp()
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
  job_id bigint, fence int, outcome text, reasons jsonb, findings jsonb, difficulty text,
  rule text, confidence numeric, threshold numeric, decision text, hint jsonb, cost numeric,
  score numeric, standard numeric, certificate_id bigint)
WHERE a.job_id = t.job_id AND a.fence = t.fence
""")

INSERT_RESULTS = text("""
INSERT INTO results (job_id, fence, reply, fields, tier, model, accepted, confidence, reasons,
  simulated)
SELECT job_id, fence, reply, fields, tier, model, accepted, confidence,
  ARRAY(SELECT jsonb_array_elements_text(t.reasons)), simulated
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
  job_id bigint, fence int, reply text, fields jsonb, tier text, model text, accepted boolean,
  confidence numeric, reasons jsonb, simulated boolean)
ON CONFLICT (job_id) DO NOTHING
""")

INSERT_ESCALATIONS = text("""
INSERT INTO escalations (job_id, fence, from_tier, to_tier, reason, detail)
SELECT job_id, fence, from_tier, to_tier, reason, detail
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
  job_id bigint, fence int, from_tier text, to_tier text, reason text, detail text)
ON CONFLICT (job_id, fence) DO NOTHING
""")

COUNT_ESCALATIONS = text("""
INSERT INTO run_escalations AS r (run_id, from_tier, to_tier, reason, escalations)
SELECT run_id, from_tier, to_tier, reason, count(*)
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
  run_id bigint, from_tier text, to_tier text, reason text)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
ON CONFLICT (run_id, from_tier, to_tier, reason)
DO UPDATE SET escalations = r.escalations + excluded.escalations
""")

MOVE_JOBS = text("""
WITH t AS (
  SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
    id bigint, state text, tier text, rung smallint, difficulty text, lane text, delay_s float8,
    reason text, unlease boolean, attempts int, failures int, deferrals int, escalations int,
    cost numeric)
), unmarked AS (
  DELETE FROM dispatches WHERE job_id = ANY(ARRAY(
    SELECT id FROM t WHERE state IS NOT NULL OR unlease))
)
UPDATE jobs AS j SET
  state = coalesce(t.state, CASE WHEN j.state = 'submitted' AND t.unlease
    THEN CASE WHEN j.tier IS NULL THEN 'queued' ELSE 'routed' END ELSE j.state END),
  tier = CASE WHEN t.rung IS NULL OR t.rung >= j.rung OR j.state = 'queued'
    THEN coalesce(t.tier, j.tier) ELSE j.tier END,
  rung = GREATEST(coalesce(t.rung, 0), j.rung),
  difficulty = coalesce(t.difficulty, j.difficulty), lane = coalesce(t.lane, j.lane),
  available_at = CASE WHEN t.delay_s IS NULL THEN j.available_at
    ELSE clock_timestamp() + make_interval(secs => t.delay_s) END,
  reason = coalesce(t.reason, j.reason),
  lease_until = CASE WHEN t.unlease OR t.state IS NOT NULL THEN NULL ELSE j.lease_until END,
  attempts = j.attempts + coalesce(t.attempts, 0),
  failures = j.failures + coalesce(t.failures, 0),
  deferrals = j.deferrals + coalesce(t.deferrals, 0),
  escalations = j.escalations + coalesce(t.escalations, 0),
  cost = j.cost + t.cost,
  finished_at = CASE WHEN t.state IN ('answered', 'review', 'dead', 'cancelled')
    THEN clock_timestamp()
    ELSE j.finished_at END
FROM t WHERE j.id = t.id
""")

REMEMBER_LABELS = text("""
INSERT INTO classifications (digest, prompt_version, model, difficulty)
SELECT DISTINCT ON (1, 2, 3) m.digest, a.prompt_version, a.model, t.difficulty
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(job_id bigint, fence int, difficulty text)
CROSS JOIN LATERAL (
  SELECT prompt_version, model FROM attempts
  WHERE job_id = t.job_id AND fence = t.fence OFFSET 0) AS a
CROSS JOIN LATERAL (SELECT message_id FROM jobs WHERE id = t.job_id OFFSET 0) AS j
CROSS JOIN LATERAL (SELECT digest FROM messages WHERE id = j.message_id OFFSET 0) AS m
WHERE a.prompt_version IS NOT NULL AND a.model IS NOT NULL
ORDER BY 1, 2, 3
ON CONFLICT (digest, prompt_version, model) DO NOTHING
""")
