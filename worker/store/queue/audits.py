"""The draw: chance chooses which results are looked at, and which messages every tier is asked
about, in the transaction that records them.

Promises: the probability is known and stored; a hash of the job with a secret salt decides, so
nobody can pick, and the same job is drawn or not however often it is asked; a greater share draws
all that a smaller one drew.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from worker.domain.reports import AttemptReport
from worker.store.rows import as_json

AGAIN_SHARE = 0.1
"""Of the audits, to be judged by two people: their disagreement is the noise of judging."""


def draw_sql(job: str, salt: str = "z.salt") -> str:
    """SQL of a number from 0 to 1 that the job and the salt decide. `job` and `salt` are SQL of
    ours, never anything that was given."""
    digest = f"encode(sha256(convert_to({salt} || ':' || {job}, 'UTF8')), 'hex')"
    return f"(('x' || left({digest}, 13))::bit(52)::bigint / 4503599627370496.0::float8)"


def chance(report: AttemptReport, row: Row[Any]) -> list[dict[str, Any]]:
    """The job of a report that ends it, if its run has audits or shadows at all."""
    if not (row.audit_share or row.shadow_share):
        return []
    found = {"job_id": report.job_id, "run_id": row.run_id}
    return [found | {"share": row.audit_share, "shadow": row.shadow_share}]


def draw(connection: Connection, jobs: Sequence[dict[str, Any]]) -> None:
    """Draws among jobs whose ends have just been recorded: their results to be looked at, and
    shadows, of which everything that was said is."""
    if audited := [row for row in jobs if row["share"]]:
        connection.execute(DRAW, {"rows": as_json(audited), "again": AGAIN_SHARE})
    if shadowed := [row for row in jobs if row["shadow"]]:
        values = {"rows": as_json(shadowed)}
        connection.execute(DRAW_SHADOWS, values)
        connection.execute(LOOK_AT_ALL, values)


DRAW = text(f"""
INSERT INTO audits (job_id, fence, run_id, tier, probability, again)
SELECT s.job_id, s.fence, t.run_id, s.tier, t.share, {draw_sql("s.job_id", "'again' || z.salt")}
  < :again
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(job_id bigint, run_id bigint, share numeric)
CROSS JOIN audit_salt AS z
CROSS JOIN LATERAL (
  SELECT job_id, fence, tier FROM results WHERE job_id = t.job_id OFFSET 0) AS s
WHERE {draw_sql("t.job_id")} < t.share
ON CONFLICT (job_id, fence) DO NOTHING
""")
SHADOWED = (
    "jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(job_id bigint, run_id bigint, shadow numeric)"
)
DRAW_SHADOWS = text(f"""
INSERT INTO shadows (job_id, run_id, probability)
SELECT t.job_id, t.run_id, t.shadow FROM {SHADOWED} CROSS JOIN audit_salt AS z
WHERE {draw_sql("t.job_id")} < t.shadow
ON CONFLICT (job_id) DO NOTHING
""")
# What was climbed past is looked at too: without it nothing is known of a laxer threshold.
LOOK_AT_ALL = text(f"""
INSERT INTO audits (job_id, fence, run_id, tier, purpose, probability)
SELECT a.job_id, a.fence, t.run_id, a.tier, 'shadow', t.shadow FROM {SHADOWED}
CROSS JOIN LATERAL (SELECT job_id FROM shadows WHERE job_id = t.job_id OFFSET 0) AS s
CROSS JOIN LATERAL (
  SELECT job_id, fence, tier FROM attempts WHERE job_id = s.job_id AND stage = 'answer'
    AND outcome IN ('accepted', 'rejected') OFFSET 0) AS a
ON CONFLICT (job_id, fence) DO NOTHING
""")
