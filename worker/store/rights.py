"""Which rights of Postgres a role lacks that works here."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from models.names import TABLES
from worker.errors import ConfigurationError
from worker.store.complaints import Acting, grant_of


def missing_rights(connection: Connection) -> Iterator[tuple[str, str]]:
    """Each as words, and the statement that gives it."""
    asked = {"tables": list(TABLES)}
    for kind, thing, lacking, role, schema in connection.execute(LACKING, asked):
        grant = grant_of(kind, thing, Acting(role=role, schema=schema))
        yield f"{role} {lacking} {thing}", str(grant)


def require_rights(connection: Connection) -> None:
    """Raises ConfigurationError with the statements that help. A run is not begun without: what is
    refused in the middle of one could not be taken back either."""
    found = list(missing_rights(connection))
    if found:
        words = [f"{lacking}, so nothing can be run." for lacking, _ in found]
        grants = "; ".join(dict.fromkeys(grant for _, grant in found))
        raise ConfigurationError(words, mend=f"as the owner, {grants}")


LACKING = text("""
SELECT 'temporary tables', current_database()::text,
  'may make no temporary table in database', current_user::text,
  coalesce(current_schema()::text, 'public')
WHERE NOT has_database_privilege(current_database(), 'TEMPORARY')
UNION ALL
SELECT 'table', min(name), 'may not ' || string_agg(DISTINCT wanted, ', ') || ' in table',
  current_user::text, coalesce(current_schema()::text, 'public')
FROM unnest(CAST(:tables AS text[])) AS name,
  unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS wanted
WHERE NOT has_table_privilege(to_regclass(name), wanted)
HAVING count(*) > 0
UNION ALL
SELECT 'sequence', sequence, 'may not use sequence', current_user::text,
  coalesce(current_schema()::text, 'public')
FROM pg_get_serial_sequence('messages', 'id') AS sequence
WHERE NOT has_sequence_privilege(sequence, 'USAGE')
""")
