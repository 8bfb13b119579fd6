"""The draw: chance chooses which accepted answers are looked at, in the transaction that records
them.

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
    """The accepted answer of a report, if its run has audits at all."""
    if not row.audit_share:
        return []
    found = {"job_id": report.job_id, "fence": report.fence, "share": row.audit_share}
    return [found | {"run_id": row.run_id}]


def draw(connection: Connection, answers: Sequence[dict[str, Any]]) -> None:
    """Draws among answers whose results have just been recorded."""
    if answers:
        connection.execute(DRAW, {"rows": as_json(answers), "again": AGAIN_SHARE})


DRAW = text(f"""
INSERT INTO audits (job_id, fence, run_id, tier, probability, again)
SELECT s.job_id, s.fence, t.run_id, s.tier, t.share, {draw_sql("s.job_id", "'again' || z.salt")}
  < :again
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
  job_id bigint, fence int, run_id bigint, share numeric)
JOIN results AS s USING (job_id, fence) CROSS JOIN audit_salt AS z
WHERE s.accepted AND {draw_sql("s.job_id")} < t.share
ON CONFLICT (job_id, fence) DO NOTHING
""")
