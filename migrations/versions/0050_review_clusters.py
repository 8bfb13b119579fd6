"""What waits for a person is kept in clusters of near-duplicates: a page of the largest read the
newest 2,000 of all that waited, each at a place of its own, and knew nothing of the others."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

FUNCTIONS = (
    """
CREATE FUNCTION note_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO clustered_reviews (job_id, run_id)
  SELECT NEW.id, NEW.run_id FROM runs
  WHERE id = NEW.run_id AND kind NOT IN ('judge', 'shadow')
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$
""",
    """
CREATE FUNCTION leave_cluster() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(1381322314);
  DELETE FROM clustered_reviews WHERE job_id = ANY(ARRAY(SELECT job_id FROM new_reviews));
  RETURN NULL;
END $$
""",
    """
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
""",
)
TRIGGERS = (
    "CREATE TRIGGER note_review AFTER UPDATE ON jobs FOR EACH ROW"
    " WHEN (NEW.state = 'review' AND OLD.state <> 'review') EXECUTE FUNCTION note_review()",
    "CREATE TRIGGER leave_cluster AFTER INSERT ON reviews"
    " REFERENCING NEW TABLE AS new_reviews FOR EACH STATEMENT EXECUTE FUNCTION leave_cluster()",
    "CREATE TRIGGER count_clustered_update AFTER UPDATE ON clustered_reviews"
    " REFERENCING OLD TABLE AS old_clustered NEW TABLE AS new_clustered"
    " FOR EACH STATEMENT EXECUTE FUNCTION count_clustered()",
    "CREATE TRIGGER count_clustered_delete AFTER DELETE ON clustered_reviews"
    " REFERENCING OLD TABLE AS old_clustered FOR EACH STATEMENT EXECUTE FUNCTION count_clustered()",
)
WAITING = """
INSERT INTO clustered_reviews (job_id, run_id)
SELECT j.id, j.run_id FROM jobs AS j JOIN runs AS r ON r.id = j.run_id
WHERE j.state = 'review' AND r.kind NOT IN ('judge', 'shadow')
  AND NOT EXISTS (SELECT FROM reviews WHERE job_id = j.id)
"""


def upgrade() -> None:
    """Three tables, and a note of all that waits now: the workers compare it from here on."""
    op.create_table(
        "review_clusters",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("keys", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_clusters")),
    )
    op.create_index(
        "ix_review_clusters_keys",
        "review_clusters",
        ["keys"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.create_table(
        "clustered_reviews",
        sa.Column("job_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_clustered_reviews_job_id_jobs")
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_clustered_reviews")),
    )
    op.create_index(
        "ix_clustered_reviews_due",
        "clustered_reviews",
        ["job_id"],
        postgresql_where=sa.text("cluster_id IS NULL"),
    )
    op.create_index(
        "ix_clustered_reviews_cluster_id", "clustered_reviews", ["cluster_id", "run_id", "job_id"]
    )
    op.create_table(
        "review_cluster_counts",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "cluster_id", name=op.f("pk_review_cluster_counts")),
    )
    op.create_index(
        "ix_review_cluster_counts_largest",
        "review_cluster_counts",
        ["run_id", sa.text("waiting DESC"), "cluster_id"],
    )
    op.create_index(
        "ix_review_cluster_counts_empty",
        "review_cluster_counts",
        ["run_id", "cluster_id"],
        postgresql_where=sa.text("waiting = 0"),
    )
    for statement in (*FUNCTIONS, *TRIGGERS, WAITING):
        op.execute(statement)


def downgrade() -> None:
    """Clusters are found anew each time they are looked at."""
    op.execute("DROP TRIGGER note_review ON jobs")
    op.execute("DROP TRIGGER leave_cluster ON reviews")
    for table in ("review_cluster_counts", "clustered_reviews", "review_clusters"):
        op.drop_table(table)
    for function in ("note_review", "leave_cluster", "count_clustered"):
        op.execute(f"DROP FUNCTION {function}")
