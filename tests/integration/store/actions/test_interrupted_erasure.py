"""An erasure that is interrupted is known as far as it came, and goes on when it is repeated."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.support.promises import ME, do
from tests.support.recorded import Traffic, answered_run
from worker.store.actions import erasure

MONTH = erasure.older_than(dt.timedelta(days=30))
DEEDS = text("""
SELECT affected, detail -> 'interrupted' FROM audit_events WHERE action = 'purge' ORDER BY id
""")
LEFT = text("SELECT count(*) FROM messages WHERE erased_at IS NULL")


def test_what_was_erased_until_an_interruption_is_in_the_audit(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    answered_run(engine, database_url, Traffic(messages=5))
    do(engine, "UPDATE messages SET created_at = now() - interval '31 days'")
    monkeypatch.setattr(erasure, "GROUP", 2)
    groups, erase = [], erasure._erase

    def twice(*given: Any) -> dict[str, int]:
        changed = erase(*given)
        groups.append(given)
        if len(groups) == 2:
            raise KeyboardInterrupt
        return changed

    # when: the second group is not committed
    monkeypatch.setattr(erasure, "_erase", twice)
    with pytest.raises(KeyboardInterrupt):
        erasure.erase(engine, ME, MONTH)
    with engine.connect() as connection:
        assert connection.execute(LEFT).scalar() == 3
        assert connection.execute(DEEDS).all() == [(2, True)]
    # then
    assert erasure.erase(engine, ME, MONTH)["messages"] == 3
    with engine.connect() as connection:
        assert connection.execute(LEFT).scalar() == 0
        assert connection.execute(DEEDS).all() == [(2, True), (3, None)]
