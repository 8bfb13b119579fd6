"""The shape of the code: no circle of files, no long function, no nameless rows where things are
read."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from tests.support.trees import nodes, trees

LONGEST = 50
NAMELESS = re.compile(r"(?:dict|Mapping)\[str, (?:Any|object)\]|Row\[Any\]")
STORE = "worker/store/"
READ_BY_NAME = {
    "reading/batches.py: as_document": "a document: what JSON gives",
    "reading/outlook.py: as_document": "a document: what JSON gives",
    "reading/run_document.py: run_document": "a document: what JSON gives",
    "reading/queue_states.py: as_document": "a document: what JSON gives",
    "reading/run_standing.py: as_document": "a document: what JSON gives",
    "rows.py: as_document": "a document: what JSON gives",
    "reading/results.py: results_of": "streamed by the million, and its columns are chosen by name:"
    " ours as `COLUMNS` lists them, and those of the run's own backlog",
    "own_queries.py: ask": "rows of a person's own query, by their names for the columns",
}
"""What gives rows by name all the same, and why. Only ever shrink this."""
WRITTEN_BY_NAME = {
    "queue/audits.py: chance",
    "queue/budgets.py: reservations",
    "queue/canaries.py: heard",
    "queue/changes.py: change_of",
    "queue/changes.py: lane_change",
    "queue/changes.py: merged",
    "queue/judgements.py: judgement",
    "queue/rows_of_report.py: attempt_row",
    "queue/rows_of_report.py: best_effort_row",
    "queue/rows_of_report.py: result_row",
}
"""What makes rows for a statement that writes: their names are its columns, and a few of them at a
time are given, for what is not given stays as it is. Only ever shrink this."""


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    for node in nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(tree: ast.Module) -> Iterator[str]:
    """Dotted names that a module imports, wherever it does so."""
    for node in nodes(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def graph() -> dict[str, set[str]]:
    """What each module imports of ours. What a package hands on is its own."""
    found = {".".join(path.with_suffix("").parts): tree for path, tree in trees().items()}
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
        for path, tree in trees().items()
        for one in functions(tree)
    }
    # then
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_what_is_read_is_a_value_with_names_that_are_checked() -> None:
    # when
    found = {
        f"{str(path).removeprefix(STORE)}: {one.name}"
        for path, tree in trees().items()
        if str(path).startswith(STORE)
        for one in functions(tree)
        if not one.name.startswith("_")
        and one.returns is not None
        and NAMELESS.search(ast.unparse(one.returns))
    }
    # then
    assert found == set(READ_BY_NAME) | WRITTEN_BY_NAME, "give the rows a class, or a reason here"
