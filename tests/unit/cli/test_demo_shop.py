"""The demo's shop is known to whoever works on an embedded database."""

import pytest

from worker.cli.demo_shop import SHOP, shop_environ
from worker.config.loading import load_settings
from worker.config.lookups import LookupSettings
from worker.config.settings import Settings


def test_a_plain_up_knows_the_shop_of_a_demo_that_was_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in shop_environ(Settings()).items():
        monkeypatch.setenv(name, value)
    found = load_settings().lookups[SHOP]
    assert found.on_failure == "without"
    assert found.database_url is not None
    assert found.database_url.get_secret_value().endswith("orders.sqlite")


def test_ones_own_database_and_ones_own_look_up_are_left_alone() -> None:
    own = Settings.model_validate({"database_url": "postgresql://db.example/rung"})
    assert shop_environ(own) == {}
    named = Settings.model_construct(database_url=None, lookups={SHOP: LookupSettings()})
    assert shop_environ(named) == {}
