"""Audited answers handed to a stronger tier, and taken back from it."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection, text

from worker.store.queue.vigils import hear_again
from worker.store.runs import RunRef


def hand_over(
    connection: Connection, run_id: int, below: Sequence[str], passes: Decimal
) -> list[int]:
    """What waits for a verdict of a judge: the drawn answers of the tiers `below`, by job. People
    look at `passes` of what it finds right."""
    values = {"run": run_id, "below": list(below), "passes": passes}
    return list(connection.execute(HAND_OVER, values).scalars())


def ask_about(connection: Connection, asking: RunRef, tier: str, jobs: Sequence[int]) -> None:
    """Gives the run a job of its own for each of these, to be asked at `tier`."""
    new = {"run": asking.id, "tier": tier, "lane": asking.first_lane, "ids": list(jobs)}
    connection.execute(JOBS, new | {"priority": asking.priority})


def unasked(connection: Connection, run_id: int, tier: str) -> list[int]:
    """The run's shadows that `tier` was not asked about, neither in it nor in a run made for that
    since, by job."""
    return list(connection.execute(UNASKED, {"run": run_id, "tier": tier}).scalars())


def give_back(connection: Connection, run_id: int) -> int:
    """People look at everything that a tier was to judge, whatever it said or may say yet."""
    back = [(row.job_id, row.fence) for row in connection.execute(GIVE_BACK, {"run": run_id})]
    hear_again(connection, back)
    return len(back)


HAND_OVER = text("""
UPDATE audits AS a SET state = 'judging', people_share = :passes
WHERE a.run_id = :run AND a.state = 'open' AND a.purpose = 'audit' AND a.tier = ANY(:below)
  AND NOT EXISTS (SELECT FROM truths AS u
    WHERE u.job_id = a.job_id AND u.fence = a.fence AND u.undone_at IS NULL)
  AND EXISTS (SELECT FROM jobs AS j JOIN messages AS m ON m.id = j.message_id
    WHERE j.id = a.job_id AND m.erased_at IS NULL)
RETURNING a.job_id
""")
JOBS = text("""
INSERT INTO jobs (run_id, message_id, origin_id, state, tier, lane, priority)
SELECT :run, message_id, id, 'routed', :tier, :lane, :priority FROM jobs
WHERE id = ANY(:ids) ORDER BY id
""")
UNASKED = text("""
SELECT s.job_id FROM shadows AS s
CROSS JOIN LATERAL (SELECT message_id FROM jobs WHERE id = s.job_id OFFSET 0) AS j
CROSS JOIN LATERAL (
  SELECT FROM messages WHERE id = j.message_id AND erased_at IS NULL OFFSET 0) AS m
WHERE s.run_id = :run
  AND NOT EXISTS (SELECT FROM attempts AS a
    WHERE a.job_id = s.job_id AND a.stage = 'answer' AND a.tier = :tier
      AND a.outcome IN ('accepted', 'rejected', 'refused', 'truncated', 'empty', 'malformed'))
  AND NOT EXISTS (SELECT FROM jobs AS k JOIN runs AS r ON r.id = k.run_id
    WHERE k.message_id = j.message_id AND k.origin_id = s.job_id AND k.tier = :tier
      AND r.kind = 'shadow' AND r.parent_id = :run)
ORDER BY s.job_id
""")
GIVE_BACK = text("""
UPDATE audits SET people_share = 1,
  state = CASE WHEN state IN ('judging', 'passed') THEN 'open' ELSE state END
WHERE run_id = :run AND (state IN ('judging', 'passed') OR people_share < 1)
RETURNING job_id, fence
""")
