"""Projects with a `models`, a `worker` or a `migrations` of their own in the same environment."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rung import installation
from rung.installation import OURS
from tests.support.processes import clean_environ
from tests.support.trees import nodes, trees
from worker.sandbox.children import PYTHON

BIN = Path(sys.executable).parent
Said = subprocess.CompletedProcess[str]
Runs = Callable[..., Said]
PER_CHILD = ("max_tasks_per_child", "max_memory_per_child")


@pytest.fixture
def run(tmp_path: Path) -> Runs:
    """Runs a program of this environment in the project's directory."""

    def ran(*words: str, **environ: str) -> Said:
        return subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            cwd=tmp_path,
            env=clean_environ(REDIS_URL="redis://127.0.0.1:1/0", **environ),
            capture_output=True,
            text=True,
            timeout=60,
        )

    return ran


@pytest.fixture(params=["models", "migrations"])
def package(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A package of the project's with a name of ours."""
    name: str = request.param
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("class User: pass\n")
    return name


def test_celery_in_a_project_with_such_a_package_says_whose_it_found(
    run: Runs, package: str, tmp_path: Path
) -> None:
    said = run("celery", "-A", "worker.app", "report")
    assert said.returncode == 6
    assert (
        f"own package '{package}', and Python finds the one in {tmp_path / package}" in said.stderr
    )
    assert "rung worker" in said.stderr
    assert "Traceback" not in said.stderr


def test_so_does_rung_where_pythonpath_puts_it_first(
    run: Runs, package: str, tmp_path: Path
) -> None:
    said = run("rung", "--version", PYTHONPATH=".")
    assert said.returncode == 6
    assert str(tmp_path / package) in said.stderr


@pytest.mark.parametrize("name", OURS)
def test_a_program_that_was_installed_over_ours_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # given what pip leaves where another program brings a package of that name
    for one, first in OURS.items():
        (tmp_path / one).mkdir()
        (tmp_path / one / "__init__.py").write_text(first)
    monkeypatch.setattr(installation, "HOME", tmp_path)
    monkeypatch.setattr(installation, "_place", lambda one: tmp_path / one)
    assert installation.complaint() is None
    (tmp_path / name / "__init__.py").write_text("class User: pass\n")
    # then
    assert installation.complaint() == (
        f"Another installed program has written over Rung's own package in {tmp_path / name}."
    )


@pytest.mark.parametrize(
    "words",
    [
        ("rung", "config", "check"),
        ("rung", "worker", "--help"),
        ("python", "-m", "rung", "--version"),
        ("python", "-P", "-m", "rung", "config", "check"),
    ],
)
def test_our_commands_do_not_look_in_the_working_directory(
    run: Runs, package: str, words: tuple[str, ...]
) -> None:
    said = run(*words)
    assert said.returncode == 0, said.stderr


def test_a_project_keeps_its_own_worker(run: Runs, tmp_path: Path) -> None:
    # given
    (tmp_path / "worker").mkdir()
    (tmp_path / "worker" / "__init__.py").touch()
    app = "from celery import Celery\napp = Celery('mine', broker='redis://127.0.0.1:1/9')\n"
    (tmp_path / "worker" / "app.py").write_text(app)
    # when
    said = run("celery", "-A", "worker.app", "report")
    # then
    assert "127.0.0.1:1/9" in said.stdout
    assert "rung." not in said.stdout


def test_celery_knows_our_commands(run: Runs) -> None:
    listed, asked = run("celery", "--help"), run("celery", "rung", "config", "check")
    assert "every command of rung" in listed.stdout
    assert asked.returncode == 0, asked.stderr


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, []),
        ({"options": {"autoscale": "10,3"}}, ["autoscale"]),
        ({"max_tasks_per_child": 9, "max_memory_per_child": 9}, [*PER_CHILD]),
        ({"time_limit": 30.0, "soft_time_limit": 20.0}, ["time_limit", "soft_time_limit"]),
    ],
)
def test_options_that_threads_do_not_know_are_named(
    given: dict[str, Any], named: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    from worker.app import ignored_options

    worker = SimpleNamespace(**{"options": {}, **given})
    assert ignored_options(worker) == named
    assert not worker.options, "and Celery's autoscaler does not end it"


@pytest.mark.parametrize("pool", ["gevent", "eventlet"])
def test_a_pool_on_which_it_would_hang_is_refused(
    pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    from worker.app import pool_complaint

    # then
    complaint = pool_complaint(pool)
    assert complaint is not None
    assert complaint.exit_code == 6
    assert pool_complaint("threads") is None


def test_nothing_that_is_started_looks_for_ours_in_the_working_directory() -> None:
    # given every command of Python's that a module starts
    found = {
        str(path): [ast.unparse(node) for node in started]
        for path, tree in trees().items()
        if path.parts[0] == "worker" and (started := list(commands_of_python(tree)))
    }
    # then
    assert {"worker/sandbox/claude.py", "worker/sandbox/redis.py"} < found.keys()
    looking = [one for there in found.values() for one in there if "*PYTHON" not in one]
    assert looking == []
    assert "-P" in PYTHON


def commands_of_python(tree: ast.Module) -> Iterator[ast.List | ast.Tuple]:
    for node in nodes(tree):
        if isinstance(node, ast.List | ast.Tuple) and any(
            isinstance(word, ast.Constant) and word.value in ("-m", "-c") for word in node.elts
        ):
            yield node
