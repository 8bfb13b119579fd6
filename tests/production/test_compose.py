"""docker-compose.yml as it stands, without an engine: Compose itself reads it, and what it starts
that is not ours starts."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import redis
import yaml

from tests.support import parts
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


def read_by_compose(given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What Compose makes of the file with these variables, and no .env."""
    program = parts.program("docker-compose")
    command = [program, "--env-file", os.devnull, "--profile", "*", "config", "--format", "json"]
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | given
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)


def test_compose_takes_the_file_with_the_variables_of_the_example_and_not_without() -> None:
    # given every variable of the example
    text = (ROOT / ".env.example").read_text("utf-8")
    given = dict.fromkeys(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE), "s3cret")
    # when
    read = read_by_compose(given)
    # then
    assert read.returncode == 0, read.stderr
    ours = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    assert set(json.loads(read.stdout)["services"]) == set(ours)
    assert "variable is not set" not in read.stderr
    # and each of those that are needed is missed by its name
    needed = {
        name for name in given if f"set {name}}}" in (ROOT / "docker-compose.yml").read_text()
    }
    assert len(needed) >= 5
    for name in needed:
        less = read_by_compose({key: value for key, value in given.items() if key != name})
        assert less.returncode != 0
        assert name in less.stderr


def answers(client: redis.Redis) -> bool:
    """Whether it is up."""
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
