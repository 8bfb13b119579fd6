"""`rung doctor` on a Redis that answers, and yet could not serve."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.support.cli import say
from worker.config.addresses import Services, write_services
from worker.config.loading import load_settings
from worker.config.redis_address import read_redis
from worker.errors import ConfigurationError
from worker.lanes import process
from worker.sandbox.redis import Redis, start_redis

pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """A Redis of this test's own, configured."""
    made = start_redis(tmp_path / "r")
    monkeypatch.setenv("REDIS_URL", made.url)
    yield made
    made.stop()


def client_of(server: Redis) -> redis.Redis:
    client: redis.Redis = read_redis(server.url).client(5)
    return client


def findings(name: str) -> list[tuple[bool | None, str]]:
    """The lines of that name, with their marks."""
    document = say("doctor", "--json").document
    return [(one["ok"], one["words"]) for one in document if one["name"] == name]


def test_a_full_redis_is_not_well(server: Redis) -> None:
    # given
    with client_of(server) as client:
        client.config_set("maxmemory", "1kb")
    # then
    ((ok, words),) = findings("redis")
    assert ok is False
    assert "full" in words


def test_a_replica_takes_no_writes(server: Redis) -> None:
    # given
    with client_of(server) as client:
        client.replicaof("127.0.0.1", "1")
    # then
    ((ok, words),) = findings("redis")
    assert ok is False
    assert "replica" in words


@pytest.mark.parametrize(
    "refused", ["resetkeys ~app:*", "resetchannels", "-@scripting"], ids=lambda one: one.split()[0]
)
def test_a_user_that_may_not_what_queues_and_limits_do_stops_a_worker_too(
    server: Redis, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    # given
    lean = "on >s3cret ~rung:* &* +@all -@dangerous -@admin"
    with client_of(server) as client:
        for allowed in (lean, refused):
            client.execute_command("ACL", "SETUSER", "rung", *allowed.split())
    monkeypatch.setenv("REDIS_URL", server.url.replace("unix://", "unix://rung:s3cret@"))
    # then
    ((ok, words),) = findings("redis")
    assert ok is False
    assert "may not do what Rung needs" in words
    with pytest.raises(ConfigurationError, match="may not") as raised:
        process.start(load_settings())
    assert "~rung:*" in str(raised.value.mend)


def test_a_redis_that_throws_things_away_is_named(server: Redis) -> None:
    # given
    with client_of(server) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        unlimited = findings("redis memory")
        client.config_set("maxmemory", "100mb")
    # then
    assert unlimited == []
    ((ok, words),) = findings("redis memory")
    assert ok is None
    assert "allkeys-lru" in words


def test_the_reason_is_said_and_the_password_is_not(
    server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    with client_of(server) as client:
        client.config_set("requirepass", "s3cret-right")
    monkeypatch.setenv("REDIS_URL", server.url.replace("unix://", "unix://:s3cret-wrong@"))
    # then
    ((ok, words),) = findings("redis")
    assert ok is False
    assert "AuthenticationError" in words
    assert "s3cret" not in words


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "sentinel://:s3cret@127.0.0.1:1/m?sentinel_password=s3cret2",
            "knows a master at sentinel:",
        ),
        ("rediss://:s3cret@127.0.0.1:1?ssl_ca_certs=/not/there.pem", "names /not/there.pem"),
    ],
)
def test_what_is_missing_is_named_and_no_password(
    url: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    ((ok, words),) = findings("redis")
    assert ok is False
    assert said in words
    assert "s3cret" not in words


@pytest.mark.parametrize("url", ["amqp://h", "redis://:p#w@h", "127.0.0.1:6379"])
def test_an_address_that_nobody_understands_stops_every_command(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # given
    monkeypatch.setenv("REDIS_URL", url)
    (tmp_path / "b.jsonl").write_text('{"external_id": "1", "body": "Where is my card?"}\n')
    # when
    said = [say("doctor"), say("enqueue", "b.jsonl"), say("status")]
    # then
    assert {one.code for one in said} == {6}
    assert all("REDIS_URL" in one.out + one.err for one in said)
    assert not any("bug" in one.err for one in said)


@pytest.mark.parametrize(
    ("name", "noted"),
    [("ANTHROPIC_API_KEY", True), ("RUNG_BUDGET__PER_DAY_USD", False)],
)
def test_a_real_key_without_a_budget_is_noted(
    server: Redis, monkeypatch: pytest.MonkeyPatch, name: str, noted: bool
) -> None:
    monkeypatch.setenv(name, "50")
    assert [ok for ok, _ in findings("budget")] == [None] * noted


@pytest.mark.parametrize(("dollars", "noted"), [("0.10", True), ("0", False), ("0.50", False)])
def test_a_bound_that_no_message_fits_under_is_noted(
    server: Redis, monkeypatch: pytest.MonkeyPatch, dollars: str, noted: bool
) -> None:
    monkeypatch.setenv("RUNG_POLICY__MAX_COST_PER_MESSAGE", dollars)
    assert [ok for ok, _ in findings("cost bound")] == [None] * noted


def test_an_embedded_server_beside_a_real_key_is_noted(
    server: Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str
) -> None:
    # given a running `rung up` that embeds Redis, and a key that costs money
    monkeypatch.delenv("REDIS_URL")
    (tmp_path / ".rung").mkdir()
    services = Services(
        pid=os.getpid(), database_url=database_url, redis_url=server.url, anthropic_base_url=None
    )
    write_services(tmp_path / ".rung", services)
    # then
    ((ok, words),) = findings("redis")
    assert ok is None
    assert "embedded, though the key is real" in words
