"""A command that is printed can be pasted: what data or people named is quoted for the shell.

A backlog's file lends its run its name, so whoever names a file would choose what a terminal runs.
"""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache

import pytest

from tests.support.places import ROOT
from tests.support.trees import nodes, trees
from worker.cli.main import GROUPS
from worker.errors import installing

PROGRAMS = ("mv", "mkdir -p", "tar -xf", "unzip -l", "iconv", "python3 -m json.tool")
ENDS = (". ", "; ", ", ", "`", ": ", " (")
"""What a command does not go on behind."""
OURS = {
    "action",
    "ABOUT_AN_ORDER",
    "EVERYTHING",
    "MADE_UP",
    "again",
    "breaks",
    "guess.as_options()",
    "guessed.as_options()",
    "job",
    "job_id",
    "judged.job_id",
    "ladder[-1]",
    "line.queue",
    "math.ceil(share * 100)",
    "name",
    "named",
    "of_run",
    "order.queue",
    "queue",
    "queues[0]",
    "self.name",
    "theirs[0]",
}
"""Numbers, names of queues, which the configuration checks, and what is quoted already."""


@cache
def begins() -> tuple[str, ...]:
    """How a printed command begins."""
    commands = (name for names in GROUPS.values() for name in names)
    return (*PROGRAMS, *(f"rung {name}" for name in commands))


def unquoted(tree: ast.Module) -> Iterator[str]:
    """What is put into a command of a module as it came."""
    for node in nodes(tree):
        if isinstance(node, ast.JoinedStr):
            yield from _of_text(node)


def _of_text(node: ast.JoinedStr) -> Iterator[str]:
    before = ""
    for part in node.values:
        if isinstance(part, ast.Constant):
            before += str(part.value)
            continue
        assert isinstance(part, ast.FormattedValue)
        said = ast.unparse(part.value)
        number = part.format_spec is not None
        if _in_a_command(before) and not number and "quote" not in said and said not in OURS:
            yield f"{before[-40:]}{{{said}}}"
        before += "X"


def _in_a_command(before: str) -> bool:
    last = max((before.rfind(f"{begin} ") for begin in begins()), default=-1)
    return last >= 0 and not any(end in before[last:] for end in ENDS)


def test_nothing_is_put_into_a_command_as_it_came() -> None:
    found = {
        str(path): there
        for path, tree in trees().items()
        if path.parts[0] == "worker" and (there := list(unquoted(tree)))
    }
    assert found == {}


def test_nor_on_a_page() -> None:
    code = re.compile(r"<code>(rung [a-z][^<]*)</code>")
    pages = sorted((ROOT / "worker/dashboard").rglob("*.html"))
    commands = [text for page in pages for text in code.findall(page.read_text("utf-8"))]
    names = [name for text in commands for name in re.findall(r"\{\{ (.*?) \}\}", text)]
    assert len(names) > 4
    assert [one for one in names if one != "size" and not one.endswith(" | shell")] == []


@pytest.mark.parametrize(
    ("source", "fine"),
    [
        ('f"rung status {run}"', False),
        ('f"rung results {run.name} -o answers.csv"', False),
        ('f"rung status {quote(run)} --watch"', True),
        ('f"rung status is said of {run}. And {run}"', False),
        ('f"rung status. Then {run}"', True),
        ('f"mv {path} there"', False),
        ('f"one rung of {ladder}"', True),
    ],
)
def test_so_the_test_would_see_it(source: str, fine: bool) -> None:
    assert (list(unquoted(ast.parse(source))) == []) is fine


def test_what_is_missing_is_installed_where_it_is_missed() -> None:
    # then not by whatever `pip` a shell finds, which fills another environment
    named = re.compile(r"[\"' ]pip install")
    found = [p for p in (ROOT / "worker").rglob("*.py") if named.search(p.read_text("utf-8"))]
    assert [p.name for p in found] == ["errors.py"]
    assert installing("parquet") == f"{sys.executable} -m pip install 'rung[parquet]'"


def test_a_command_that_helps_ends_where_it_ends() -> None:
    # "rung status says which", pasted, is a run called `says`
    verbs = re.compile(r"^rung [^,;.(]*? (says?|has|lists?|gives?|draws?|waits?|with|which)( |$)")
    found = [
        f"{path}: {said}"
        for path, tree in trees().items()
        if path.parts[0] == "worker"
        for node in nodes(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr)
        for said in [_shown(node)]
        if verbs.match(said)
    ]
    assert found == []


def _shown(node: ast.Constant | ast.JoinedStr) -> str:
    """What a string says, with X for what is put into it."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(str(p.value) if isinstance(p, ast.Constant) else "X" for p in node.values)
