"""kombu's Redis transport, with one client for each connection pool and not for each command.

Making a client costs more than most commands that it sends: it was a sixth of what Celery spent.
Everything else is kombu's.
"""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis


class Channel(redis.Channel):
    """Keeps its client. A client holds no state but its pool, and threads may share it."""

    _kept: tuple[Any, Any] = (None, None)

    def _create_client(self, asynchronous: bool = False) -> Any:
        create: Any = super()._create_client  # type: ignore[misc]
        if asynchronous:  # One for what is waited for, and one for subscriptions.
            return create(asynchronous=True)
        pool, client = self._kept
        if client is None or pool is not self.pool:
            client = create()
            self._kept = (self.pool, client)
        return client


class RedisTransport(redis.Transport):
    """What `redis://` means to kombu, in every process that imports the app."""

    Channel = Channel


def install() -> None:
    """Makes it kombu's transport for Redis. May be called again."""
    name = f"{RedisTransport.__module__}:{RedisTransport.__name__}"
    TRANSPORT_ALIASES.update(redis=name, rediss=name)
