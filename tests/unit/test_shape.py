"""The shape of the code: no circle of files, no long function, no nameless rows where things are
read."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("worker", "models", "rung")
LONGEST = 50
NAMELESS = re.compile(r"(?:dict|Mapping)\[str, (?:Any|object)\]|Row\[Any\]")
READERS = ("worker/store/reading/", "worker/store/actions/", "worker/store/runs.py")
READ_BY_NAME = {
    "worker/store/reading/outlook.py: as_document": "a document: what JSON gives",
    "worker/store/reading/outlook.py: run_document": "a document: what JSON gives",
    "worker/store/reading/run_standing.py: as_document": "a document: what JSON gives",
    "worker/store/reading/results.py: results_of": "a run's rows, with columns of its own backlog",
    "worker/store/reading/metrics.py: rows": "any of many statements, by the name of its series",
    "worker/store/reading/replay.py: decided_jobs": "attempts and calls with all their columns",
    "worker/store/actions/reviews.py: waiting": "rows of a person's spreadsheet, by its headings",
    "worker/store/runs.py: policies_of_origins": "policies as runs froze them: documents",
}
"""What gives rows by name all the same, and why. Only ever shrink this."""


def sources() -> Iterator[tuple[Path, ast.Module]]:
    """Every module of ours."""
    for path in (path for name in FOLDERS for path in (ROOT / name).rglob("*.py")):
        yield path.relative_to(ROOT), ast.parse(path.read_text("utf-8"))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(tree: ast.Module) -> Iterator[str]:
    """Dotted names that a module imports, wherever it does so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def graph() -> dict[str, set[str]]:
    """What each module imports of ours. What a package hands on is its own."""
    found = {".".join(path.with_suffix("").parts): tree for path, tree in sources()}
    return {name: {one for one in imported(tree) if one in found} for name, tree in found.items()}


def test_no_files_import_each_other_in_a_circle() -> None:
    # when
    try:
        TopologicalSorter(graph()).prepare()
        circle: list[str] = []
    except CycleError as error:
        circle = error.args[1]
    # then
    assert circle == [], "each imports the next but one before it: move what both need"


def test_functions_are_short() -> None:
    # when
    lengths = {
        f"{path}: {one.name}": (one.end_lineno or 0) - one.lineno + 1
        for path, tree in sources()
        for one in functions(tree)
    }
    # then
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_what_is_read_is_a_value_with_names_that_are_checked() -> None:
    # when
    found = {
        f"{path}: {one.name}"
        for path, tree in sources()
        if str(path).startswith(READERS)
        for one in functions(tree)
        if not one.name.startswith("_")
        and one.returns is not None
        and NAMELESS.search(ast.unparse(one.returns))
    }
    # then
    assert found == set(READ_BY_NAME), "give the rows a class, or a reason here"
