"""A person's later word is another delivery, also while the one before it is being tried."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

DELIVER_VERDICTS = """
CREATE OR REPLACE FUNCTION deliver_verdicts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE deliveries AS d SET state = 'withdrawn', ended_at = now()
  FROM new_reviews AS v
  WHERE v.verdict = 'reject' AND d.job_id = v.job_id AND d.state IN ('waiting', 'dead');
  INSERT INTO deliveries AS d (target, job_id)
  SELECT t.name, v.job_id FROM new_reviews AS v JOIN results AS r USING (job_id)
    CROSS JOIN delivery_targets AS t
  WHERE v.verdict IN ('accept', 'edit') AND t.enabled AND (t.simulated OR NOT r.simulated)
  GROUP BY 1, 2 ORDER BY 1, 2
  ON CONFLICT (target, job_id) DO UPDATE SET {change};
  RETURN NULL;
END $$
"""
BEFORE = """state = 'waiting', ended_at = NULL, tries = 0,
    revision = d.revision + 1, created_at = now(), next_try_at = now(), error = NULL
  WHERE d.state <> 'waiting'"""
AFTER = """state = 'waiting', ended_at = NULL,
    tries = CASE d.state WHEN 'waiting' THEN d.tries ELSE 0 END,
    revision = d.revision + 1, created_at = now(), error = NULL,
    next_try_at = CASE d.state WHEN 'waiting'
      THEN least(d.next_try_at, now() + interval '90 seconds') ELSE now() END
  WHERE d.state <> 'waiting' OR d.tries > 0"""


def upgrade() -> None:
    """A function; nothing is rewritten."""
    op.execute(DELIVER_VERDICTS.format(change=AFTER))


def downgrade() -> None:
    """As it was."""
    op.execute(DELIVER_VERDICTS.format(change=BEFORE))
