"""Messages that nothing shown answered."""

from sqlalchemy import Connection, text

from worker.domain.judgement import NOT_COVERED

MOST = 5_000
"""The newest; a team that has more of them knows what to do."""


def not_covered(connection: Connection, run_id: int | None = None) -> list[tuple[int, str, str]]:
    """Job, external id and words of the newest jobs that wait for people because no page answers
    them, whose text is still there."""
    values = {"run": run_id, "reason": NOT_COVERED, "limit": MOST}
    return [(row.job, row.external_id, row.said) for row in connection.execute(UNCOVERED, values)]


UNCOVERED = text("""
SELECT j.id AS job, m.external_id, coalesce(m.subject || ' ', '') || m.body AS said
FROM (
  SELECT id, message_id FROM jobs
  WHERE state = 'review' AND reason = :reason
    AND (CAST(:run AS bigint) IS NULL OR run_id = :run)
  ORDER BY id DESC LIMIT :limit) AS j
CROSS JOIN LATERAL (
  SELECT external_id, subject, body FROM messages
  WHERE id = j.message_id AND erased_at IS NULL OFFSET 0) AS m
ORDER BY j.id DESC
""")
