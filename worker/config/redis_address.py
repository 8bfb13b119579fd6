"""One reading of REDIS_URL, for Celery's half, the rate limits and the doctor alike.

kombu and redis-py each read such addresses in a way of their own: one takes `CERT_NONE` where the
other takes `none`, one knows `unix://` and the other `redis+socket://`, and kombu does not verify a
`rediss://` server unless told to. So the address is taken apart here, once, and each library gets
values instead of the address. What neither would understand is refused in a sentence, before
anything starts; no sentence holds the address, which may hold a password.
"""

import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from worker.config.address_spelling import NO_HOST, is_host, option_called, refuse_quotation
from worker.config.redis_server import RedisAddress, Tls
from worker.domain.text import whole_number
from worker.errors import ConfigurationError

DEFAULT_PORT, SENTINEL_PORT = 6379, 26379
TCP = {"redis": False, "rediss": True, "valkey": False, "valkeys": True}
"""Schemes, and whether they mean TLS. Valkey speaks Redis's protocol."""
SOCKETS = ("unix", "redis+socket", "redis+unix")
SENTINELS = {"sentinel": False, "sentinels": True}
KNOWN = "redis://, rediss://, valkey://, unix:// or sentinel://"
EXAMPLE = "REDIS_URL=redis://:password@host:6379/0 (docs/deploying.md shows every kind)"
VERIFYING = {
    "required": ssl.CERT_REQUIRED,
    "optional": ssl.CERT_OPTIONAL,
    "none": ssl.CERT_NONE,
}
OPTIONS = frozenset(
    {"db", "virtual_host", "username", "password"}
    | {"ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname"}
    | {"sentinel_username", "sentinel_password"}
)
"""What may stand behind the `?`."""


def read_redis(url: str) -> RedisAddress:
    """The address, taken apart. Raises ConfigurationError in sentences that do not hold it."""
    url = url.strip()
    refuse_quotation("REDIS_URL", url)
    if ";" in url:
        raise _wrong("REDIS_URL names several servers with ';'; Rung asks one, or Sentinel.")
    scheme, separator, _ = url.partition("://")
    scheme = scheme.lower()
    if not separator:
        raise _wrong(f"REDIS_URL has no scheme; it must begin with {KNOWN}.")
    if scheme not in TCP and scheme not in SOCKETS and scheme not in SENTINELS:
        said = scheme if scheme.replace("+", "").isalnum() else "something else"
        raise _wrong(f"REDIS_URL begins with {said}://; Rung's queues need {KNOWN}.")
    parts, given = _parts(url)
    address = _address(scheme, parts, given)
    if address.tls is None and any(name.startswith("ssl_") for name in given):
        raise _wrong("REDIS_URL has ssl_ options without TLS; write rediss:// (or sentinels://).")
    return address


def _parts(url: str) -> tuple[SplitResult, Mapping[str, str]]:
    # A `#`, `/`, `?` or second `@` in a password ends the password for whoever reads addresses.
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _wrong("REDIS_URL's host or port cannot be read.") from None
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "#" in url or parts.netloc.count("@") > 1 or "@" in parts.path + parts.query:
        raise _wrong(
            "REDIS_URL cannot be read: its password or user seems to hold one of the characters"
            " # / ? @ : %, which end it.",
            mend="percent-encode it: python3 -c 'from urllib.parse import quote;"
            ' print(quote(input(), safe=""))\'',
        )
    for name in given:
        if name not in OPTIONS:
            words = "timeouts are Rung's own (timing.connect_s)" if "timeout" in name else "unknown"
            raise _wrong(f"REDIS_URL has {option_called(name, given)}: {words}.")
    return parts, given


def _address(scheme: str, parts: SplitResult, given: Mapping[str, str]) -> RedisAddress:
    username = unquote(parts.username) if parts.username else given.get("username")
    password = unquote(parts.password) if parts.password else given.get("password")
    sentinel = scheme in SENTINELS
    master, number = _path(parts, given, sentinel=sentinel, socket=scheme in SOCKETS)
    secure = TCP.get(scheme, SENTINELS.get(scheme, False))
    path = _socket_path(parts) if scheme in SOCKETS else None
    default = SENTINEL_PORT if sentinel else DEFAULT_PORT
    return RedisAddress(
        hosts=() if path else _hosts(parts.netloc, default, several=sentinel),
        path=path,
        master=master,
        username=username or None,
        password=password or None,
        database=number,
        tls=_tls(given) if secure else None,
        sentinel_username=given.get("sentinel_username"),
        sentinel_password=given.get("sentinel_password"),
    )


def _path(
    parts: SplitResult, given: Mapping[str, str], *, sentinel: bool, socket: bool
) -> tuple[str | None, int]:
    """The master's name and the database's number: `/mymaster/2`, `/2` or `?db=2`."""
    words = [] if socket else [unquote(word) for word in parts.path.split("/") if word]
    master = words.pop(0) if sentinel and words else None
    if sentinel and master is None:
        raise _wrong(
            "REDIS_URL names Sentinels and not their master.",
            mend="REDIS_URL=sentinel://host1,host2,host3/mymaster",
        )
    number = given.get("db", given.get("virtual_host", words.pop(0) if words else "0"))
    database = whole_number(number)
    if words or database is None:
        raise _wrong("REDIS_URL's database must be a number, as in redis://host:6379/0.")
    return master, database


def _socket_path(parts: SplitResult) -> str:
    if not parts.path or parts.hostname:
        raise _wrong(
            "REDIS_URL's socket needs an absolute path.", mend="REDIS_URL=unix:///run/redis/socket"
        )
    return unquote(parts.path)


def _hosts(netloc: str, default: int, *, several: bool) -> tuple[tuple[str, int], ...]:
    named = netloc.rpartition("@")[2].split(",")
    if len(named) > 1 and not several:
        raise _wrong(
            "REDIS_URL names several hosts; Rung asks one, or Sentinel, and no cluster.",
            mend="REDIS_URL=sentinel://host1,host2,host3/mymaster",
        )
    return tuple(_host(one, default) for one in named)


def _host(named: str, default: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{named}")
        host, port = parts.hostname, parts.port or default
    except ValueError:
        raise _wrong("REDIS_URL's host or port cannot be read.") from None
    if not host:
        raise _wrong("REDIS_URL names no host.")
    if not is_host(unquote(host)):
        raise _wrong(f"REDIS_URL {NO_HOST}.")
    return unquote(host), port


def _tls(given: Mapping[str, str]) -> Tls:
    said = given.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if said not in VERIFYING:
        raise _wrong("REDIS_URL's ssl_cert_reqs must be required, optional or none.")
    return Tls(
        verify=VERIFYING[said],
        check_hostname=given.get("ssl_check_hostname", "true").lower() not in ("false", "no", "0"),
        ca=given.get("ssl_ca_certs"),
        certificate=given.get("ssl_certfile"),
        key=given.get("ssl_keyfile"),
    )


def _wrong(words: str, *, mend: str = EXAMPLE) -> ConfigurationError:
    return ConfigurationError(words, mend=mend)
