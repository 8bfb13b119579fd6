"""Who looks into another user's `RUNG_HOME`."""

import json
import os
from pathlib import Path

import pytest

from worker.config.addresses import database_url
from worker.config.settings import Settings
from worker.errors import Unreachable


@pytest.mark.parametrize("readable", [True, False])
def test_what_runs_there_is_not_denied(
    readable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given the file of a `rung up` without Postgres, which root could read whatever its mode is
    (tmp_path / "services.json").write_text(json.dumps({}), "utf-8")
    monkeypatch.setattr(os, "access", lambda path, mode: readable)
    # when
    with pytest.raises(Unreachable) as refused:
        database_url(Settings(home=tmp_path))
    # then
    assert ("another user's" in str(refused.value)) is not readable
    assert ("no `rung up` is running" in str(refused.value)) is readable
