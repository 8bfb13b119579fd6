"""What people have decided is counted, so that screens need not look through it."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

COUNT_VERDICTS = """
CREATE FUNCTION count_verdicts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO run_verdicts AS c (run_id, verdict, jobs)
  SELECT j.run_id, m.verdict, sum(m.delta) FROM (
    SELECT DISTINCT ON (job_id) job_id, verdict FROM new_reviews
    ORDER BY job_id, id DESC) AS latest
  CROSS JOIN LATERAL (
    SELECT latest.verdict, 1 AS delta
    UNION ALL
    SELECT verdict, -1 FROM (
      SELECT verdict FROM reviews AS r WHERE r.job_id = latest.job_id
        AND NOT EXISTS (SELECT FROM new_reviews AS n WHERE n.id = r.id)
      ORDER BY id DESC LIMIT 1) AS before) AS m
  JOIN jobs AS j ON j.id = latest.job_id
  GROUP BY 1, 2 HAVING sum(m.delta) <> 0 ORDER BY 1, 2
  ON CONFLICT (run_id, verdict) DO UPDATE SET jobs = c.jobs + excluded.jobs;
  RETURN NULL;
END $$
"""
TRIGGER = (
    "CREATE TRIGGER count_verdicts AFTER INSERT ON reviews "
    "REFERENCING NEW TABLE AS new_reviews FOR EACH STATEMENT EXECUTE FUNCTION count_verdicts()"
)
FILL = """
INSERT INTO run_verdicts (run_id, verdict, jobs)
SELECT j.run_id, v.verdict, count(*) FROM (
  SELECT DISTINCT ON (job_id) job_id, verdict FROM reviews ORDER BY job_id, id DESC) AS v
JOIN jobs AS j ON j.id = v.job_id GROUP BY 1, 2
"""


def upgrade() -> None:
    """The counter, filled with what was decided before it was there."""
    op.create_table(
        "run_verdicts",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('accept', 'edit', 'reject')", name=op.f("ck_run_verdicts_verdict")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_verdicts_run_id_runs")),
        sa.PrimaryKeyConstraint("run_id", "verdict", name=op.f("pk_run_verdicts")),
    )
    op.execute(COUNT_VERDICTS)
    op.execute(TRIGGER)
    op.execute(FILL)


def downgrade() -> None:
    """Counted from the verdicts themselves again."""
    op.execute("DROP TRIGGER count_verdicts ON reviews")
    op.execute("DROP FUNCTION count_verdicts()")
    op.drop_table("run_verdicts")
