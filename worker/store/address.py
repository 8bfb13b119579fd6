"""DATABASE_URL, taken apart once: what teams write, as SQLAlchemy and psycopg want it.

Beside SQLAlchemy's own spelling, libpq's is understood: several hosts with commas, and settings of
the session in `?options=`. What cannot be read is refused in a sentence that does not hold it, for
it may hold a password.
"""

from sqlalchemy.engine import URL, make_url

from worker.errors import ConfigurationError

EXAMPLE = "DATABASE_URL=postgresql://user:password@host:5432/dbname"
QUOTE = "python3 -c 'from urllib.parse import quote; print(quote(input(), safe=\"\"))'"
DRIVER = "postgresql+psycopg"


def read_database(url: str) -> URL:
    """The address. Raises ConfigurationError."""
    scheme, separator, rest = url.strip().partition("://")
    if not separator:
        raise ConfigurationError("DATABASE_URL is not a database URL.", mend=EXAMPLE)
    kind = scheme.lower().partition("+")[0]
    if kind not in ("postgres", "postgresql"):
        known = kind if kind.isalnum() else "something else"
        words = f"DATABASE_URL is for {known}; Rung keeps its record in Postgres."
        raise ConfigurationError(words, mend=EXAMPLE)
    if rest.count("@") > 1:
        raise ConfigurationError(
            "DATABASE_URL cannot be read: its password or user seems to hold an @, which ends it.",
            mend=f"percent-encode it: {QUOTE}",
        )
    return _parsed(*_hosts_apart(rest))


def _hosts_apart(rest: str) -> tuple[str, list[str]]:
    """What stands behind `://`, and libpq's hosts, which SQLAlchemy wants in the query."""
    who, at, tail = rest.rpartition("@")
    end = min((tail.find(mark) for mark in "/?" if mark in tail), default=len(tail))
    hosts = tail[:end].split(",")
    return (f"{who}{at}{tail[end:]}", hosts) if len(hosts) > 1 else (rest, [])


def _parsed(rest: str, hosts: list[str]) -> URL:
    try:
        found = make_url(f"{DRIVER}://{rest}")
    except Exception:
        raise ConfigurationError("DATABASE_URL is not a database URL.", mend=EXAMPLE) from None
    if not hosts:
        return found
    named = [one if ":" in one else f"{one}:5432" for one in hosts]
    return found.update_query_dict({"host": named})


def spoken(url: URL) -> str:
    """Host, port and database, for people: nothing that could be a secret."""
    named = url.query.get("host", ())
    hosts = (named,) if isinstance(named, str) else tuple(named)
    if url.host:
        hosts = (f"{url.host}:{url.port or 5432}",)
    return f"{','.join(hosts) or 'the local socket'}/{url.database or ''}"
