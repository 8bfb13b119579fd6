"""Without Redis `rung status` forecasts no end, and says what is missing; so does the library."""

from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine

import rung
from tests.support.cli import say
from tests.support.promises import BODY, do
from tests.support.works import hand_in, settings_for, working
from worker.config.loading import load_settings
from worker.config.redis_address import read_redis
from worker.config.redis_reach import answers
from worker.domain.hold_words import NO_REDIS
from worker.runs.orders import Order
from worker.runs.previews import preview
from worker.sandbox.redis import free_port, start_redis

WAITS = f"ot done before Redis answers again: {len(BODY * 3)} are open"


@pytest.fixture
def nobody() -> str:
    """An address at which no Redis is."""
    return f"redis://127.0.0.1:{free_port()}/0"


def test_what_waits_while_redis_is_away(
    engine: Engine,
    database_url: str,
    redis_url: str,
    nobody: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = settings_for(database_url, "http://127.0.0.1:1")
    hand_in(engine, settings, BODY * 3, name="day")
    monkeypatch.setenv("DATABASE_URL", database_url)
    with working(settings):
        # given
        monkeypatch.setenv("REDIS_URL", nobody)
        # then
        for command in (("status",), ("status", "day")):
            assert_said(*command, away=True)
        assert NO_REDIS in say("status", "--json").document["runs"][0]["troubles"]
        with rung.connect(database_url) as client:
            assert client.status("day").document["troubles"] == [NO_REDIS]
        do(engine, "UPDATE runs SET deadline = now() + interval '1 hour'")
        with engine.connect() as connection:
            found = preview(connection, load_settings(), Order(action="pause", queue="haiku"))
        assert WAITS in " ".join(found.words)
        # when it is there, or something is under way that only its workers can have sent
        monkeypatch.setenv("REDIS_URL", redis_url)
        assert_said("status", "day", away=False)
        monkeypatch.setenv("REDIS_URL", nobody)
        do(engine, "UPDATE jobs SET lease_until = now() + interval '1 minute' WHERE id = 1")
        assert_said("status", "day", away=False)


def assert_said(*command: str, away: bool) -> None:
    said = say(*command)
    told = " ".join((said.out + said.err).split())
    assert (NO_REDIS in told, WAITS in told) == (away, away), told


def test_whoever_answers_is_there(redis_url: str, nobody: str, tmp_path: Path) -> None:
    server = start_redis(tmp_path / "redis", free_port())
    try:
        with redis.Redis.from_url(server.url) as client:
            client.config_set("requirepass", "secret")
        assert [answers(read_redis(url)) for url in (redis_url, server.url)] == [True] * 2
    finally:
        server.stop()
    gone = [
        server.url,
        nobody,
        f"unix://{tmp_path}/redis.sock",
        nobody.replace("redis:", "rediss:"),
    ]
    assert [answers(read_redis(url)) for url in gone] == [False] * 4
