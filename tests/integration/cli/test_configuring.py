"""What is wrong with settings and services is said in a sentence, with what mends it."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.looking_up import functions, shop
from tests.support.works import settings_for, working
from worker.config.settings import Settings
from worker.dashboard.access.passwords import hash_password
from worker.domain.pages import SourcePage
from worker.sandbox.simulator.state import State
from worker.store.knowledge import sync_folder

pytestmark = pytest.mark.usefixtures("configured")


SHOP = (
    "[lookups.orders]\ndatabase_url = 'sqlite:///shop.sqlite'\n"
    "query = 'SELECT {} FROM orders WHERE customer_id = :customer_id'\n"
)


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
        ("[policies.p.accept]\ntreshold = 0.5\n", "treshold is not a setting; did you mean thr"),
        ("[policies.p.start]\nrules = [{name = 'x', teir = 'opus'}]\n", "did you mean tier?"),
        ("[policies.p.accept]\nvalidators = [{nmae = 'length'}]\n", "did you mean name?"),
        ("[policies.p.accept]\nthreshold = 2\n", "accept.threshold: it must be less than or"),
        ("[deliver.x]\nurll = 'http://x.example'\n", "did you mean url?"),
        ("[dashboard.users.bob]\npasword = 'x'\n", "did you mean password?"),
        ("[schedule.n]\ncorn = '0 2 * * *'\n", "did you mean cron?"),
        ("[intake.maps.x]\nbodyy = 'a'\n", "did you mean body?"),
        ("[validators]\nmine = 'nowhere.py:f'\n", "there is no file"),
        ("[policies.p]\nknowledge = ['pages/shopp']\n", "did you mean pages/shop?"),
        ("[policies.p]\nknowledge = ['rung.toml']\n", "rung.toml, which is no folder"),
        ("[policies.p]\nprompts = 'nowhere'\n", "there is no such folder"),
        (
            "[schedule.n]\ncron = '0 2 * * *'\nwhere = 'age > 1d'\npolicy = 'x'\n",
            "schedule.n.policy: ",
        ),
        (SHOP.format("number"), "lookups.orders.query brings no column customer_id"),
        (SHOP.format("owner"), "lookups.orders.query cannot be asked: no such column: owner."),
    ],
)
def test_config_check_finds_what_is_wrong(tmp_path: Path, toml: str, words: str) -> None:
    (tmp_path / "rung.toml").write_text(toml)
    (tmp_path / "pages" / "shop").mkdir(parents=True)
    shop(tmp_path)
    said = say("config", "check")
    assert (said.code, words in said.err, "Traceback" in said.err) == (6, True, False), said.err


def test_a_host_without_the_pages_may_do_without_them_once_postgres_has_them(
    tmp_path: Path, engine: Engine
) -> None:
    (tmp_path / "rung.toml").write_text("[policies.p]\nknowledge = ['pages']\n")
    said = say("config", "check")
    assert (said.code, "there is no such folder" in said.err) == (6, True)
    sync_folder(
        engine, "pages", [SourcePage(name="a", path="a.md", title="A", markdown="# A\n\nWords.")]
    )
    said = say("config", "check")
    assert (said.code, "do not lie on this host" in said.err) == (0, True), said.err
    assert "pages: synced" in say("doctor").out


def test_what_nothing_asks_for_gets_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "rung.toml").write_text(
        "[tiers.haiku]\nmodel = 'claude-haikuu-5-5'\n"
        "[prices.'claude-haikuu-55']\ninput = 1\noutput = 2\n"
    )
    said = say("config", "check")
    assert said.code == 0
    assert "no tier asks; did you mean claude-haikuu-5-5?" in said.err
    assert "to rung.toml; did you mean claude-haiku" in said.err


LOOKUP = '{"url": "https://hunter2@shop/{customer_id}", "hosts": ["shop"]}'


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("DATABASE_URL", "postgresql://u:hunter2@127.0.0.1/x", "postgresql://u:***@127.0.0.1/x"),
        ("DATABASE_URL", "postgresql://u:p@hunter2@h/x", "postgresql://***@h/x"),
        ("DATABASE_URL", "postgresql://h/x?password=hunter2&port=1", "port=1"),
        ("REDIS_URL", "sentinel://:a@s1/m?sentinel_password=hunter2", "@s1/m"),
        ("ANTHROPIC_API_KEY", "sk-hunter2", "******"),
        ("ANTHROPIC_BASE_URL", "https://u:hunter2@gateway/claude", "@gateway/claude"),
        ("ANTHROPIC_BASE_URL", "https://gateway/?api_key=hunter2", "https://gateway/"),
        ("ANTHROPIC_BASE_URL", "https://gateway/?code=hunter2&pwd=hunter2", "https://gateway/"),
        ("RUNG_LOOKUPS__SHOP", LOOKUP, "https://***@shop/{customer_id}"),
    ],
)
def test_config_show_masks_secrets(
    name: str, value: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    shown = say("config", "show")
    assert shown.code == 0, shown
    assert kept in shown.out
    assert "hunter2" not in shown.out + shown.err


def test_doctor_and_its_kin_hide_who_signs_in_at_a_gateway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://u:hunter2@127.0.0.1:1/claude")
    said = say("doctor")
    assert "http://u:***@127.0.0.1:1/claude" in said.out + said.err
    assert "hunter2" not in said.out + said.err


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
    assert (said.code, "There is no file missing.csv" in said.err) == (2, True)


def test_config_check_names_passwords_with_an_older_hash(tmp_path: Path) -> None:
    old, new = f"scrypt:16384:8:1:{'A' * 22}:{'A' * 43}", hash_password("correct horse")
    users = "".join(
        f'[dashboard.users.{name}]\npassword = "{stored}"\n'
        for name, stored in (("ada", old), ("bob", new))
    )
    (tmp_path / "rung.toml").write_text(users)
    said = say("config", "check")
    assert (said.code, "password of ada" in said.err, "bob" in said.err) == (0, True, False)


TOML = """
[validators]
tone = "checks.py:tone"
[policies.own.start]
rules = [{name = "lawyer", tier = "opus", critical = true, keywords = ["lawyer"]}]
[policies.own.accept]
validators = [{name = "length"}, {name = "tone"}]
[budget]
per_run_usd = 20
[intake.maps.desk]
body = "Words"
"""


def test_config_check_says_what_it_understood(tmp_path: Path) -> None:
    (tmp_path / "checks.py").write_text("def tone(draft, options):\n    return None\n")
    (tmp_path / "rung.toml").write_text(TOML)
    said, found = say("config", "check"), say("config", "check", "--json").document
    assert said.code == 0
    assert "Policy own: haiku → sonnet → opus; 1 rule (lawyer), then classified" in said.out
    assert "2 validators (length, tone; 1 of your own)" in said.out
    assert "Budgets: $20.00 a run, no limit a day" in said.out
    assert "Maps of columns: desk" in said.out
    assert [tier["name"] for tier in found["tiers"]] == ["haiku", "sonnet", "opus"]
    assert all(tier["input_usd"] and tier["model"] for tier in found["tiers"])
    assert found["prompts"]["answer"]["tokens"] > 500


SHOWING = """
[policies.acme]
extends = "single:haiku"
knowledge = ["pages"]
[policies.acme.context]
fields = ["plan"]
lookups = ["orders", "slow"]
[lookups.orders]
path = "lookups.py:orders"
[lookups.slow]
path = "lookups.py:raising"
on_failure = "person"
"""


def test_a_message_is_tried_with_what_would_be_shown_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions(tmp_path)
    (tmp_path / "rung.toml").write_text(SHOWING)
    (tmp_path / "pages").mkdir()
    monkeypatch.delenv("DATABASE_URL", raising=False)
    words = ("Where is it?", "--policy", "acme", "--customer", "c-1", "--column", "plan=gold")
    said = say("config", "check").out
    assert "Policy acme: haiku; shows plan, look-up orders, look-up slow, pages of pages; " in said
    tried = say("config", "try", *words)
    assert "shown     row, orders, slow" in tried.out
    assert "note      look-up slow failed with ValueError; then: person" in tried.out
    assert "note      pages were not searched: " in tried.out
    assert "plan: gold" in tried.out
    assert "order: o-c-1\nstate: sent" in tried.out


def test_a_message_is_tried_without_a_call(tmp_path: Path) -> None:
    (tmp_path / "checks.py").write_text("def tone(draft, options):\n    return None\n")
    (tmp_path / "rung.toml").write_text(TOML)
    (tmp_path / "letter.txt").write_text("You will hear from my lawyer.\n")
    # when
    ruled = say("config", "try", "letter.txt", "--policy", "own", "--channel", "mail")
    asked = say("config", "try", "Where is my card?", "--json").document
    fixed = say("config", "try", "Where is it?", "--policy", "single:sonnet", "--json").document
    # then
    assert "start     opus, by the rule 'lawyer'; it is not classified" in ruled.out
    assert "critical  by the rule 'lawyer'" in ruled.out
    assert "Channel: mail\n\nYou will hear from my lawyer." in ruled.out
    assert asked["classified_to"] == {"SIMPLE": "haiku", "MODERATE": "sonnet", "COMPLEX": "opus"}
    assert [one["purpose"] for one in asked["requests"]] == ["classify", "answer"]
    assert "Where is my card?" in asked["requests"][1]["parameters"]["messages"][0]["content"]
    assert (fixed["tier"], [one["tier"] for one in fixed["requests"]]) == ("sonnet", ["sonnet"])
    for words, complaint in (
        (("x", "--tier", "gpt"), "'gpt' is no tier of ladder"),
        ((" ",), "A message has 1 to"),
        (("x", "--column", "vip"), "is not NAME=VALUE"),
    ):
        wrong = say("config", "try", *words)
        assert (wrong.code, complaint in wrong.err) == (2, True), wrong.err
