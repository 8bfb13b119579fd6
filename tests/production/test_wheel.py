"""The wheel as it is installed, outside any checkout, beside a project with packages of its own
under the names of ours: neither breaks the other."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.deployment import Deployment, deployment
from tests.support.dockerfile import FILE, build
from tests.support.processes import clean_environ

pytestmark = pytest.mark.slow
ANSWERS = """import socket
from worker.cli.alive import worker_answers
print(worker_answers(socket.gethostname()))"""
OWN_APP = "from celery import Celery\napp = Celery('mine', broker='redis://127.0.0.1:1/9')\n"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the image's steps put the commands."""
    root = tmp_path_factory.mktemp("image")
    build(root, FILE.read_text("utf-8"))
    return root / "opt/rung/bin"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with `models`, `worker` and `migrations` of its own."""
    root = tmp_path / "project"
    for name, text in (("models", "class User: pass\n"), ("worker", ""), ("migrations", "")):
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text(text)
    (root / "worker" / "app.py").write_text(OWN_APP)
    return root


def ran(*command: str | Path, cwd: Path) -> str:
    """What a program said, which must go well."""
    environ = clean_environ(PYTHONPATH="", REDIS_URL="redis://127.0.0.1:1/0")
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_messages_go_all_the_way_from_inside_such_a_project(
    programs: Path, project: Path, tmp_path: Path, database_url: str, redis_url: str
) -> None:
    with deployment(
        project, database=database_url, redis=redis_url, straight=database_url, installed=programs
    ) as made:
        with made.worker() as log:
            made.hand_in(20)
            made.until_all_ended()
            said = made.rung("doctor")
            asked = [str(programs / "python"), "-c", ANSWERS]
            answers = subprocess.run(asked, cwd=tmp_path, env=made.environ, capture_output=True)
        # then
        assert said.returncode == 0, said.stdout
        assert answers.stdout == b"True\n"
        assert "Traceback" not in log.read_text()
        assert made.rung("results", "backlog").stdout.count("answered") >= 1
        _every_door(made, programs)


def _every_door(made: Deployment, programs: Path) -> None:
    """`python -m rung`, with the working directory on the path or not."""
    for flags in ((), ("-P",)):
        assert "rung " in ran(programs / "python", *flags, "-m", "rung", "--version", cwd=made.root)


def test_the_project_finds_its_own(programs: Path, project: Path) -> None:
    # then Celery starts theirs, and their models are theirs
    report = ran(programs / "celery", "-A", "worker.app", "report", cwd=project)
    assert "127.0.0.1:1/9" in report
    assert "rung." not in report
    said = ran(programs / "python", "-c", "import models; print(models.User.__name__)", cwd=project)
    assert said == "User\n"


def test_nothing_of_the_checkout_is_needed(programs: Path, tmp_path: Path) -> None:
    asked = "import worker, models, migrations, rung; print(worker.__file__)"
    assert str(programs.parent) in ran(programs / "python", "-c", asked, cwd=tmp_path)
    ran(programs / "rung", "config", "check", cwd=tmp_path)
    ran(programs / "celery", "rung", "--help", cwd=tmp_path)


@pytest.fixture
def overwritten(programs: Path) -> Callable[[str], str]:
    """Puts another program's package over ours for one command, and says what came of it."""

    def after(name: str) -> str:
        (place,) = programs.parent.glob(f"lib/python3*/site-packages/{name}")
        first = place / "__init__.py"
        before = first.read_text("utf-8")
        first.write_text("class User: pass\n")
        try:
            command = [programs / "rung", "--version"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        finally:
            first.write_text(before)
        assert done.returncode == 6, done.stderr
        return done.stderr

    return after


@pytest.mark.parametrize("name", ["models", "worker", "migrations"])
def test_a_program_installed_over_ours_is_told_in_a_sentence(
    overwritten: Callable[[str], str], name: str
) -> None:
    said = overwritten(name)
    assert "has written over Rung's own package" in said
    assert "Traceback" not in said
