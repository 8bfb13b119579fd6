"""Whether Redis is there, by a connection alone: who reads Postgres only need not load a client."""

import socket
from contextlib import suppress

from worker.config.addresses import redis_url
from worker.config.redis_address import read_redis
from worker.config.redis_server import RedisAddress
from worker.config.settings import Settings
from worker.errors import RungError

WITHIN_S = 0.5
PING = b"PING\r\n"
"""Every Redis and every Sentinel says something to this, also to whom it would first ask who he
is."""


def is_away(settings: Settings) -> bool:
    """Whether the Redis of this configuration does not answer. False where none is known here."""
    try:
        address = read_redis(redis_url(settings))
    except RungError:
        return False
    return not answers(address)


def answers(address: RedisAddress) -> bool:
    """Whether somebody answers there, of Sentinels one; behind TLS, whether connections are
    taken."""
    return any(_answers(place, secure=address.tls is not None) for place in _places(address))


def _places(address: RedisAddress) -> list[str | tuple[str, int]]:
    return [address.path] if address.path is not None else [*address.hosts]


def _answers(place: str | tuple[str, int], *, secure: bool) -> bool:
    with suppress(OSError), _connected(place) as line:
        if secure:
            return True
        line.sendall(PING)
        return bool(line.recv(1))
    return False


def _connected(place: str | tuple[str, int]) -> socket.socket:
    if not isinstance(place, str):
        return socket.create_connection(place, timeout=WITHIN_S)
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(WITHIN_S)
    try:
        line.connect(place)
    except OSError:
        line.close()
        raise
    return line
