"""What customers wrote and what was answered, for those who may read it: a few jobs at a time, each
looked up by its key."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from worker.store.rows import values_of

WHOLE = 200_000
"""Characters: more than any text that is taken has."""
A_LINE = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A message and the reply to it: what a person wrote instead, where one did. `verdict` is the
    latest one."""

    job: int
    subject: str | None
    message: str
    reply: str | None
    verdict: str | None

    @property
    def message_line(self) -> str:
        """Subject and message on one line."""
        return " ".join(f"{self.subject or ''} {self.message}".split())

    @property
    def reply_line(self) -> str:
        """The reply on one line."""
        return " ".join((self.reply or "").split())


def exchanges(
    connection: Connection, jobs: Sequence[int], characters: int = WHOLE
) -> dict[int, Exchange]:
    """By job; the first `characters` of each text. The caller sees to the audit."""
    values = {"ids": list(jobs), "characters": characters}
    return {
        found.job: found for found in values_of(Exchange, connection.execute(EXCHANGES, values))
    }


EXCHANGES = text("""
SELECT j.id AS job, m.subject, left(m.body, :characters) AS message,
  left(coalesce(v.reply, r.reply), :characters) AS reply, v.verdict
FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
CROSS JOIN LATERAL (SELECT id, message_id FROM jobs WHERE id = wanted.id OFFSET 0) AS j
CROSS JOIN LATERAL (SELECT subject, body FROM messages WHERE id = j.message_id OFFSET 0) AS m
LEFT JOIN LATERAL (SELECT reply FROM results WHERE job_id = j.id OFFSET 0) AS r ON true
LEFT JOIN LATERAL (
  SELECT verdict, reply FROM reviews WHERE job_id = j.id ORDER BY id DESC LIMIT 1) AS v ON true
""")
