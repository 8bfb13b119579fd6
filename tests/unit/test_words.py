"""What people read says "fix" and "submit": the words of the code stay in the code."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from models.vocabulary import JobState
from tests.support.places import ROOT
from tests.support.trees import nodes, trees
from worker.domain.wording import jobs_words, state_word

OF_THE_CODE = re.compile(r"\b(mend(s|ed|ing)?|(?<!by )hand(s|ed|ing)? (it |them )?in)\b", re.I)
READ = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", ROOT / "Makefile"]


@cache
def said_by(tree: ast.Module) -> tuple[str, ...]:
    """The words of a module that reach somebody: its texts, without docstrings, names and keys."""
    told = {
        id(node.value)
        for node in nodes(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    texts = [node for node in nodes(tree) if isinstance(node, ast.Constant)]
    return tuple(
        node.value
        for node in texts
        if isinstance(node.value, str) and " " in node.value.strip() and id(node) not in told
    )


def lines_of(path: Path) -> Iterator[str]:
    """Without what a template asks Python for."""
    yield from re.sub(r"\{[%{].*?[%}]\}", "", path.read_text("utf-8"), flags=re.S).splitlines()


def found_in(words: Iterable[str]) -> list[str]:
    return [text for text in words if OF_THE_CODE.search(text)]


def test_no_sentence_of_a_module_has_a_word_of_the_code() -> None:
    found = {str(path): said for path, tree in trees().items() if (said := found_in(said_by(tree)))}
    assert found == {}


def test_no_page_and_no_document_has_a_word_of_the_code() -> None:
    templates = (ROOT / "worker/dashboard").rglob("*.html")
    paths = [*READ, *(ROOT / "docs").rglob("*.md"), *templates, *(ROOT / "deploy").rglob("*.y*ml")]
    found = {
        str(path.relative_to(ROOT)): said
        for path in paths
        if path.is_file() and path.name != "glossary.md"
        if (said := found_in(lines_of(path)))
    }
    assert found == {}


def test_the_word_would_be_found() -> None:
    assert found_in(["Mend it", "handed in twice", "recommend", "chosen by hand in"]) == [
        "Mend it",
        "handed in twice",
    ]


def test_percentages_are_written_by_the_one_function() -> None:
    """`96 %` on one screen and `96%` on the next: Python's own `%` has no space."""
    own = re.compile(r"\{[^{}]*:[+,]?(\.\d)?%\}")
    paths = (path for folder in ("worker", "rung", "benchmarks", "models")
             for path in (ROOT / folder).rglob("*.py"))  # fmt: skip
    found = [str(path.relative_to(ROOT)) for path in paths if own.search(path.read_text("utf-8"))]
    assert found == []


def test_how_a_job_stands_is_one_word_on_all_screens() -> None:
    """The table has it, and whoever says it takes it from there."""
    states = [*map(str, JobState)]
    assert jobs_words(dict.fromkeys(states, 1)) == [f"1 {state_word(state)}" for state in states]
    said = re.compile(r"not yet routed|waiting or in flight|in a batch of")
    modules = {str(path): said_by(tree) for path, tree in trees().items()
               if "simulator" not in str(path) and path.name != "wording.py"}  # fmt: skip
    pages = {str(path): (path.read_text("utf-8"),)
             for path in (ROOT / "worker/dashboard").rglob("*.html")}  # fmt: skip
    found = {
        path: text
        for path, texts in (modules | pages).items()
        for text in texts
        if said.search(text)
    }
    assert found == {}
