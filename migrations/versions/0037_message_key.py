"""The key from a job to its message is asked once for each statement.

Row by row it was half of what a job of an intake took, and a lock in the log for each.
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

KEY = "fk_jobs_message_id_messages"

REFER_JOBS = """
CREATE FUNCTION refer_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
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

KEEP_MESSAGES = """
CREATE FUNCTION keep_messages() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted bigint;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    RAISE foreign_key_violation USING TABLE = 'messages',
      CONSTRAINT = 'fk_jobs_message_id_messages',
      MESSAGE = 'a message keeps its id (fk_jobs_message_id_messages)';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE feature_not_supported USING
      MESSAGE = 'messages are deleted under READ COMMITTED alone, which sees every job of theirs';
  END IF;
  IF TG_OP = 'DELETE' THEN
    SELECT m.id INTO wanted FROM old_messages AS m
    CROSS JOIN LATERAL (SELECT FROM jobs WHERE message_id = m.id LIMIT 1) AS j LIMIT 1;
  ELSE
    SELECT message_id INTO wanted FROM jobs LIMIT 1;
  END IF;
  IF FOUND THEN
    RAISE foreign_key_violation USING TABLE = 'messages',
      CONSTRAINT = 'fk_jobs_message_id_messages',
      MESSAGE = 'message ' || wanted || ' has a job still (fk_jobs_message_id_messages)';
  END IF;
  RETURN NULL;
END $$
"""

TRIGGERS = (
    "CREATE TRIGGER refer_jobs AFTER INSERT ON jobs REFERENCING NEW TABLE AS new_jobs"
    " FOR EACH STATEMENT EXECUTE FUNCTION refer_jobs()",
    "CREATE TRIGGER keep_message BEFORE UPDATE OF message_id ON jobs FOR EACH ROW"
    " WHEN (old.message_id IS DISTINCT FROM new.message_id) EXECUTE FUNCTION refer_jobs()",
    "CREATE TRIGGER keep_messages AFTER DELETE ON messages REFERENCING OLD TABLE AS old_messages"
    " FOR EACH STATEMENT EXECUTE FUNCTION keep_messages()",
    "CREATE TRIGGER keep_all_messages AFTER TRUNCATE ON messages"
    " FOR EACH STATEMENT EXECUTE FUNCTION keep_messages()",
    "CREATE TRIGGER keep_id BEFORE UPDATE OF id ON messages FOR EACH ROW"
    " WHEN (old.id IS DISTINCT FROM new.id) EXECUTE FUNCTION keep_messages()",
)


def upgrade() -> None:
    """In one transaction: no moment is without a key. What old workers write is asked, too."""
    for statement in (REFER_JOBS, KEEP_MESSAGES, *TRIGGERS):
        op.execute(statement)
    op.drop_constraint(KEY, "jobs")


def downgrade() -> None:
    """The foreign key looks at each job that there is."""
    op.create_foreign_key(KEY, "jobs", "messages", ["message_id"], ["id"])
    for trigger, table in (
        ("refer_jobs", "jobs"),
        ("keep_message", "jobs"),
        ("keep_messages", "messages"),
        ("keep_all_messages", "messages"),
        ("keep_id", "messages"),
    ):
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    op.execute("DROP FUNCTION refer_jobs()")
    op.execute("DROP FUNCTION keep_messages()")
