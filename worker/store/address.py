"""DATABASE_URL, taken apart once: what teams write, as SQLAlchemy and psycopg want it.

Beside SQLAlchemy's own spelling, libpq's is understood: several hosts with commas, sockets as hosts
(`%2Frun%2Fpostgresql`), and settings of the session in `?options=`. What cannot be read is refused
in a sentence that does not hold it, for it may hold a password.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import unquote

from psycopg import pq
from sqlalchemy.engine import URL, make_url

from worker.config.address_spelling import NO_HOST, is_host, option_called, refuse_quotation
from worker.errors import ConfigurationError

EXAMPLE = "DATABASE_URL=postgresql://user:password@host:5432/dbname"
QUOTE = "python3 -c 'from urllib.parse import quote; print(quote(input(), safe=\"\"))'"
DRIVER = "postgresql+psycopg"
PORT = 5432
ONE_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::(\d+))?")
NUMBERS = ("connect_timeout", "port", "tcp_user_timeout", "keepalives")
SCHEMA, OWN_POOL = (
    "?options=-csearch_path%3DNAME",
    "leave it out: Rung keeps connections of its own",
)
OTHERS = {
    "schema": SCHEMA,
    "currentschema": SCHEMA,
    "search_path": SCHEMA,
    "ssl": "?sslmode=require, or better verify-full with sslrootcert",
    "connection_limit": "[database] connections in rung.toml",
    **dict.fromkeys(("pool_timeout", "pool_size", "socket_timeout", "max_pool_size"), OWN_POOL),
    **dict.fromkeys(
        (
            "pgbouncer",
            "preparethreshold",
            "prepare_threshold",
            "statement_cache_size",
            "prepared_statement_cache_size",
        ),
        "leave it out: a pooler is noticed by itself",
    ),
}
"""Options of other drivers, and what does the same here."""


def read_database(url: str) -> URL:
    """The address. Raises ConfigurationError."""
    scheme, separator, rest = url.strip().partition("://")
    if not separator or not scheme:
        raise ConfigurationError("DATABASE_URL is not a database URL.", mend=EXAMPLE)
    refuse_quotation("DATABASE_URL", scheme)
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
    """What stands behind `://`, and libpq's hosts and sockets, which SQLAlchemy wants in the
    query."""
    who, at, tail = rest.rpartition("@")
    end = min((tail.find(mark) for mark in "/?" if mark in tail), default=len(tail))
    hosts = tail[:end].split(",")
    apart = len(hosts) > 1 or hosts[0].lower().startswith("%2f")
    return (f"{who}{at}{tail[end:]}", hosts) if apart else (rest, [])


def _parsed(rest: str, hosts: Sequence[str]) -> URL:
    try:
        found = make_url(f"{DRIVER}://{rest}")
        named = [_host_and_port(one) for one in hosts]
    except Exception:
        raise ConfigurationError("DATABASE_URL is not a database URL.", mend=EXAMPLE) from None
    _refuse_unknown(found.query)
    _refuse_impossible(
        [host for host, _ in named] or [found.host, *_words(found.query.get("host", ()))]
    )
    if not named:
        return found
    several = [",".join(str(one) for one in part) for part in zip(*named, strict=True)]
    return found.update_query_dict(dict(zip(("host", "port"), several, strict=True)))


def _refuse_impossible(hosts: Iterable[str | None]) -> None:
    """A name that no resolver can be asked for; a socket's directory is none."""
    if not all(is_host(host) for host in hosts if host and not host.startswith(("/", "@"))):
        raise ConfigurationError(f"DATABASE_URL {NO_HOST}.", mend=EXAMPLE)


def _host_and_port(named: str) -> tuple[str, int]:
    found = ONE_HOST.fullmatch(named)
    if found is None:
        raise ValueError
    six, host, port = found.groups()
    return six or unquote(host), int(port or PORT)


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(one.keyword.decode() for one in pq.Conninfo.get_defaults())


def _refuse_unknown(options: Mapping[str, str | Sequence[str]]) -> None:
    """What libpq does not know, or cannot read as a number, is a ProgrammingError of psycopg's."""
    for name, value in options.items():
        if name not in _known():
            mend = OTHERS.get(name.lower(), "leave it out; a & in a value is written %26")
            raise ConfigurationError(
                f"DATABASE_URL has {option_called(name, options)} that Postgres's library does not"
                " know.",
                mend=mend,
            )
        numeric = name.startswith(NUMBERS) and isinstance(value, str)
        if numeric and not all(part.isdecimal() for part in str(value).split(",")):
            raise ConfigurationError(f"DATABASE_URL's {name} must be a number.", mend=EXAMPLE)


def spoken(url: URL) -> str:
    """Host, port and database, for people: nothing that could be a secret."""
    hosts = _words(url.query.get("host", ()))
    ports = _words(url.query.get("port", ()))
    if url.host:
        hosts, ports = [url.host], [str(url.port or PORT)]
    if len(ports) == len(hosts):
        bracketed = (f"[{host}]" if ":" in host else host for host in hosts)
        hosts = [f"{host}:{port}" for host, port in zip(bracketed, ports, strict=True)]
    return f"{','.join(hosts) or 'the local socket'}/{url.database or ''}"


def _words(given: str | Sequence[str]) -> list[str]:
    return given.split(",") if isinstance(given, str) else list(given)
