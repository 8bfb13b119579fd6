"""Faults are handed out once, shown to whatever can see them, and what became of them is kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from tests.mutants import kept, survivors
from tests.mutants.quick import texts_used
from tests.mutants.running import NO_END, Fault, became
from tests.mutants.streams import Groups

STATEMENT = text("SELECT 1 WHERE :a = 1")


def fault(name: str, statement: str = "", area: str = "claim") -> Fault:
    return Fault(area, "SQL of store.queue", name, lambda: None, ("a", "b"), statement)


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as made:
        yield made
    engine.dispose()


def test_a_fault_is_shown_to_what_executes_its_text(connection: Connection) -> None:
    connection.execute(STATEMENT, {"a": 1})
    with texts_used() as texts:
        assert texts == set()
        connection.execute(STATEMENT, {"a": 1})
        assert texts == {"SELECT 1 WHERE :a = 1"}


def test_a_fault_is_shown_to_what_makes_another_statement_of_its_text() -> None:
    with texts_used() as texts:
        STATEMENT.text.replace(":a", "2")
    assert texts == {"SELECT 1 WHERE :a = 1"}
    STATEMENT.text = STATEMENT.text
    assert texts == {"SELECT 1 WHERE :a = 1"}


def test_each_fault_is_handed_out_once_beside_others_of_its_statement() -> None:
    # given
    faults = [fault("q.A at 1", "A"), fault("q.B at 1", "B"), fault("q.A at 2", "A"), fault("x")]
    groups = Groups(faults)
    # when two take turns
    first, second = iter(groups), iter(groups)
    got = [next(first).name, next(second).name, *(one.name for one in first)]
    got += [one.name for one in second]
    groups.close()
    # then
    assert got == ["q.A at 1", "q.B at 1", "q.A at 2", "x"]
    assert groups.tests == ["a", "b"]


def test_what_became_of_faults_is_counted_by_where_they_are(tmp_path: Path) -> None:
    # given
    alike = next(iter(survivors.CHOSEN_ALIKE))
    names = ("seen", "late", "missed", alike, "not run")
    file = kept.Kept(tmp_path / "there" / "outcomes.jsonl")
    file.add(became(fault("seen"), 1.0))
    # when: what came out last counts
    for name, by, how in (("seen", "a::b", ""), ("late", "a::b", NO_END), ("missed", "", ""),
                          (alike, "", "")):  # fmt: skip
        file.add(became(fault(name), 1.0, by, how))
    outcomes = file.outcomes()
    # then
    rows = kept.rows(map(fault, names), outcomes)
    assert rows["**all**"] == kept.Row(faults=5, seen=2, late=1, alike=1, unseen=1, not_run=1)
    assert outcomes["late"].said == "seen by a::b"
    assert outcomes["missed"].said == "NOT SEEN"
    last = kept.table(map(fault, names), outcomes).splitlines()[-1]
    assert last == "| **all** | 5 | 2 | 1 | 1 | 1 | 1 |"
    # and a run that begins anew leaves only what it does not run
    file.leave([outcomes["late"]])
    assert list(file.outcomes()) == ["late"]
