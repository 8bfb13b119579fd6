"""What a dry run expects to pay."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.vocabulary import Purpose
from tests.support.cli import say
from worker.claude.prompts import prompts_of
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.prompts import RequestKind
from worker.store.counted import keep_counted


def test_a_dry_run_goes_by_what_earlier_calls_counted(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.csv"
    path.write_text("external_id,body\na,Where is my card?\nb,It was due on Monday.\n", "utf-8")
    command = ("enqueue", str(path), "--dry-run", "--json")
    assumed = say(*command).document["expected"]
    settings = Settings()
    prompts = prompts_of(settings, policy_named(settings, None))
    kinds = {
        RequestKind(
            purpose=purpose,
            model=tier.model,
            prompt_version=prompts[purpose].version,
            schema_version="s",
        ): 100
        for tier in settings.tiers.values()
        for purpose in (Purpose.ANSWER, Purpose.CLASSIFY)
    }
    with engine.begin() as connection:
        keep_counted(connection, kinds, simulated=False)
    counted = say(*command).document["expected"]
    assert counted["total_usd"] < assumed["total_usd"]
    assert "its tokens as earlier calls counted them" in counted["assumption"]
    assert "counted" not in assumed["assumption"]
