"""Who answers at REDIS_URL, by what it says of itself."""

from collections.abc import Mapping

import pytest

from worker.cli.diagnosis.redis import examine_server
from worker.config.settings import Settings
from worker.errors import Unreachable

RESEMBLES = "resembles Redis, and Rung is not tested with it"


@pytest.mark.parametrize(
    ("info", "words"),
    [
        (
            {"redis_version": "7.4.0", "dragonfly_version": "df-v1.36.0"},
            f"Dragonfly df-v1.36.0 {RESEMBLES}",
        ),
        (
            {"redis_version": "6.3.4", "executable": "/usr/bin/keydb-server"},
            f"KeyDB 6.3.4 {RESEMBLES}",
        ),
        ({"redis_version": "7.4.3", "garnet_version": "1.0.80"}, f"Garnet 1.0.80 {RESEMBLES}"),
        ({"redis_version": "4.0.0", "kvrocks_version": "2.13.0"}, f"Kvrocks 2.13.0 {RESEMBLES}"),
        ({"redis_version": "7.2.4", "valkey_version": "9.1.1"}, None),
        ({"redis_version": "8.10.1", "executable": "/usr/bin/redis-server"}, None),
    ],
)
def test_what_only_resembles_redis_is_noted(info: Mapping[str, str], words: str | None) -> None:
    settings = Settings.model_validate({"redis_url": "redis://h"})
    ((ok, said),) = [(one.ok, one.words) for one in examine_server(settings, info)]
    assert (ok, said) == ((None, words) if words else (True, said))


def test_a_redis_that_celery_cannot_use_is_refused() -> None:
    with pytest.raises(Unreachable, match=r"Redis 5\.0\.14 is too old"):
        list(examine_server(Settings(), {"redis_version": "5.0.14"}))
