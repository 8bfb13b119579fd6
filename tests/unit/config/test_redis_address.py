"""One reading of REDIS_URL: what each library gets, and what is refused before anything starts."""

import ssl
from typing import Any

import pytest
from kombu import Connection

from worker.config.redis_address import read_redis
from worker.config.redis_server import RedisAddress
from worker.config.settings import Settings
from worker.errors import ConfigurationError

PLAIN = {"redis://h": 0, "redis://h:6379/3": 3, "valkey://h/3": 3, "redis://h?db=3": 3}
SOCKETS = [
    "unix:///r/s.sock?db=2",
    "redis+socket:///r/s.sock?virtual_host=2",
    "redis+unix:///r/s.sock?db=2",
]


@pytest.fixture(autouse=True)
def _imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app's module makes one as it is imported."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")


def halves(url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters with which kombu and redis-py would connect; nothing is connected."""
    from worker.app import make_app

    app = make_app(Settings(redis_url=url))
    client = read_redis(url).client(1.0)
    with app.connection_for_write() as connection:
        channel = connection.transport.Channel.__new__(connection.transport.Channel)
        channel.connection, channel.connection.client = connection.transport, connection
        channel.__dict__.update(connection.transport_options)
        return channel._connparams(), client.connection_pool.connection_kwargs


@pytest.mark.parametrize("url", PLAIN)
def test_the_database_is_the_same_for_both(url: str) -> None:
    celery, limits = halves(url)
    assert (celery["host"], celery["db"]) == ("h", PLAIN[url])
    assert (limits["host"], limits["db"]) == ("h", PLAIN[url])


@pytest.mark.parametrize("url", SOCKETS)
def test_a_unix_socket_in_any_spelling_is_one_for_both(url: str) -> None:
    celery, limits = halves(url)
    assert (celery["path"], celery["db"]) == ("/r/s.sock", 2)
    assert (limits["path"], limits["db"]) == ("/r/s.sock", 2)


@pytest.mark.parametrize("url", ["redis://us%40er:p%23w%2F@h", "unix://us%40er:p%23w%2F@/r/s.sock"])
def test_who_comes_is_the_same_for_both(url: str) -> None:
    for half in halves(url):
        assert (half["username"], half["password"]) == ("us@er", "p#w/")


@pytest.mark.parametrize(
    ("query", "verify", "hostname"),
    [
        ("", ssl.CERT_REQUIRED, True),
        ("?ssl_cert_reqs=required", ssl.CERT_REQUIRED, True),
        ("?ssl_cert_reqs=CERT_REQUIRED&ssl_check_hostname=false", ssl.CERT_REQUIRED, False),
        ("?ssl_cert_reqs=CERT_NONE", ssl.CERT_NONE, False),
        ("?ssl_cert_reqs=none", ssl.CERT_NONE, False),
    ],
)
@pytest.mark.parametrize("scheme", ["rediss", "valkeys"])
def test_tls_is_verified_by_both_or_by_neither(
    scheme: str, query: str, verify: ssl.VerifyMode, hostname: bool
) -> None:
    for half in halves(f"{scheme}://h:6380/1{query}"):
        assert half["ssl_cert_reqs"] is verify
        assert half["ssl_check_hostname"] is hostname


def test_certificates_reach_both() -> None:
    query = "ssl_ca_certs=/ca.pem&ssl_certfile=/me.pem&ssl_keyfile=/me.key"
    for half in halves(f"rediss://h?{query}"):
        found = (half["ssl_ca_certs"], half["ssl_certfile"], half["ssl_keyfile"])
        assert found == ("/ca.pem", "/me.pem", "/me.key")


def test_sentinels_and_their_master() -> None:
    # given
    address = read_redis("sentinel://:pw@h1,h2:26380,[::1]/mymaster/2?sentinel_password=sp")
    # then
    assert address.hosts == (("h1", 26379), ("h2", 26380), ("::1", 26379))
    assert (address.master, address.database, address.password) == ("mymaster", 2, "pw")
    assert address.broker_url.split(";")[1] == "sentinel://:pw@h2:26380/2"
    assert address.transport_options["master_name"] == "mymaster"
    assert address.transport_options["sentinel_kwargs"]["password"] == "sp"
    assert "pw" not in address.spoken
    with Connection(address.broker_url) as connection:
        assert (connection.transport_cls, connection.virtual_host) == ("sentinel", "2")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("amqp://h", "begins with amqp://"),
        ("http://h", "begins with http://"),
        ("h:6379", "has no scheme"),
        ("redis://h1;redis://h2", "several servers"),
        ("redis://h1,h2", "several hosts"),
        ("redis://h/x", "database must be a number"),
        ("redis://", "names no host"),
        ("redis://h:port", "cannot be read"),
        ("redis://[::1", "cannot be read"),
        ("redis://:s3c#ret@h", "percent-encode"),
        ("redis://:s3c/ret@h", "percent-encode"),
        ("redis://:s3c@ret@h", "percent-encode"),
        ("redis://:s3c?ret@h", "percent-encode"),
        ("redis://h?socket_timeout=3", "timing.connect_s"),
        ("redis://h?protocol=3", "unknown"),
        ("redis://h?password=s3c&ret@=1", "percent-encode"),
        ("redis://h?password=s3c&ret=1", "REDIS_URL has an option: unknown"),
        ("'redis://:s3cret@h'", "leave the quotation marks out"),
        ("redis://h?ssl_cert_reqs=none", "without TLS"),
        ("rediss://h?ssl_cert_reqs=maybe", "required, optional or none"),
        ("sentinel://h1,h2", "not their master"),
        ("unix://socket", "absolute path"),
    ],
)
def test_anything_else_is_refused_in_a_sentence_without_the_secret(url: str, words: str) -> None:
    # when
    with pytest.raises(ConfigurationError) as raised:
        read_redis(url)
    # then
    said = f"{raised.value} {raised.value.mend}"
    assert words in said
    assert "s3c" not in said
    assert "ret@" not in said
    assert "'ret'" not in said


def test_what_a_file_of_settings_leaves_around_it_is_no_part_of_it() -> None:
    assert read_redis(" redis://:pw@h/2\n").database == 2


def test_what_is_spoken_holds_no_password() -> None:
    for url in ("redis://:s3cret@h/1", "unix://:s3cret@/r/s", "sentinel://:s3cret@h/m"):
        assert "s3cret" not in read_redis(url).spoken
    assert RedisAddress(hosts=(("::1", 6379),)).spoken == "redis://[::1]:6379/0"
