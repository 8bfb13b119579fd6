"""Validators of one's own: found by path or in a package, and refused in sentences; slow, endless
and broken ones harm nobody."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from worker.config.loading import load_settings
from worker.config.policies import check_policies
from worker.config.settings import Settings
from worker.config.validators import MAX_OVERRUNS, load_validators
from worker.domain.messages import MessageText
from worker.domain.schemas import PLAIN_ANSWER_SCHEMA
from worker.domain.validation import Draft

DRAFT = Draft(
    reply="A reply that is fine.",
    document={"reply": "x"},
    schema=PLAIN_ANSWER_SCHEMA,
    message=MessageText(body="Hello?"),
)


def configured(directory: Path, toml: str) -> Settings:
    (directory / "rung.toml").write_text(toml)
    return load_settings({}, directory)


def complaint(directory: Path, toml: str) -> list[str]:
    return check_policies(configured(directory, toml))


def install(directory: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """A package with an entry point, as pip would leave it."""
    monkeypatch.delitem(sys.modules, "house_rules", raising=False)
    (directory / "house_rules.py").write_text(code)
    info = directory / "house_rules-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: house-rules\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[rung.validators]\nno_exclaiming = house_rules:check\n")
    monkeypatch.syspath_prepend(str(directory))


def test_an_installed_package_offers_validators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    code = "def check(draft, options):\n    return 'it shouts' if '!' in draft.reply else None\n"
    install(tmp_path, monkeypatch, code)
    # when
    settings = configured(
        tmp_path, '[policies.p.accept]\nvalidators = [{ name = "no_exclaiming" }]\n'
    )
    # then
    assert check_policies(settings) == []
    check = load_validators(settings)["no_exclaiming"]
    assert check(DRAFT, {}) is None
    assert (
        check(Draft(reply="No!", document={}, schema={}, message=MessageText(body="?")), {})
        == "it shouts"
    )


def test_an_installed_validator_that_is_broken_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "import nothing_like_it\n")
    (found,) = complaint(tmp_path, "[policies.p.accept]\n")
    assert "validators.no_exclaiming: house_rules:check (an installed package)" in found


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("checks.py", "it must be FILE.py:FUNCTION or MODULE:FUNCTION"),
        ("absent.py:check", "cannot be loaded: there is no file"),
        ("no.such.module:check", "cannot be loaded (ModuleNotFoundError"),
        ("script.py:check", "cannot be loaded (SystemExit"),
        ("broken.py:check", "cannot be loaded (SyntaxError"),
        ("fine.py:absent", "has no 'absent'"),
        ("fine.py:LIMIT", "fine.py:LIMIT is no function"),
    ],
)
def test_a_validator_that_cannot_be_loaded_is_a_sentence(
    tmp_path: Path, where: str, words: str
) -> None:
    (tmp_path / "broken.py").write_text("def check(:\n")
    (tmp_path / "script.py").write_text("raise SystemExit(0)\n")
    (tmp_path / "fine.py").write_text("LIMIT = 3\ndef check(draft, options):\n    return None\n")
    settings = configured(tmp_path, f'[validators]\nmine = "{where}"\n[policies.p.accept]\n')
    (found,) = check_policies(settings)
    assert words in found


def test_one_that_takes_too_long_is_switched_off_after_three_times(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import time\ndef check(draft, options):\n    time.sleep(0.4)\n"
    )
    check = load_validators(configured(tmp_path, '[validators]\nmine = "slow.py:check"\n'))["mine"]
    said: list[Any] = [check(DRAFT, {}) for _ in range(MAX_OVERRUNS + 1)]
    assert said[:MAX_OVERRUNS] == ["the validator took longer than 0.25 s"] * MAX_OVERRUNS
    assert said[-1] == ("the validator was switched off: it took longer than 0.25 s three times")


def test_one_that_never_ends_harms_neither_its_neighbours_nor_the_end_of_the_process(
    tmp_path: Path,
) -> None:
    # given
    (tmp_path / "checks.py").write_text(
        "import threading\ndef stuck(draft, options):\n    threading.Event().wait()\n"
        "def exits(draft, options):\n    raise SystemExit\n"
        "def quick(draft, options):\n    return 'seen'\n"
    )
    names = [*(f"stuck{n}" for n in range(5)), "exits", "quick"]
    lines = "".join(f'{n} = "checks.py:{n.rstrip("01234")}"\n' for n in names)
    (tmp_path / "rung.toml").write_text("[validators]\n" + lines)
    program = (
        "import sys; sys.path.insert(0, '.')\n"
        "from worker.config.loading import load_settings\n"
        "from worker.domain.policy import ValidatorUse\n"
        "from worker.domain.messages import MessageText\n"
        "from worker.domain.validation import Draft, findings_of\n"
        "from worker.config.validators import load_validators\n"
        f"uses = [ValidatorUse(name) for name in {names!r}]\n"
        "message = MessageText(body='?')\n"
        "draft = Draft(reply='A reply.', document={}, schema={}, message=message)\n"
        "for one in findings_of(uses, draft, load_validators(load_settings({}))):\n"
        "    print(one.finding)\n"
    )
    # when
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    # then
    assert ended.stdout.splitlines() == [
        *["the validator took longer than 0.25 s"] * 5,
        "the validator failed with RuntimeError",
        "seen",
    ]
    assert ended.returncode == 0, ended.stderr
