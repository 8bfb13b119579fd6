"""An address whose host cannot be one is refused in a sentence, wherever it is configured."""

import pytest

from worker.config.loading import load_settings
from worker.config.redis_address import read_redis
from worker.errors import ConfigurationError
from worker.store.address import read_database

LONG = f"{'a' * 64}.example"
NONE = ("db..internal", LONG, ".db", "d b", "d\x1b[31m")
FINE = ("db", "db.internal", "db.internal.", "hö", "10.0.0.1", "[::1]")
ADDRESSES = {
    "DATABASE_URL": "postgresql://u:hunter2@{}:5432/rung",
    "REDIS_URL": "redis://:hunter2@{}:6379/0",
    "ANTHROPIC_BASE_URL": "https://u:hunter2@{}:8443/claude",
    "RUNG_NOTIFY__URL": "https://{}/hunter2",
    "RUNG_DELIVER__DESK__URL": "http://{}:8080/hunter2",
}


def read(name: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a command reads it."""
    monkeypatch.setenv(name, address)
    settings = load_settings()
    if name == "DATABASE_URL":
        read_database(str(settings.database_url))


@pytest.mark.parametrize("name", ADDRESSES)
def test_what_can_be_no_host_is_said_and_what_can_is_taken(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for host in FINE:
        read(name, ADDRESSES[name].format(host), monkeypatch)
    for host in NONE:
        with pytest.raises(ConfigurationError, match=r"host|database URL") as raised:
            read(name, ADDRESSES[name].format(host), monkeypatch)
        assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["http://h:port", "http://[::1", "http://[zz]/", "http://", "http://u@"]
)
def test_a_gateway_without_a_host_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="ANTHROPIC_BASE_URL"):
        read("ANTHROPIC_BASE_URL", url, monkeypatch)


def test_so_are_hosts_among_several_and_in_options() -> None:
    with pytest.raises(ConfigurationError, match="host that cannot be"):
        read_redis("sentinel://a,b..c/mymaster")
    for url in ("postgresql://u@a,b..c/rung", "postgresql://u@/rung?host=b..c"):
        with pytest.raises(ConfigurationError, match="host that cannot be"):
            read_database(url)
    for url in ("postgresql://u@%2Frun%2Fa..b/rung", "postgresql:///rung?host=/run/a..b"):
        assert read_database(url)
