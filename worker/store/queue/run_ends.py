"""The end of a run: marked once its every job has ended, and noted for who wants to hear of it."""

from shlex import quote
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from worker.domain.wording import count, dollars
from worker.store.queue import notices
from worker.store.rows import OPEN_JOBS

SIMULATED = "SIMULATED, made up by Rung's own simulator: "


def finish_runs(engine: Engine) -> list[str]:
    """Marks runs as finished whose every job is in a terminal state. Returns their names."""
    with engine.begin() as connection:
        finished = connection.execute(FINISH).all()
        for run in finished:
            _note(connection, run)
        return [run.name for run in finished]


def _note(connection: Connection, run: Row[Any]) -> None:
    """What came of it; `asked` are the mail addresses that the run names."""
    end = connection.execute(ENDED, {"id": run.id}).one()
    begins = f"{SIMULATED}run" if end.simulated else "Run"
    review = f"; judge what is left: rung review {quote(run.name)}" if end.review else ""
    words = (
        f"{begins} {run.name} is finished:"
        f" {count(end.answered)} answered, {count(end.review)} for a person,"
        f" {count(end.dead)} dead, {dollars(end.spent)} spent."
        f" Take the answers: rung results {quote(run.name)} -o answers.csv"
    ) + review
    key, target = f"{run.id}:{run.finished_at}", f"run {run.name}"
    detail = {"run": run.name, "asked": run.notify, **end._asdict()}
    notices.note(connection, "finished", key=key, target=target, words=words, **detail)


FINISH = text(f"""
UPDATE runs AS r SET state = 'finished', finished_at = now(), waiting_for = NULL,
  tier_waits = NULL
WHERE r.finished_at IS NULL AND r.state IN ('active', 'paused') AND NOT r.accepting
  AND NOT EXISTS (
    SELECT FROM run_counts c WHERE c.run_id = r.id AND c.jobs > 0
      AND c.state IN ({OPEN_JOBS}))
RETURNING r.id, r.name, r.finished_at, r.notify
""")  # noqa: S608 - constants only
ENDED = text("""
SELECT c.answered, c.review, c.dead, c.cancelled, coalesce(b.spent, 0) AS spent,
  EXISTS (SELECT FROM run_spend s WHERE s.run_id = :id AND s.simulated AND s.calls > 0)
    AS simulated
FROM (
  SELECT coalesce(sum(jobs) FILTER (WHERE state = 'answered'), 0)::bigint AS answered,
    coalesce(sum(jobs) FILTER (WHERE state = 'review'), 0)::bigint AS review,
    coalesce(sum(jobs) FILTER (WHERE state = 'dead'), 0)::bigint AS dead,
    coalesce(sum(jobs) FILTER (WHERE state = 'cancelled'), 0)::bigint AS cancelled
  FROM run_counts WHERE run_id = :id) AS c
LEFT JOIN budgets b ON b.run_id = :id
""")
