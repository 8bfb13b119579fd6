"""Is the database at the revision that this version needs? Cheap: no Alembic is imported."""

import re
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from worker.errors import ConfigurationError, SchemaBehind
from worker.store.engine import server_encoding

_REVISION = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)
_DOWN = re.compile(r'^down_revision = "(\w+)"$', re.MULTILINE)
UNDEFINED_TABLE = "42P01"
LEAST = 15
"""The oldest release of PostgreSQL that is supported: Debian's stable one, and tested."""


@lru_cache(maxsize=1)
def known_revisions() -> tuple[str, ...]:
    """Every revision that this version ships, oldest first; the last one is the head."""
    import migrations

    follows: dict[str | None, str] = {}
    for path in (Path(str(migrations.__file__)).parent / "versions").glob("*.py"):
        source = path.read_text("utf-8")
        down, revision = _DOWN.search(source), _REVISION.search(source)
        if revision:
            follows[down.group(1) if down else None] = revision.group(1)
    chain: list[str] = []
    current = follows.get(None)
    while current is not None:
        chain.append(current)
        current = follows.get(current)
    return tuple(chain)


def current(engine: Engine) -> str | None:
    """The database's revision; None when it is empty. Raises ConfigurationError where the server is
    too old, or the database has no place for every script."""
    try:
        with engine.connect() as connection:
            require_release(connection.dialect.server_version_info)
            require_encoding(server_encoding(connection))
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return str(found) if found is not None else None
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) == UNDEFINED_TABLE:
            return None
        raise


def require_release(version: tuple[int | str, ...] | None) -> None:
    """Raises ConfigurationError unless a server of this version is supported; None is unknown."""
    if version and int(version[0]) < LEAST:
        raise ConfigurationError(
            f"Postgres is version {'.'.join(map(str, version))} there, and Rung needs {LEAST} or"
            " newer.",
            mend="move the database to a newer server, or point DATABASE_URL at one",
        )


def require_encoding(encoding: str | None) -> None:
    """Raises ConfigurationError unless every customer's words can be kept; None is unknown."""
    if encoding not in (None, "UTF8"):
        raise ConfigurationError(
            f"The database's encoding is {encoding}, and customers write in every script.",
            mend="CREATE DATABASE rung ENCODING 'UTF8' TEMPLATE template0, and point DATABASE_URL"
            " at that",
        )


def require_current(engine: Engine) -> None:
    """Raises SchemaBehind unless the database is at the newest revision."""
    found, known = current(engine), known_revisions()
    if found == known[-1]:
        return
    if found is not None and found not in known:
        raise SchemaBehind(
            f"The database is at revision {found}, which this version of Rung does not know.",
            mend="install the newer Rung that migrated it",
        )
    state = f"at revision {found}" if found else "empty"
    raise SchemaBehind(
        f"The database is {state}, and this version needs {known[-1]}.", mend="rung db upgrade"
    )
