"""What Postgres's refusals mean to whoever must mend them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from worker.errors import ConfigurationError, RungError, Unreachable
from worker.store.address import spoken

STOPPED, LOCKED = "57014", "55P03"
NO_RIGHT, NO_SCHEMA, READ_ONLY, TOO_MANY = "42501", "3F000", "25006", "53300"
USED_UP = "53"
"""The class of a server that has no disk, memory or room left for a statement."""
FULL = ("too many connections", "too many clients", "remaining connection")
"""Refused at its door, psycopg knows only the server's words. pgbouncer's hold the first."""
DENIED = re.compile(r"permission denied for (\w+) (.+)")
NO_TEMPORARY = re.compile(r'permission denied to create (temporary tables) in database "(.+)"')
PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
"""A name that needs no quotation marks."""
GRANTS = {
    "schema": "GRANT USAGE, CREATE ON SCHEMA {thing} TO {role}",
    "database": "GRANT CREATE, CONNECT ON DATABASE {thing} TO {role}",
    "temporary tables": "GRANT TEMPORARY ON DATABASE {thing} TO {role}",
    "table": "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
    "sequence": "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
}
RIGHTS = "give Rung's role its rights, which docs/deploying.md lists"
OWNS = "must be owner of"
PRIMARY = (
    "point DATABASE_URL at the primary (with several hosts: ?target_session_attrs=read-write);"
    " where it is, default_transaction_read_only is on, and \\drds in psql shows for whom"
)


@dataclass(frozen=True, slots=True)
class Acting:
    """As whom a session works, and in which schema, as the server has it: an address need name
    neither."""

    role: str
    schema: str


def is_outage(error: DBAPIError) -> bool:
    """Whether the server was away, shutting down or unwilling, rather than the SQL wrong."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(error.orig, psycopg.OperationalError | psycopg.InterfaceError)
    return bool(state.startswith(("08", "53", "57", "55", "40", "25")))


def is_full(error: DBAPIError) -> bool:
    """Whether the server is there, and has no connection left for us."""
    return getattr(error.orig, "sqlstate", None) == TOO_MANY or is_full_by_words(str(error.orig))


def is_full_by_words(words: str) -> bool:
    """The same of what a server says at its door."""
    return any(one in words for one in FULL)


def was_stopped(error: DBAPIError) -> bool:
    """Whether a statement ran into its own time, or waited too long for a lock: that says nothing
    of the server."""
    return getattr(error.orig, "sqlstate", None) in (STOPPED, LOCKED)


def complaint_of(
    error: DBAPIError,
    url: URL | None = None,
    acting: Callable[[], Acting | None] = lambda: None,
) -> RungError | None:
    """The sentence for people, with the statement that mends it; None where it is not theirs to
    mend. `url` tells where; without it a connection was lost in the middle. `acting` is asked who
    lacks a right."""
    state = getattr(error.orig, "sqlstate", None)
    words = (str(error.orig).strip().splitlines() or ["no answer"])[0]
    if state == NO_RIGHT:
        return _denied(words, acting())
    if state == NO_SCHEMA:
        return ConfigurationError(
            "search_path names no schema that is there and that Rung's role may use.",
            mend="make it and GRANT USAGE, CREATE ON it TO that role, or correct search_path, which"
            " DATABASE_URL, the role or the database sets",
        )
    if state == READ_ONLY:
        return Unreachable("Postgres takes no writes.", mend=PRIMARY)
    if was_stopped(error):
        return Unreachable(
            f"Postgres did not get to it in time: {words}",
            mend="run it again; if it stays so, look who holds what it needs:"
            " SELECT pid, application_name, state, query_start FROM pg_stat_activity",
        )
    if is_full(error):
        return Unreachable(
            f"Postgres has no connection left for us: {words}",
            mend="lower database.connections or raise max_connections; rung doctor counts them",
        )
    if not is_outage(error):
        return None
    if state and state.startswith(USED_UP):
        return Unreachable(
            f"Postgres has no room for this: {words}",
            mend="give that server or role more of it, then run it again",
        )
    if url is None:
        return Unreachable("Postgres went away in the middle of this.", mend="rung doctor")
    return Unreachable(
        f"Postgres does not answer at {spoken(url)}: {words}",
        mend="start Postgres there, or correct DATABASE_URL",
    )


def _denied(words: str, acting: Acting | None) -> ConfigurationError:
    found = NO_TEMPORARY.search(words) or DENIED.search(words)
    grant = grant_of(found[1], found[2], acting) if found and acting else None
    if words.startswith(OWNS):
        mend = "run this as the role that owns it: DATABASE_URL of the one that migrates"
    else:
        mend = f"as the owner, {grant}" if grant else RIGHTS
    who = acting.role if acting else "Rung's role"
    return ConfigurationError(f"{who} may not do this in Postgres: {words}.", mend=mend)


def grant_of(kind: str, thing: str, acting: Acting) -> str | None:
    """The statement that gives a role what it lacks; `kind` is a key of GRANTS, None where it is
    another one."""
    grant = GRANTS.get(kind)
    names = {"thing": thing, "role": acting.role, "schema": acting.schema}
    quoted = {key: _identifier(name) for key, name in names.items()}
    return grant.format(**quoted) if grant else None


def _identifier(name: str) -> str:
    """As a statement has it."""
    return name if PLAIN.fullmatch(name) else '"{}"'.format(name.replace('"', '""'))
