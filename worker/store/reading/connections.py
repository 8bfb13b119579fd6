"""How many connections Postgres allows us, and how many are open."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, kw_only=True, slots=True)
class Connections:
    """`limit` is the tightest of the server's, the database's and the role's; `used` counts against
    that one. `workers` are the worker processes that are alive."""

    used: int
    limit: int
    workers: int


def connections(connection: Connection) -> Connections:
    """As this role sees it."""
    row = connection.execute(COUNT).mappings().one()
    return Connections(**row)


COUNT = text("""
WITH clients AS (
  SELECT usename = current_user AS mine, datname = current_database() AS here
  FROM pg_stat_activity WHERE backend_type = 'client backend'
), kinds AS (
  SELECT current_setting('max_connections')::int
      - current_setting('superuser_reserved_connections')::int AS "limit",
    (SELECT count(*) FROM clients) AS used
  UNION ALL
  SELECT rolconnlimit, (SELECT count(*) FROM clients WHERE mine)
  FROM pg_roles WHERE rolname = current_user AND rolconnlimit >= 0
  UNION ALL
  SELECT datconnlimit, (SELECT count(*) FROM clients WHERE here)
  FROM pg_database WHERE datname = current_database() AND datconnlimit >= 0
)
SELECT used::int, "limit",
  (SELECT count(*) FROM workers WHERE seen_at > now() - interval '30 seconds')::int AS workers
FROM kinds ORDER BY "limit" - used LIMIT 1
""")
