"""Which rights of Postgres a role lacks that works here."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from models.tables import Base
from worker.store.complaints import grant_of


def missing_rights(connection: Connection) -> Iterator[tuple[str, str]]:
    """Each as words, and the statement that gives it."""
    asked = {"tables": sorted(Base.metadata.tables)}
    for kind, thing, lacking, role in connection.execute(LACKING, asked):
        yield f"{role} {lacking} {thing}", grant_of(kind, thing, role)


LACKING = text("""
SELECT 'temporary tables', current_database()::text,
  'may make no temporary table in database', current_user::text
WHERE NOT has_database_privilege(current_database(), 'TEMPORARY')
UNION ALL
SELECT 'table', min(name), 'may not ' || string_agg(DISTINCT wanted, ', ') || ' in table',
  current_user::text
FROM unnest(CAST(:tables AS text[])) AS name,
  unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS wanted
WHERE NOT has_table_privilege(to_regclass(name), wanted)
HAVING count(*) > 0
UNION ALL
SELECT 'sequence', sequence, 'may not use sequence', current_user::text
FROM pg_get_serial_sequence('messages', 'id') AS sequence
WHERE NOT has_sequence_privilege(sequence, 'USAGE')
""")
