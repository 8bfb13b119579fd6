"""Messages that wait for a person and say almost the same, kept together as they come.

What goes to a person is noted by a trigger, in the transaction that sends it there, and leaves
with its first verdict. A worker's housekeeping puts what was noted into clusters, which are counted
by a trigger, so that a page of the largest costs the same however many wait. Only jobs in review
have rows here.
"""

from sqlalchemy import DDL, BigInteger, ForeignKey, Index, Integer, event, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId
from models.jobs import Job
from models.results import Review


class ReviewCluster(Base):
    """A cluster of near-duplicates among what waits for a person, by the job whose message founded
    it, with hashes by which others find it."""

    __tablename__ = "review_clusters"
    __table_args__ = (
        Index(
            "ix_review_clusters_keys",
            "keys",
            postgresql_using="gin",
            # What waits to be sorted in would be looked through by every search.
            postgresql_with={"fastupdate": "off"},
        ),
    )

    id: Mapped[BigId] = mapped_column(primary_key=True, autoincrement=False)
    keys: Mapped[list[int]] = mapped_column(ARRAY(Integer))


class ClusteredReview(Base):
    """A job that waits for a verdict, and its cluster: none before it was compared. Who founded a
    cluster may be judged while others wait, so there is no foreign key to it."""

    __tablename__ = "clustered_reviews"
    __table_args__ = (
        Index("ix_clustered_reviews_due", "job_id", postgresql_where=text("cluster_id IS NULL")),
        Index("ix_clustered_reviews_cluster_id", "cluster_id", "run_id", "job_id"),
    )

    job_id: Mapped[BigId] = mapped_column(
        ForeignKey("jobs.id"), primary_key=True, autoincrement=False
    )
    run_id: Mapped[BigId]
    cluster_id: Mapped[BigId | None]


class ReviewClusterCount(Base):
    """How many jobs of a run wait in a cluster, and under run 0 those of all runs."""

    __tablename__ = "review_cluster_counts"
    __table_args__ = (
        Index("ix_review_cluster_counts_largest", "run_id", text("waiting DESC"), "cluster_id"),
        Index(
            "ix_review_cluster_counts_empty",
            "run_id",
            "cluster_id",
            postgresql_where=text("waiting = 0"),
        ),
    )

    run_id: Mapped[BigId] = mapped_column(primary_key=True, autoincrement=False)
    cluster_id: Mapped[BigId] = mapped_column(primary_key=True, autoincrement=False)
    waiting: Mapped[int] = mapped_column(BigInteger)


NOTE_REVIEW = """
CREATE FUNCTION note_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO clustered_reviews (job_id, run_id)
  SELECT NEW.id, NEW.run_id FROM runs
  WHERE id = NEW.run_id AND kind NOT IN ('judge', 'shadow')
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$
"""
# Asked of each row in Postgres's own code: only a job that goes to a person calls the function.
NOTE_REVIEW_TRIGGER = (
    "CREATE TRIGGER note_review AFTER UPDATE ON jobs FOR EACH ROW"
    " WHEN (NEW.state = 'review' AND OLD.state <> 'review') EXECUTE FUNCTION note_review()"
)
# Who compares takes the same lock for itself alone, so that neither waits for the other's rows.
LEAVE_CLUSTER = """
CREATE FUNCTION leave_cluster() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(1381322314);
  DELETE FROM clustered_reviews WHERE job_id = ANY(ARRAY(SELECT job_id FROM new_reviews));
  RETURN NULL;
END $$
"""
LEAVE_CLUSTER_TRIGGER = (
    "CREATE TRIGGER leave_cluster AFTER INSERT ON reviews"
    " REFERENCING NEW TABLE AS new_reviews FOR EACH STATEMENT EXECUTE FUNCTION leave_cluster()"
)
COUNT_CLUSTERED = """
CREATE FUNCTION count_clustered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO review_cluster_counts AS c (run_id, cluster_id, waiting)
    SELECT place.run_id, cluster_id, -count(*) FROM old_clustered AS o
    CROSS JOIN LATERAL (VALUES (o.run_id), (0)) AS place(run_id)
    WHERE cluster_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (run_id, cluster_id) DO UPDATE SET waiting = c.waiting + excluded.waiting;
  ELSE
    INSERT INTO review_cluster_counts AS c (run_id, cluster_id, waiting)
    SELECT place.run_id, cluster_id, sum(delta) FROM (
      SELECT run_id, cluster_id, 1 AS delta FROM new_clustered
      UNION ALL SELECT run_id, cluster_id, -1 FROM old_clustered) AS moved
    CROSS JOIN LATERAL (VALUES (moved.run_id), (0)) AS place(run_id)
    WHERE cluster_id IS NOT NULL GROUP BY 1, 2 HAVING sum(delta) <> 0 ORDER BY 1, 2
    ON CONFLICT (run_id, cluster_id) DO UPDATE SET waiting = c.waiting + excluded.waiting;
  END IF;
  RETURN NULL;
END $$
"""
COUNT_CLUSTERED_TRIGGERS = tuple(
    f"CREATE TRIGGER count_clustered_{verb.lower()} AFTER {verb} ON clustered_reviews"
    f" REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION count_clustered()"
    for verb, tables in (
        ("UPDATE", "OLD TABLE AS old_clustered NEW TABLE AS new_clustered"),
        ("DELETE", "OLD TABLE AS old_clustered"),
    )
)
STATEMENTS: dict[type[Base], tuple[str, ...]] = {
    Job: (NOTE_REVIEW, NOTE_REVIEW_TRIGGER),
    Review: (LEAVE_CLUSTER, LEAVE_CLUSTER_TRIGGER),
    ClusteredReview: (COUNT_CLUSTERED, *COUNT_CLUSTERED_TRIGGERS),
}

for _model, _statements in STATEMENTS.items():
    for _statement in _statements:
        event.listen(_model.__table__, "after_create", DDL(_statement))  # type: ignore[no-untyped-call]
