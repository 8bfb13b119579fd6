"""Redis: does it answer, take what is written, keep what it took, and have its security fixes?"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import redis
import redis.sentinel

from worker.claude.rate_limits import connect
from worker.cli.diagnosis.finding import Symptom
from worker.cli.diagnosis.releases import what_it_lacks
from worker.config.addresses import claude_address, redis_address, redis_url
from worker.config.redis_fitness import require_fit
from worker.config.redis_server import RedisAddress, Tls
from worker.config.settings import Settings
from worker.errors import RungError, Unreachable

LEAST = (6, 2)
TESTED = ("Redis", "Valkey")
NAMED = {
    "valkey_version": "Valkey",
    "dragonfly_version": "Dragonfly",
    "garnet_version": "Garnet",
    "kvrocks_version": "Kvrocks",
    "redict_version": "Redict",
    "upstash_version": "Upstash",
}
"""By what a product says in INFO which it is; `redis_version` is then whom it resembles."""


def examine(settings: Settings) -> Iterator[Symptom]:
    """Raises RungError when no run could use it."""
    client = connect(redis_url(settings))
    try:
        require_fit(client)
        yield from examine_server(settings, _info(client, "server"))
        yield from _memory(_info(client, "memory"))
    except redis.OutOfMemoryError:
        raise Unreachable(
            "Redis is full and takes no writes: nothing is sent until it does.",
            mend="raise its maxmemory, or free what others keep in it",
        ) from None
    except redis.ReadOnlyError:
        raise Unreachable(
            "Redis is a replica and takes no writes.",
            mend="point REDIS_URL at the primary, or at its Sentinels: sentinel://h1,h2/mymaster",
        ) from None
    except redis.sentinel.MasterNotFoundError:
        raise Unreachable(
            f"No Sentinel that answers knows a master at {redis_address(settings).spoken}.",
            mend="start the Sentinels, or correct REDIS_URL: sentinel://h1,h2,h3/NAME, where NAME"
            " is that of `sentinel monitor`, with ?sentinel_password= where they ask for one",
        ) from None
    except redis.RedisError as error:
        _lacking_file(redis_address(settings))
        words = (str(error).splitlines() or [""])[0]
        raise Unreachable(
            f"Redis does not answer at {redis_address(settings).spoken}:"
            f" {type(error).__name__}: {words}",
            mend="start Redis, or correct REDIS_URL",
        ) from None
    finally:
        client.close()


def _lacking_file(address: RedisAddress) -> None:
    """Raises Unreachable where a file of the address is not there: redis-py does not say which."""
    tls = address.tls or Tls()
    for path in (tls.ca, tls.certificate, tls.key):
        if path is not None and not Path(path).is_file():
            raise Unreachable(
                f"REDIS_URL names {path}, and there is no such file.",
                mend="correct its ssl_ca_certs, ssl_certfile or ssl_keyfile",
            )


def _info(client: Any, section: str) -> Mapping[str, Any]:
    """Empty where a lean ACL, or the sandbox's last resort, does not tell."""
    try:
        found: Mapping[str, Any] = client.info(section)
    except redis.ResponseError:
        return {}
    return found


def examine_server(settings: Settings, info: Mapping[str, Any]) -> Iterator[Symptom]:
    """Which product, by its INFO (empty where it does not tell). Raises Unreachable for one that is
    too old."""
    if not info:
        yield Symptom(name="redis", ok=True, words="answers, and does not tell its version")
        return
    product, version = product_of(info)
    words = f"{product} {version}"
    if product == "Redis" and tuple(int(part) for part in version.split(".")[:2]) < LEAST:
        raise Unreachable(
            f"{words} is too old; Celery needs 6.2 or later.", mend="upgrade Redis, or take Valkey"
        )
    if product not in TESTED:
        words += " resembles Redis, and Rung is not tested with it"
        mend = "try a whole run before you rely on it; or point REDIS_URL at Redis or Valkey"
        yield Symptom(name="redis", ok=None, words=words, mend=mend)
    elif settings.redis_url is None:
        yield _embedded(settings, words)
    elif lacking := what_it_lacks(product, version):
        yield Symptom(name="redis", ok=None, words=f"{words} {lacking[0]}", mend=lacking[1])
    else:
        yield Symptom(name="redis", ok=True, words=words)


def product_of(info: Mapping[str, Any]) -> tuple[str, str]:
    """Name and version by INFO's section `server`, which holds `redis_version` at the least."""
    for field, name in NAMED.items():
        if field in info:
            return name, str(info[field])
    keydb = "keydb" in str(info.get("executable", "")).lower()
    return "KeyDB" if keydb else "Redis", str(info["redis_version"])


def _embedded(settings: Settings, words: str) -> Symptom:
    if not real_key(settings):
        return Symptom(name="redis", ok=True, words=f"{words}, embedded: for the sandbox only")
    words += ", embedded, though the key is real: an old release, made for the sandbox only"
    return Symptom(name="redis", ok=None, words=words, mend="set REDIS_URL to a server of your own")


def real_key(settings: Settings) -> bool:
    """Whether calls cost money; False where no key is configured."""
    try:
        return not claude_address(settings).simulated
    except RungError:
        return False


def _memory(info: Mapping[str, Any]) -> Iterator[Symptom]:
    """What is thrown away is dispatched again after a minute: correct, and slow."""
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction" and int(info.get("maxmemory", 0)):
        words = f"maxmemory-policy is {policy}: a full Redis throws queues and rate limits away"
        yield Symptom(
            name="redis memory", ok=None, words=words, mend="CONFIG SET maxmemory-policy noeviction"
        )
