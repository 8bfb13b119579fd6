"""deploy/systemd and docs/deploying.md: units that systemd takes, naming only what exists."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.commands import complaint
from tests.support.places import ROOT
from worker.config.settings import Settings

UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
DOCUMENT = (ROOT / "docs/deploying.md").read_text("utf-8")
SECRETS = {"worker", "dashboard", "scheduler", "migrate"}
units = pytest.mark.parametrize("unit", UNITS, ids=[unit.name for unit in UNITS])


def value(unit: Path, name: str) -> str | None:
    found = re.search(rf"^{name}=(.*)$", unit.read_text("utf-8"), re.MULTILINE)
    return found[1] if found else None


@units
def test_what_a_unit_starts_exists(unit: Path) -> None:
    # given
    start = (value(unit, "ExecStart") or "").replace("%%", "%").replace("%i", "haiku")
    program, *words = shlex.split(start)
    # then
    assert Path(program).parent == Path("/opt/rung/bin")
    assert complaint([Path(program).name, *words]) is None


@units
def test_a_unit_may_do_no_more_than_it_needs(unit: Path) -> None:
    wanted = {
        "User": "rung",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "CapabilityBoundingSet": "",
    }
    assert {name: value(unit, name) for name in wanted} == wanted


def test_each_unit_has_secrets_of_its_own_and_a_worker_the_time_to_finish() -> None:
    files = {Path(value(unit, "EnvironmentFile") or "").stem for unit in UNITS}
    assert files == SECRETS
    assert all(f"`{name}.env`" in DOCUMENT for name in SECRETS)
    (worker,) = (unit for unit in UNITS if "@" in unit.name)
    timing = Settings().timing
    longest = max(timing.stop_timeout_s, timing.call_deadline_s)
    assert int(value(worker, "TimeoutStopSec") or 0) > longest


@units
def test_systemd_itself_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    # given a copy whose program is here
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text("utf-8"), flags=re.M)
    copy = tmp_path / unit.name
    copy.write_text(text)
    # when
    said = subprocess.run([analyze, "verify", copy], capture_output=True, text=True, timeout=60)
    # then
    assert (said.returncode, said.stderr) == (0, "")


def test_every_command_of_the_document_exists() -> None:
    # given
    fences = "\n".join(re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL))
    lines = [line.partition("#")[0].strip() for line in fences.splitlines()]
    ours = [part.strip() for line in lines for part in line.split("&&") if "rung " in part]
    commands = [
        shlex.split(f"rung {part.partition('rung ')[2]}") for part in ours if part[:4] == "rung"
    ]
    # then
    assert len(commands) >= 2
    assert [words for words in map(complaint, commands) if words] == []


def test_every_file_of_the_document_is_there() -> None:
    named = set(re.findall(r"(?<=[` ])(deploy/(?!rung-)[\w./-]+\w)", DOCUMENT))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
    started = set(re.findall(r"rung-(\w+)", " ".join(re.findall(r"systemctl .*", DOCUMENT))))
    assert started <= {re.split(r"[.@]", unit.name)[0].removeprefix("rung-") for unit in UNITS}
