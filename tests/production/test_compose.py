"""What docker-compose.yml starts that is not ours, as it stands, without an engine."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import redis
import yaml

from tests.support.waiting import eventually
from worker.sandbox.redis import free_port

ROOT = Path(__file__).parents[2]


def test_redis_starts_as_it_is_written_and_lets_nobody_in_without_the_password(
    tmp_path: Path,
) -> None:
    # given
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server is installed")
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]["redis"]
    *shell, script = service["command"]
    port = free_port()
    script = script.replace("$$", "$").replace("redis-server -", f"redis-server - --port {port}")
    environ = {"PATH": os.environ["PATH"], "REDISCLI_AUTH": "s3cret"}
    # when
    process = subprocess.Popen([*shell, script], cwd=tmp_path, env=environ)
    try:
        with redis.Redis(port=port, password="s3cret") as client:
            eventually(lambda: answers(client))
            # then
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("save") == {"save": ""}
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert b"s3cret" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    finally:
        process.terminate()
        process.wait(10)


def answers(client: redis.Redis) -> bool:
    """Whether it is up."""
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
