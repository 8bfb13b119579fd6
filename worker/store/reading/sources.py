"""What answers stand on, and the messages that nothing shown answered."""

from sqlalchemy import Connection, text

from worker.domain.judgement import NOT_COVERED

LOOKED_AT = 2_000
"""The newest of those that were left to a person; a team that has more knows what to do."""


def not_covered(connection: Connection, run_id: int | None = None) -> list[tuple[int, str, str]]:
    """Job, external id and words of those of the newest jobs left to a person that no page answers,
    and whose text is still there."""
    values = {"run": run_id, "reason": NOT_COVERED, "window": LOOKED_AT}
    return [(row.job, row.external_id, row.said) for row in connection.execute(UNCOVERED, values)]


# In the order of the index of what waits for people, which alone is read for all other reasons.
UNCOVERED = text("""
SELECT j.id AS job, m.external_id, coalesce(m.subject || ' ', '') || m.body AS said
FROM (
  SELECT id, message_id FROM jobs WHERE id = ANY(ARRAY(
    SELECT id FROM (
      SELECT run_id, id, reason FROM jobs
      WHERE state = 'review' AND (CAST(:run AS bigint) IS NULL OR run_id = :run)
      ORDER BY run_id DESC, id DESC LIMIT :window) AS newest
    WHERE reason = :reason))) AS j
CROSS JOIN LATERAL (
  SELECT external_id, subject, body FROM messages
  WHERE id = j.message_id AND erased_at IS NULL OFFSET 0) AS m
ORDER BY j.id DESC
""")


def cited_most(connection: Connection, run_id: int, limit: int = 5) -> list[tuple[str, int]]:
    """The sources that most accepted answers of a run name, and how many do."""
    values = {"run": run_id, "limit": limit}
    return [(row.source, row.answers) for row in connection.execute(CITED, values)]


CITED = text("""
SELECT named.source, count(*)::bigint AS answers
FROM (SELECT id FROM jobs WHERE run_id = :run AND state = 'answered' OFFSET 0) AS j
CROSS JOIN LATERAL (
  SELECT fields FROM results WHERE job_id = j.id AND accepted OFFSET 0) AS r
CROSS JOIN LATERAL jsonb_array_elements_text(
  CASE jsonb_typeof(r.fields -> 'sources') WHEN 'array' THEN r.fields -> 'sources' ELSE '[]' END)
  AS named(source)
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :limit
""")
