"""A range of messages that one transaction has stored is looked at as a whole when jobs are made of
it, and the index of what is ready looks for no two entries alike, of which it has none.
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

REFER_JOBS = """
CREATE OR REPLACE FUNCTION refer_jobs() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off
AS $$
DECLARE missing bigint; lowest bigint; highest bigint; added bigint; ours bigint;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    RAISE foreign_key_violation USING TABLE = 'jobs',
      CONSTRAINT = 'fk_jobs_message_id_messages',
      MESSAGE = 'a job stays with its message (fk_jobs_message_id_messages)';
  END IF;
  SELECT min(message_id), max(message_id), count(*) INTO lowest, highest, added FROM new_jobs;
  IF highest - lowest < added THEN
    SELECT count(*) INTO ours FROM messages WHERE id BETWEEN lowest AND highest
      AND xmin = pg_current_xact_id()::xid AND created_at = now();
    IF ours = highest - lowest + 1 THEN
      RETURN NULL;
    END IF;
  END IF;
  SELECT j.message_id INTO missing FROM new_jobs AS j
  LEFT JOIN LATERAL (
    SELECT true AS found FROM messages WHERE id = j.message_id
      AND xmin = pg_current_xact_id()::xid AND created_at = now() OFFSET 0) AS own ON true
  LEFT JOIN LATERAL (
    SELECT true AS found FROM messages WHERE own.found IS NULL AND id = j.message_id
    FOR KEY SHARE) AS locked ON true
  WHERE own.found IS NULL AND locked.found IS NULL LIMIT 1;
  IF FOUND THEN
    RAISE foreign_key_violation USING TABLE = 'jobs',
      CONSTRAINT = 'fk_jobs_message_id_messages',
      MESSAGE = 'no message ' || missing || ' is there (fk_jobs_message_id_messages)';
  END IF;
  RETURN NULL;
END $$
"""

SINGLY = """
CREATE OR REPLACE FUNCTION refer_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE missing bigint;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    RAISE foreign_key_violation USING TABLE = 'jobs',
      CONSTRAINT = 'fk_jobs_message_id_messages',
      MESSAGE = 'a job stays with its message (fk_jobs_message_id_messages)';
  END IF;
  SELECT j.message_id INTO missing FROM new_jobs AS j
  LEFT JOIN LATERAL (
    SELECT true AS found FROM messages WHERE id = j.message_id
      AND xmin = pg_current_xact_id()::xid AND created_at = now() OFFSET 0) AS own ON true
  LEFT JOIN LATERAL (
    SELECT true AS found FROM messages WHERE own.found IS NULL AND id = j.message_id
    FOR KEY SHARE) AS locked ON true
  WHERE own.found IS NULL AND locked.found IS NULL LIMIT 1;
  IF FOUND THEN
    RAISE foreign_key_violation USING TABLE = 'jobs',
      CONSTRAINT = 'fk_jobs_message_id_messages',
      MESSAGE = 'no message ' || missing || ' is there (fk_jobs_message_id_messages)';
  END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Nothing is written anew: what is stored stays as it is."""
    op.execute(REFER_JOBS)
    op.execute("ALTER INDEX ix_jobs_ready SET (deduplicate_items = off)")


def downgrade() -> None:
    """Every job is looked at by itself again."""
    op.execute("ALTER INDEX ix_jobs_ready RESET (deduplicate_items)")
    op.execute(SINGLY)
