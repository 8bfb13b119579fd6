"""A sample of a run's messages, as jobs of another run beside it."""

from sqlalchemy import Connection, text

from worker.store.runs import RunRef


def copy_sample(connection: Connection, of_run: int, to: RunRef, most: int) -> int:
    """Gives `most` messages of a run, by chance but always the same ones, jobs in another; erased
    ones are passed over. Returns how many."""
    values = {
        "of": of_run, "to": to.id, "most": most, "lane": to.first_lane, "priority": to.priority
    }  # fmt: skip
    return connection.execute(COPY, values).rowcount


def set_beside(connection: Connection, a: RunRef, b: RunRef) -> None:
    """Each of the two is known as what the other is compared with."""
    connection.execute(BESIDE, {"a": a.id, "b": b.id})


COPY = text("""
INSERT INTO jobs (run_id, message_id, origin_id, lane, priority)
SELECT :to, message_id, id, :lane, :priority FROM (
  SELECT j.id, j.message_id FROM jobs AS j JOIN messages AS m ON m.id = j.message_id
  WHERE j.run_id = :of AND m.erased_at IS NULL
  ORDER BY md5(CAST(j.message_id AS text)) LIMIT :most) AS chosen
ORDER BY message_id
""")
BESIDE = text("""
UPDATE runs SET selection = jsonb_build_object('compared_with', CAST(:a AS bigint) + :b - id)
WHERE id IN (:a, :b)
""")
