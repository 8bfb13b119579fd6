"""Redis as teams have it, on Debian's own: TLS, sockets, ACL users, Sentinel and a failover."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from tests.support import parts
from tests.support.deployment import deployment
from tests.support.waiting import eventually
from worker.errors import ConfigurationError
from worker.sandbox.redis import free_port

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority of our own, and a certificate for 127.0.0.1 by it."""
    folder = tmp_path_factory.mktemp("tls")
    openssl = parts.program("openssl")
    new = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout"]
    ca = [*new, "ca.key", "-out", "ca.pem", "-subj", "/CN=ours"]
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=IP:127.0.0.1"]
    # An authority's certificate must say that it is none, or it may not be served.
    server = [*new, "server.key", "-out", "server.pem", "-subj", "/CN=redis", *signed]
    server += ["-addext", "basicConstraints=critical,CA:FALSE"]
    for command in (ca, server):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(params=["redis-server", "valkey-server"])
def kind(request: pytest.FixtureRequest) -> str:
    """Redis, and Valkey where it is installed."""
    name: str = request.param
    parts.program(name)
    return name


def answered(tmp_path: Path, database_url: str, url: str) -> None:
    """A few messages, the whole way, and doctor's word on it."""
    with deployment(tmp_path, database=database_url, redis=url, straight=database_url) as made:
        with made.worker():
            made.hand_in(20)
            made.until_all_ended()
            said = made.rung("doctor")
        assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("kind", ["redis-server", "valkey-tls"])
@pytest.mark.parametrize("query", ["?ssl_ca_certs={ca}", "?ssl_cert_reqs=CERT_NONE"])
def test_tls_in_the_spellings_of_either_library(
    tmp_path: Path, database_url: str, certificates: Path, kind: str, query: str
) -> None:
    port = free_port()
    config = f"port 0\ntls-port {port}\ntls-auth-clients no\nrequirepass p#w"
    config += f"\ntls-cert-file {certificates}/server.pem\ntls-key-file {certificates}/server.key"
    config += f"\ntls-ca-cert-file {certificates}/ca.pem"
    with parts.redis_server(tmp_path / "redis", config, kind):
        url = f"rediss://:p%23w@127.0.0.1:{port}/2{query.format(ca=certificates / 'ca.pem')}"
        answered(tmp_path, database_url, url)


def test_a_server_that_is_not_known_is_refused_by_both_halves(
    tmp_path: Path, certificates: Path
) -> None:
    # given a certificate by an authority that nobody trusts
    port = free_port()
    config = f"port 0\ntls-port {port}\ntls-auth-clients no"
    config += f"\ntls-cert-file {certificates}/server.pem\ntls-key-file {certificates}/server.key"
    config += f"\ntls-ca-cert-file {certificates}/ca.pem"
    from kombu import Connection

    from worker.config.redis_address import read_redis

    with parts.redis_server(tmp_path / "redis", config):
        address = read_redis(f"rediss://127.0.0.1:{port}")
        open_ = read_redis(f"rediss://127.0.0.1:{port}?ssl_cert_reqs=none").client(5)
        eventually(lambda: _answers(open_))
        # then
        with pytest.raises(redis.ConnectionError, match="certificate verify failed"):
            address.client(5).ping()
        with (
            pytest.raises(Exception, match="certificate verify failed"),
            Connection(address.broker_url, ssl=address.broker_ssl) as connection,
        ):
            connection.default_channel.client.ping()


def test_a_unix_socket_a_database_and_a_user_with_few_rights(
    tmp_path: Path, database_url: str, kind: str
) -> None:
    place = tmp_path / "redis" / "s"
    config = f"port 0\nunixsocket {place}\nuser default off\n"
    config += "user rung on >s3cret ~rung:* &* +@all -@dangerous -@admin +info"
    with parts.redis_server(tmp_path / "redis", config, kind):
        answered(tmp_path, database_url, f"unix://rung:s3cret@{place}?db=3")


def test_a_cluster_is_refused_before_anything_starts(tmp_path: Path, database_url: str) -> None:
    # given one that answers, and whose every key lies with it
    port = free_port()
    config = f"port {port}\ncluster-enabled yes\ncluster-port {free_port()}"
    with parts.redis_server(tmp_path / "redis", config):
        with redis.Redis(port=port) as client:
            eventually(lambda: _answers(client))
            client.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
            eventually(lambda: client.cluster("info")["cluster_state"] == "ok")
        url = f"redis://127.0.0.1:{port}/0"
        with deployment(tmp_path, database=database_url, redis=url, straight=database_url) as made:
            # when
            doctor, worker = made.rung("doctor"), made.rung("worker")
    # then
    assert "Redis is a cluster there" in doctor.stdout
    assert "Redis is a cluster there" in worker.stderr
    assert worker.returncode == ConfigurationError.exit_code


@pytest.fixture
def sentinels(tmp_path: Path) -> Iterator[tuple[str, int, int]]:
    """A primary, a replica and three Sentinels; the address, and both servers' ports."""
    primary, replica = free_port(), free_port()
    with ExitStack() as stack:
        common = "requirepass pw\nmasterauth pw\nrepl-diskless-sync-delay 0"
        for port, more in ((primary, ""), (replica, f"\nreplicaof 127.0.0.1 {primary}")):
            folder = tmp_path / f"redis-{port}"
            stack.enter_context(parts.redis_server(folder, f"port {port}\n{common}{more}"))
        replica_client = redis.Redis(port=replica, password="pw")
        eventually(lambda: _linked(replica_client))
        watched = f"sentinel monitor main 127.0.0.1 {primary} 2\nsentinel auth-pass main pw\n"
        watched += "sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000"
        ports = [free_port() for _ in range(3)]
        for port in ports:
            config = f"port {port}\n{watched}"
            folder = tmp_path / f"sentinel-{port}"
            stack.enter_context(parts.redis_server(folder, config, "redis-sentinel"))
        for port in ports:
            one = redis.Redis(port=port)
            eventually(lambda one=one: _knows_others(one))
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        yield f"sentinel://:pw@{hosts}/main/1", primary, replica


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def _linked(client: redis.Redis) -> bool:
    try:
        return client.info("replication").get("master_link_status") == "up"
    except redis.ConnectionError:
        return False


def _knows_others(sentinel: redis.Redis) -> bool:
    try:
        found = sentinel.sentinel_master("main")
    except redis.RedisError:
        return False
    return bool(found["num-other-sentinels"] == 2 and found["num-slaves"] == 1)


def test_work_goes_on_when_sentinel_promotes_another(
    tmp_path: Path, database_url: str, sentinels: tuple[str, int, int]
) -> None:
    # given
    url, primary, replica = sentinels
    with (
        deployment(tmp_path, database=database_url, redis=url, straight=database_url) as made,
        made.worker(RUNG_TIMING__REDISPATCH_S="5") as log,
    ):
        made.hand_in(20)
        made.until_all_ended()
        # when the primary dies
        with redis.Redis(port=primary, password="pw") as client:
            client.shutdown(nosave=True, now=True, force=True)
        with redis.Redis(port=replica, password="pw") as client:
            eventually(lambda: client.info("replication")["role"] == "master", within_s=60)
        made.hand_in(20)
        # then
        made.until_all_ended(within_s=180)
        assert made.ended() == 40
        assert "Traceback" not in log.read_text().replace("Connection to broker lost", "")
