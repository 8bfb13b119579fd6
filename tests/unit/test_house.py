"""The house: its layout, its lock, its Makefile, and that it names nobody's machine."""

import ast
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.places import ROOT
from tests.support.trees import nodes, trees

LAYOUT = [
    "pyproject.toml",
    "docker-compose.yml",
    "Makefile",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "Dockerfile",
    "requirements.lock",
    ".ci/run",
    "models",
    "migrations/versions",
    "worker/domain",
    "worker/claude",
    "worker/store",
    "worker/store/queue",
    "worker/store/actions",
    "worker/store/reading",
    "worker/intake",
    "worker/runs",
    "worker/lanes/realtime",
    "worker/lanes/batch",
    "worker/lanes/upkeep",
    "worker/dashboard",
    "worker/app.py",
    "worker/tasks.py",
    "worker/signals.py",
    "worker/cli",
    "worker/config/settings.py",
    "worker/errors.py",
    "worker/telemetry.py",
    "worker/sandbox",
    "tests/unit",
    "tests/integration",
    "tests/migrations",
    "tests/faults",
    "tests/acceptance",
    "examples",
    "docs",
]
PROMISED_TARGETS = {
    "help",
    "setup",
    "demo",
    "up",
    "test",
    "check",
    "bench",
    "fmt",
    "migrate",
    "revision",
    "compose-check",
}
MAX_LINES = {"tests/": 300, "": 250}
"""How long a file may be, by the beginning of its name."""
LONGER = {"migrations/versions/0001_the_record.py": 889}
"""Files that are longer than they should be, and how long they may be. Only ever shrink this."""
FOREIGN_PATHS = re.compile(r"(?<![\w.])/(?:work|home/(?!rung\b)\w+|root|Users/\w+)/[\w.]")
INDEX_ADDRESS = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host|@ (?:https?|file):")


def tracked() -> list[str]:
    """Files that git knows; in an unpacked archive, all files that are not made here."""
    if (ROOT / ".git").exists():
        listing = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        names = [name for name in listing.stdout.split("\0") if name]
        return [name for name in names if (ROOT / name).is_file()]
    made = (".venv", ".tools", ".rung", ".git", "__pycache__")
    return [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if path.is_file() and not any(part in made for part in path.parts)
    ]


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8", errors="replace")


def project() -> dict[str, Any]:
    return tomllib.loads(text_of("pyproject.toml"))


def locked() -> dict[str, str]:
    """Requirements of the lock with everything that belongs to each, by name."""
    entries = re.split(r"^(?=[a-z0-9])", text_of("requirements.lock"), flags=re.MULTILINE)[1:]
    return {re.split(r"[=\[ ]", entry, maxsplit=1)[0]: entry for entry in entries}


def name_of(requirement: str) -> str:
    """`anthropic` of `anthropic[aiohttp]>=2.12,<3`."""
    match = re.match(r"[\w.-]+", requirement)
    assert match, requirement
    return match[0].lower().replace("_", "-").replace(".", "-")


@pytest.mark.parametrize("name", LAYOUT)
def test_the_layout_is_there(name: str) -> None:
    assert (ROOT / name).exists()


SQL_PLACES = ("worker/store/", "models/", "migrations/", "worker/sandbox/postgres.py")
SQL_MAKERS = {"text", "select", "insert", "update", "delete", "literal_column", "exists"}


def test_sql_stands_in_the_store_alone() -> None:
    """Contracts on imports cannot see it: an engine is passed around, a statement is not."""
    # when
    found = {
        f"{path}: {made}"
        for path, tree in trees().items()
        if not str(path).startswith(SQL_PLACES)
        for made in statements_made(tree)
    }
    # then
    assert found == set()
    one = trees()[Path("worker/store/runs.py")]
    assert statements_made(one), "it finds nothing: mend this test"


def statements_made(tree: ast.Module) -> set[str]:
    """Names with which a module can make a statement: imported from SQLAlchemy, or raw text given
    to a cursor or to `exec_driver_sql`."""
    made = set[str]()
    for node in nodes(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            made |= {alias.name for alias in node.names} & SQL_MAKERS
        elif isinstance(node, ast.Attribute) and node.attr == "exec_driver_sql":
            made.add(node.attr)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("execute", "executemany", "scalars", "scalar")
            and node.args
            and isinstance(node.args[0], ast.Constant | ast.JoinedStr)
        ):
            made.add(f"{node.func.attr} at line {node.lineno}")
    return made


def folders_listed(name: str) -> str:
    text = text_of(name)
    start = text.index("| folder | holds |")
    return text[start : text.index("\n\n", start)]


def test_the_readme_and_the_architecture_list_the_same_folders_and_all_of_worker() -> None:
    # given
    listed = folders_listed("README.md")
    packages = {n.split("/")[1] for n in tracked() if re.match(r"worker/[a-z]+/", n)}
    # then
    assert listed == folders_listed("docs/architecture.md")
    assert packages - set(re.findall(r"`worker/(\w+)/`", listed)) == set()


def test_at_most_six_modules_stand_loose_in_worker() -> None:
    # given
    loose = {n for n in tracked() if re.fullmatch(r"worker/(?!__init__)[a-z_]+\.py", n)}
    # then
    assert len(loose) <= 6, sorted(loose)


def test_nothing_tracked_names_a_path_of_somebodys_machine() -> None:
    # given
    names = [name for name in tracked() if not name.startswith("tests/data/")]
    # when
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name in names
        for number, line in enumerate(text_of(name).splitlines(), 1)
        if FOREIGN_PATHS.search(line)
    ]
    # then
    assert [line for line in found if not line.startswith("tests/unit/test_house.py")] == []


def test_nothing_that_is_tracked_is_a_link() -> None:
    """A link leads to a place of the machine it was made on: a clone elsewhere ends in nothing."""
    if not (ROOT / ".git").exists():
        pytest.skip("an unpacked archive has no list of what is tracked")
    listing = subprocess.run(
        ["git", "ls-files", "--stage"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [line for line in listing.stdout.splitlines() if line.startswith("120000")] == []


@pytest.mark.parametrize(
    ("line", "foreign"),
    [
        ("see /" + "work/main/x", True),
        ("/" + "root/.cache", True),
        ("mount it under /home/rung/rung.toml", False),
        ("worker/" + "work/x and https://a.example/" + "work/x", False),
    ],
)
def test_paths_of_a_machine_are_recognised(line: str, foreign: bool) -> None:
    assert bool(FOREIGN_PATHS.search(line)) is foreign


def test_the_lock_pins_by_hash_and_names_no_index_and_no_path() -> None:
    # given
    lock, entries = text_of("requirements.lock"), locked()
    # then
    assert len(entries) > 50
    assert [name for name, entry in entries.items() if "--hash=sha256:" not in entry] == []
    assert [name for name, entry in entries.items() if "==" not in entry.splitlines()[0]] == []
    assert INDEX_ADDRESS.findall(lock) == []


def test_the_lock_holds_everything_that_the_project_asks_for() -> None:
    # given
    metadata, entries = project(), locked()
    wanted = [
        *metadata["project"]["dependencies"],
        *(r for extra in metadata["project"]["optional-dependencies"].values() for r in extra),
        *metadata["dependency-groups"]["dev"],
    ]
    # then
    missing = sorted({name_of(r) for r in wanted} - set(entries))
    assert missing == [], "run `make lock`"


def test_every_extra_goes_into_the_lock_and_the_sandbox_stays_optional() -> None:
    # given
    metadata = project()["project"]
    extras = metadata["optional-dependencies"]
    recipe = text_of("Makefile").partition("\nlock:")[2].partition("\n\n")[0]
    # when
    needed = {name_of(r) for r in metadata["dependencies"]}
    pretends = {name_of(r) for r in extras["sandbox"]}
    # then
    assert {name for name in extras if f"--extra {name}" not in recipe} == set()
    assert "--group dev" in recipe
    assert needed & pretends == set()


def test_no_lock_of_another_tool_is_tracked() -> None:
    assert {"uv.lock", "poetry.lock", "Pipfile.lock"} & set(tracked()) == set()


def test_make_help_lists_every_target() -> None:
    # given
    makefile = text_of("Makefile")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony, "no .PHONY"
    # when
    targets = set(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, re.MULTILINE))
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True
    )
    listed = {line.split()[0] for line in shown.stdout.splitlines() if line.strip()}
    # then
    assert targets >= PROMISED_TARGETS
    assert (listed, set(phony[1].split())) == (targets, targets)


def test_ci_calls_make_targets_and_nothing_else() -> None:
    # given
    lines = [line.strip() for line in text_of(".ci/run").splitlines()]
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    # then
    assert [line for line in commands if not re.fullmatch(r"make [a-z-]+", line)] == []
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_files_stay_short() -> None:
    # given
    made = ("tests/data/", "benchmarks/data/")
    ours = [name for name in tracked() if name.endswith(".py") and not name.startswith(made)]
    # when
    lengths = {name: len(text_of(name).splitlines()) for name in ours}
    most = {
        name: next(n for start, n in MAX_LINES.items() if name.startswith(start)) for name in ours
    }
    # then
    long = {name: n for name, n in lengths.items() if n > LONGER.get(name, most[name])}
    assert long == {}, "in each stands a second subject: give it a place of its own"
    shrunk = {name for name in LONGER if lengths.get(name, 0) <= most.get(name, 0)}
    assert shrunk == set(), "short enough now: take these out of LONGER"
