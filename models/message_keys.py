"""The key from a job to its message, asked once for each statement and not once for each job.

It promises what a foreign key does: a job's message is there, as long as the job is. Half of what
Postgres did for a job of an intake was a foreign key's look-up by itself, one for each row, with a
lock that is written to the log. A message that the same transaction has stored needs no lock, for
until its commit nobody else can delete it, and afterwards the job is there for whoever tries.
"""

from sqlalchemy import DDL, event

from models.jobs import Job
from models.messages import Message

REFER_JOBS = """
CREATE FUNCTION refer_jobs() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off
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
"""A number of a transaction is used again after four thousand million others, and stays on rows of
long ago: the time says that the row is of this one. Where every message between the lowest and the
highest id is of this transaction, as in an intake, no job has to be looked at by itself. Whatever
statistics say, messages are found by their ids."""

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

Job.__table__.add_is_dependent_on(Message.__table__)  # type: ignore[attr-defined]
for _statement in (REFER_JOBS, KEEP_MESSAGES, *TRIGGERS):
    event.listen(Job.__table__, "after_create", DDL(_statement))  # type: ignore[no-untyped-call]
