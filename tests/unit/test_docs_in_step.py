"""The documents say what the code does: settings, commands, exit codes, tables, targets, states."""

import re
from enum import StrEnum

import click
import pytest

from models import vocabulary
from tests.support.docs_markdown import UNWRITTEN, Row, Table, blocks
from tests.support.docs_tables import (
    REFRESH,
    ROOT,
    commands,
    documents,
    make_targets,
    refreshed,
    tables,
)
from tests.unit.test_words import OF_THE_CODE

DOCS = ROOT / "docs"
STATE_MACHINE = (vocabulary.JobState, vocabulary.AttemptOutcome, vocabulary.CallState)
MAX_DECISION_LINES = 40


def held() -> dict[str, list[str]]:
    """The generated tables that documents hold, with the documents' names."""
    found: dict[str, list[str]] = {}
    for path in documents():
        for name in blocks(path.read_text("utf-8")):
            found.setdefault(name, []).append(path.name)
    return found


def differences(before: str, after: str) -> list[str]:
    """Lines that are in one of two texts only."""
    old, new = before.splitlines(), after.splitlines()
    return [f"- {line}" for line in old if line not in new] + [
        f"+ {line}" for line in new if line not in old
    ]


def test_every_table_that_code_makes_is_in_one_document_and_no_other_table_is() -> None:
    # given
    known, documented = set(tables()), held()
    # then
    missing, unknown = sorted(known - set(documented)), sorted(set(documented) - known)
    twice = {name: where for name, where in documented.items() if len(where) > 1}
    assert (missing, unknown, twice) == ([], [], {}), (
        f"not documented: {missing}; documented and gone: {unknown} (remove the section by hand);"
        f" documented twice: {twice}. Refresh with: {REFRESH}"
    )


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_the_generated_tables_of_a_document_are_fresh(path) -> None:  # type: ignore[no-untyped-def]
    # given
    text = path.read_text("utf-8")
    # when
    changes = differences(text, refreshed(text, tables()))
    # then
    assert not changes, (
        f"docs/{path.name} is behind the code. Refresh with: {REFRESH}\n" + "\n".join(changes)
    )


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_row_of_a_generated_table_says_what_it_means(path) -> None:  # type: ignore[no-untyped-def]
    # given
    text = path.read_text("utf-8")
    # then
    unwritten = [line for line in text.splitlines() if line.endswith(f"| {UNWRITTEN} |")]
    assert not unwritten, f"write the last column of these rows in docs/{path.name}:\n" + "\n".join(
        unwritten
    )


def test_refreshing_adds_what_is_new_keeps_what_was_written_and_drops_what_is_gone() -> None:
    # given
    text = (
        "before\n<!-- table: t -->\n| name | meaning |\n| --- | --- |\n"
        "| `a\\|b` | Written by hand. |\n| `gone` | Not any more. |\n<!-- end -->\nafter\n"
    )
    known = {"t": Table(("name", "meaning"), (Row("a|b"), Row("new", (), "Said by the code.")))}
    # when
    fresh = refreshed(text, known)
    # then
    assert fresh == (
        "before\n<!-- table: t -->\n| name | meaning |\n| --- | --- |\n"
        "| `a\\|b` | Written by hand. |\n| `new` | Said by the code. |\n<!-- end -->\nafter\n"
    )


def test_every_command_option_and_make_target_says_what_it_does() -> None:
    # given
    silent = [path.replace(".", " ") for path, command in commands() if not command.help]
    bare = [
        f"{path} {option.opts[0]}"
        for path, command in commands()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    odd = [path for path, command in commands() if OF_THE_CODE.search(command.help or "")]
    cut = [path for path, command in commands() if command.get_short_help_str(65)[-3:] == "..."]
    # then
    assert silent == [], "these commands have no docstring"
    assert bare == [], "these options have no help"
    assert odd == [], "a docstring is read by people: say fix and submit"
    assert [path for path in cut if path.count(".") > 1] == [], "give these a short_help"
    assert [name for name, words in make_targets() if not words] == [], "targets without ## help"


@pytest.mark.parametrize("words", STATE_MACHINE, ids=lambda words: words.__name__)
def test_the_state_machine_names_every_word_of_the_record(words: type[StrEnum]) -> None:
    # given
    text = (DOCS / "state-machine.md").read_text("utf-8")
    # then
    missing = [word.value for word in words if f"`{word.value}`" not in text]
    assert missing == [], f"docs/state-machine.md does not explain these of {words.__name__}"


def test_the_functions_and_statements_that_the_state_machine_names_exist() -> None:
    # given
    text = (DOCS / "state-machine.md").read_text("utf-8")
    stores: dict[str, str] = {}
    for path in (ROOT / "worker/store").rglob("*.py"):
        stores[path.stem] = stores.get(path.stem, "") + path.read_text("utf-8")
    modules = "|".join(stores)
    # when
    functions = set(re.findall(rf"`({modules})\.([\w.]+)`", text))
    statements = set(re.findall(r"`([A-Z]{4,}(?:_[A-Z]+)*)`", text))
    constants = set(re.findall(r"^([A-Z_]+) = ", "\n".join(stores.values()), re.MULTILINE))
    # then
    assert functions, "the pattern finds nothing: mend this test"
    gone = [
        f"{module}.{name}"
        for module, name in sorted(functions)
        if f"def {name.rpartition('.')[2]}(" not in stores[module]
    ]
    sql = {"CHECK", "GREATEST", "MAX_FAILURES"}
    assert (gone, sorted(statements - constants - sql)) == ([], [])


def test_links_between_documents_lead_somewhere() -> None:
    # given
    pages = [*documents(), *(ROOT / "examples").rglob("*.md"), ROOT / "README.md"]
    # when
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    # then
    assert broken == []


def test_decisions_are_numbered_without_gaps_and_short() -> None:
    # given
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    # when
    numbers = [int(path.name[:4]) for path in decisions]
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in decisions}
    # then
    assert numbers == list(range(1, len(decisions) + 1))
    assert {name: n for name, n in lengths.items() if n > MAX_DECISION_LINES} == {}
