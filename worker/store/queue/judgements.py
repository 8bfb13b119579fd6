"""What a stronger tier said of audited answers, written by the transaction that records it.

Promises: its verdict stands beside the record as its own, never as a person's; whatever it calls
wrong, or cannot say, goes to people; of what it passes a random part does too, drawn by the same
secret hash as the audits, so that how often it passes what is wrong is known.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from models.vocabulary import RunKind
from worker.domain.endings import Accepted, Ending, ToReview
from worker.domain.proof.tier_judge import verdict_of
from worker.domain.reports import AttemptReport
from worker.store.queue import vigils
from worker.store.queue.audits import draw_sql
from worker.store.rows import as_json


def judgement(report: AttemptReport, row: Row[Any]) -> list[dict[str, Any]]:
    """The verdict that a report of a judging run brings on the job that it is about; `right` is
    None where it cannot say, or nothing usable was said."""
    if row.kind != RunKind.JUDGE or not isinstance(report.ending, Accepted | ToReview):
        return []
    simulated = any(call.simulated for call in report.calls)
    name = f"{row.attempt_tier} (simulated)" if simulated else row.attempt_tier
    said = verdict_of(_fields(report.ending))
    return [{"job": row.origin_id, "judge": name, "right": said}]


def _fields(ending: Ending) -> Mapping[str, Any]:
    return ending.fields if isinstance(ending, Accepted) else {}


def take(connection: Connection, judgements: Sequence[dict[str, Any]]) -> None:
    """Stores the verdicts, and says which of the answers people look at."""
    if judgements:
        values = {"rows": as_json(judgements)}
        connection.execute(SAY, values)
        ended = connection.execute(PASS_ON, values)
        vigils.hear_passed(connection, [(r.job_id, r.fence) for r in ended if r.state == "passed"])


ROWS = 'jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(job bigint, judge text, "right" boolean)'
SAY = text(f"""
INSERT INTO truths (job_id, fence, grader, grader_name, is_right)
SELECT s.job_id, s.fence, 'tier', t.judge, t.right FROM {ROWS}
JOIN results AS s ON s.job_id = t.job
ON CONFLICT (job_id, fence, grader, grader_name) WHERE undone_at IS NULL DO NOTHING
""")
PASS_ON = text(f"""
UPDATE audits AS a SET state = CASE
  WHEN t.right AND NOT {draw_sql("a.job_id", "'people' || z.salt")} < a.people_share THEN 'passed'
  ELSE 'open' END
FROM {ROWS} CROSS JOIN audit_salt AS z WHERE a.job_id = t.job AND a.state = 'judging'
RETURNING a.job_id, a.fence, a.state
""")
