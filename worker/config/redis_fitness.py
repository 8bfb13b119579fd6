"""Whether a Redis that answers can hold Rung's queues and rate limits."""

from typing import Any

from worker.errors import ConfigurationError

PROBE = "rung:doctor"
"""A key that lives for seconds, under the prefix that a lean ACL allows; and a channel."""
LEAN = "ACL SETUSER NAME ~rung:* &* +@all -@dangerous -@admin +info"


def require_fit(client: Any) -> None:
    """Asks a redis-py client for what queues and rate limits do: a write, a script over keys that
    lie anywhere, a message. Raises ConfigurationError where that can never be; RedisError where it
    cannot be now."""
    import redis

    said = redis.exceptions
    cluster = (said.ClusterCrossSlotError, said.ClusterError, said.AskError)
    try:
        client.set(PROBE, 1, ex=5)
        client.eval("return 1", 2, PROBE, f"{PROBE}:another")
        client.publish(PROBE, "")
    except cluster:
        raise ConfigurationError(
            "Redis is a cluster there, and Rung's queues and rate limits need one server.",
            mend="point REDIS_URL at one with cluster mode disabled, or at Sentinels: they keep one"
            " highly available",
        ) from None
    except said.NoPermissionError as error:
        raise ConfigurationError(
            f"Redis's user may not do what Rung needs: {error}.", mend=f"give it rights: {LEAN}"
        ) from None
