"""Answers of two runs to the same message, for somebody who is not told whose is which; and what
people said of them."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindPair:
    """A message with both replies, which differ. A fence names the answer that a verdict is on."""

    job_a: int
    fence_a: int
    reply_a: str
    job_b: int
    fence_b: int
    reply_b: str
    subject: str | None
    message: str
    left: int
    """Pairs that this person has not judged, with this one."""

    @property
    def answers(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Both, A's first: job and fence."""
        return (self.job_a, self.fence_a), (self.job_b, self.fence_b)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairVerdicts:
    """Pairs of which people judged both answers, alike ones among them: right in both, in one, in
    neither."""

    pairs: int
    only_a: int
    only_b: int
    both: int


def next_pair(connection: Connection, run_a: int, run_b: int, judge: str) -> BlindPair | None:
    """One that this person has not judged; always in the same order. None when none is left."""
    values = {"a": run_a, "b": run_b, "judge": judge}
    row = connection.execute(NEXT, values).mappings().one_or_none()
    return BlindPair(**row) if row is not None else None


def pair_verdicts(connection: Connection, run_a: int, run_b: int) -> PairVerdicts:
    """How people's verdicts on both answers of a message come out; the latest of each counts."""
    found = connection.execute(VERDICTS, {"a": run_a, "b": run_b}).mappings().one()
    return PairVerdicts(**found)


PAIRS = """
FROM (SELECT id, message_id FROM jobs WHERE run_id = :a AND state = 'answered' OFFSET 0) AS a
CROSS JOIN LATERAL (
  SELECT id FROM jobs WHERE run_id = :b AND message_id = a.message_id AND state = 'answered'
  OFFSET 0) AS b
CROSS JOIN LATERAL (SELECT fence, reply FROM results WHERE job_id = a.id OFFSET 0) AS ra
CROSS JOIN LATERAL (SELECT fence, reply FROM results WHERE job_id = b.id OFFSET 0) AS rb
"""
NEXT = text(f"""
SELECT a.id AS job_a, ra.fence AS fence_a, ra.reply AS reply_a,
  b.id AS job_b, rb.fence AS fence_b, rb.reply AS reply_b, m.subject, m.body AS message,
  count(*) OVER () AS left
{PAIRS} CROSS JOIN LATERAL (
  SELECT subject, body FROM messages WHERE id = a.message_id AND erased_at IS NULL OFFSET 0) AS m
WHERE ra.reply <> rb.reply AND NOT EXISTS (
  SELECT FROM truths AS u WHERE u.job_id IN (a.id, b.id) AND u.undone_at IS NULL
    AND u.grader = 'person' AND u.grader_name = :judge)
ORDER BY md5(CAST(a.message_id AS text)) LIMIT 1
""")
RIGHT = """(
  SELECT is_right FROM truths AS u WHERE u.job_id = {job} AND u.undone_at IS NULL
    AND u.grader = 'person' ORDER BY u.id DESC LIMIT 1)"""
VERDICTS = text(f"""
SELECT count(*) FILTER (WHERE sa IS NOT NULL AND sb IS NOT NULL) AS pairs,
  count(*) FILTER (WHERE sa AND NOT sb) AS only_a, count(*) FILTER (WHERE sb AND NOT sa) AS only_b,
  count(*) FILTER (WHERE sa AND sb) AS both
FROM (SELECT {RIGHT.format(job="a.id")} AS sa, {RIGHT.format(job="b.id")} AS sb {PAIRS}) AS judged
""")
