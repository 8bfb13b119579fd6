"""What is wrong with settings and services is said in a sentence, with what mends it."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.works import settings_for, working
from worker.config.settings import Settings
from worker.dashboard.access.passwords import hash_password
from worker.sandbox.simulator.state import State

pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1])


def test_doctor_says_what_is_missing_and_what_mends_it(engine: Engine, settings: Settings) -> None:
    ill = say("doctor")
    assert ill.code == 1
    assert "no worker is there" in ill.out
    with working(settings):
        well = say("doctor", "--json")
    assert well.code == 0, well.out
    assert {finding["name"] for finding in well.document} >= {
        "postgres",
        "redis",
        "claude",
        "prices",
    }


@pytest.mark.parametrize(
    ("name", "value", "code", "words"),
    [
        ("DATABASE_URL", "postgresql://u@127.0.0.1:1/x", 5, "Postgres does not answer"),
        ("DATABASE_URL", "mysql://u@127.0.0.1/x", 6, "Rung keeps its record in Postgres"),
        ("RUNG_POLICY__PRESETT", "x", 6, "did you mean preset?"),
        ("RUNG_WROKER", "x", 6, "did you mean RUNG_WORKER?"),
        ("RUNG_BUDGET__PER_RUN_USD", "-1", 6, "budget.per_run_usd"),
        ("RUNG_BUDGET__PER_DAY_USD", "nan", 6, "budget.per_day_usd"),
        ("RUNG_TIERS__HAIKU__RPM", "0", 6, "tiers.haiku.rpm"),
        ("RUNG_TIMING__LEASE_S", "100", 6, "must be less than timing.lease_s"),
        ("RUNG_CONFIG", "/nowhere/rung.toml", 6, "there is no such file"),
    ],
)
def test_broken_settings_get_a_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, code: int, words: str
) -> None:
    monkeypatch.setenv(name, value)
    said = say("status")
    assert (said.code, words in said.err, "Traceback" in said.err) == (code, True, False), said.err
    assert "Fix: " in said.err


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[policy\n", "is not valid TOML"),
        ("[polcy]\npreset = 'ladder'\n", "polcy is not a setting; did you mean policy?"),
        ("[tiers.person]\nmodel = 'm'\n", "the name is reserved"),
        ("[policy]\npreset = 'laddder'\n", "Did you mean ladder?"),
        ("[policies.p.start]\nrules = [{name = 'x', pattern = '('}]\n", "decides nothing"),
        ("[policies.p.accept]\nvalidators = [{name = 'lenght'}]\n", "did you mean length?"),
        ("[validators]\nmine = 'nowhere.py:f'\n[policies.p.accept]\n", "cannot be loaded"),
    ],
)
def test_config_check_finds_what_is_wrong(tmp_path: Path, toml: str, words: str) -> None:
    (tmp_path / "rung.toml").write_text(toml)
    said = say("config", "check")
    assert (said.code, words in said.err, "Traceback" in said.err) == (6, True, False), said.err


def test_config_show_masks_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@127.0.0.1/x")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret")
    shown = say("config", "show")
    assert shown.code == 0
    assert "hunter2" not in shown.out + shown.err
    assert "sk-ant-secret" not in shown.out + shown.err


def test_without_services_the_way_in_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    said = say("status")
    assert said.code == 5
    assert "DATABASE_URL is not set, and no `rung up` is running" in said.err


def test_a_secret_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("ANTHROPIC_API_KEY_FILE", "/nowhere/key")
    said = say("config", "check")
    assert said.code == 6
    assert "ANTHROPIC_API_KEY_FILE names /nowhere/key" in said.err
    assert "Fix: " in said.err


def test_a_name_that_is_value_and_section_at_once_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNG_POLICY", "ladder")
    monkeypatch.setenv("RUNG_POLICY__PRESET", "ladder")
    said = say("config", "check")
    assert (said.code, "RUNG_POLICY__PRESET cannot be set" in said.err) == (6, True)


def test_of_two_things_wrong_the_missing_file_is_said_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    said = say("enqueue", "missing.csv")
    assert (said.code, "missing.csv cannot be read" in said.err) == (1, True)


def test_config_check_names_passwords_with_an_older_hash(tmp_path: Path) -> None:
    old, new = f"scrypt:16384:8:1:{'A' * 22}:{'A' * 43}", hash_password("correct horse")
    users = "".join(
        f'[dashboard.users.{name}]\npassword = "{stored}"\n'
        for name, stored in (("ada", old), ("bob", new))
    )
    (tmp_path / "rung.toml").write_text(users)
    said = say("config", "check")
    assert (said.code, "password of ada" in said.err, "bob" in said.err) == (0, True, False)
