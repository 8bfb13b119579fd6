"""A Redis server by its address, taken apart: the values that kombu and redis-py are given."""

import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """How the server is verified, and what we show it."""

    verify: ssl.VerifyMode = ssl.CERT_REQUIRED
    check_hostname: bool = True
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    def options(self) -> dict[str, Any]:
        """As redis-py's connections want them, through kombu too."""
        named = {
            "ssl_ca_certs": self.ca,
            "ssl_certfile": self.certificate,
            "ssl_keyfile": self.key,
        }
        return {
            "ssl_cert_reqs": self.verify,
            "ssl_check_hostname": self.check_hostname and self.verify is not ssl.CERT_NONE,
            **{name: value for name, value in named.items() if value is not None},
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class RedisAddress:
    """A server by host and port, by its socket's `path`, or by the Sentinels that know `master`."""

    hosts: tuple[tuple[str, int], ...] = ()
    path: str | None = None
    master: str | None = None
    username: str | None = None
    password: str | None = None
    database: int = 0
    tls: Tls | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = None

    @property
    def spoken(self) -> str:
        """For people: without a password."""
        hosts = ",".join(_host_and_port(host, port) for host, port in self.hosts)
        if self.path is not None:
            return f"unix://{self.path}"
        if self.master is not None:
            return f"sentinel://{hosts}/{self.master}"
        return f"{'rediss' if self.tls else 'redis'}://{hosts}/{self.database}"

    @property
    def broker_url(self) -> str:
        """For kombu, which reads nothing from it but who, where and which database."""
        if self.path is not None:
            return f"redis+socket://{self._who}{self.path}?virtual_host={self.database}"
        scheme = "sentinel" if self.master else "rediss" if self.tls else "redis"
        return ";".join(
            f"{scheme}://{self._who}{_host_and_port(host, port)}/{self.database}"
            for host, port in self.hosts
        )

    @property
    def broker_ssl(self) -> dict[str, Any] | None:
        """Celery's `broker_use_ssl`; None without TLS."""
        return self.tls.options() if self.tls else None

    @property
    def transport_options(self) -> dict[str, Any]:
        """What kombu wants beside the address."""
        if self.master is None:
            return {}
        return {"master_name": self.master, "sentinel_kwargs": self._to_sentinels()}

    def client(self, timeout_s: float) -> Any:
        """A redis-py client that answers or fails within `timeout_s` to connect and as much to
        reply. It repeats nothing by itself."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        common: dict[str, Any] = {
            "username": self.username,
            "password": self.password,
            "db": self.database,
            "socket_timeout": timeout_s,
            "retry": Retry(NoBackoff(), 0),
        }
        if self.path is not None:
            return redis.Redis(unix_socket_path=self.path, **common)
        timely: dict[str, Any] = {"socket_connect_timeout": timeout_s, "socket_keepalive": True}
        secure: dict[str, Any] = {"ssl": True, **self.tls.options()} if self.tls else {}
        if self.master is None:
            ((host, port),) = self.hosts
            return redis.Redis(host=host, port=port, **common, **timely, **secure)
        from redis.sentinel import Sentinel

        kept = {"socket_timeout": timeout_s, **timely, **self._to_sentinels()}
        sentinels: Any = Sentinel(list(self.hosts), sentinel_kwargs=kept)  # type: ignore[no-untyped-call]
        return sentinels.master_for(self.master, **common, **timely, **secure)

    def _to_sentinels(self) -> dict[str, Any]:
        who = {"username": self.sentinel_username, "password": self.sentinel_password}
        secure = {"ssl": True, **self.tls.options()} if self.tls else {}
        timely = {"socket_timeout": 5.0, "socket_connect_timeout": 5.0}
        return {**timely, **{k: v for k, v in who.items() if v is not None}, **secure}

    @property
    def _who(self) -> str:
        if self.username is None and self.password is None:
            return ""
        return f"{quote(self.username or '', safe='')}:{quote(self.password or '', safe='')}@"


def _host_and_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
