"""Faults are made of statements as they are meant to be, and put into modules for good."""

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from tests.mutants import areas, chosen, every
from tests.mutants.python_faults import expression_faults, put_in
from tests.mutants.sql_faults import faults_of
from tests.support.places import ROOT


def made(text: str) -> list[str]:
    return [fault.of(text) for fault in faults_of(text)]


@pytest.mark.parametrize(
    ("text", "faulty"),
    [
        ("SELECT FROM t WHERE a = 1", ["SELECT FROM t WHERE true"]),
        (
            "SELECT FROM t WHERE a AND b ORDER BY c",
            [
                "SELECT FROM t WHERE true AND b ORDER BY c",
                "SELECT FROM t WHERE a AND true ORDER BY c",
            ],
        ),
        (
            "SELECT FROM t WHERE (a OR b)",
            ["SELECT FROM t WHERE true", "SELECT FROM t WHERE (false OR b)",
             "SELECT FROM t WHERE (a OR false)"],
        ),
        ("SELECT FROM t WHERE a BETWEEN 1 AND 2", ["SELECT FROM t WHERE true"]),
        (
            "UPDATE t SET a = CASE WHEN b THEN 1 ELSE 2 END",
            ["UPDATE t SET a = CASE WHEN false THEN 1 ELSE 2 END"],
        ),
        ("UPDATE t SET a = a + b - c, d = 1", ["UPDATE t SET a = a - c, d = 1",
                                                "UPDATE t SET a = a + b, d = 1"]),
        ("UPDATE t SET a = GREATEST(b, c)", ["UPDATE t SET a = GREATEST( c)",
                                              "UPDATE t SET a = GREATEST(b)"]),
        ("INSERT INTO t VALUES (1) ON CONFLICT (a) DO NOTHING", []),
        (
            "INSERT INTO t SELECT b FROM u WHERE c ON CONFLICT (a) DO NOTHING",
            ["INSERT INTO t SELECT b FROM u WHERE true ON CONFLICT (a) DO NOTHING"],
        ),
        ("SELECT '-- a AND b' FROM t -- WHERE c", []),
        ("SELECT FROM t FOR UPDATE OF t SKIP LOCKED", ["SELECT FROM t FOR UPDATE OF t"]),
    ],
)  # fmt: skip
def test_each_condition_and_each_term_is_left_out_once(text: str, faulty: list[str]) -> None:
    assert made(text) == faulty


def test_the_store_has_hundreds_of_faults_to_make_and_each_has_a_name_of_its_own() -> None:
    names = [fault.name for fault in every.all_faults()]
    assert len(set(names)) == len(names) > 2_000
    for module in areas.EXPRESSIONS:
        for fault in expression_faults(module):
            compile(fault.instead, module, "exec")


def test_tests_are_asked_about_modules_that_there_are() -> None:
    assert set(areas.STATEMENTS) <= set(every.modules_of_statements())
    named = {test for tests in areas.STATEMENTS.values() for test in tests}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    made = types.ModuleType("a_module_with_a_fault")
    made.__file__ = str(tmp_path / "a_module_with_a_fault.py")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


def load(module: types.ModuleType, source: str) -> dict[str, Any]:
    Path(str(module.__file__)).write_text(source)
    exec(source, vars(module))
    return vars(module)


def test_a_class_that_is_put_in_anew_is_still_itself(loaded: types.ModuleType) -> None:
    # given
    source = "class Told(ValueError):\n    def __init__(self):\n        super().__init__('a')\n"
    told = load(loaded, source)["Told"]
    # when
    put_in(loaded.__name__, source.replace("'a'", "'b'"))
    # then
    assert vars(loaded)["Told"] is told
    assert str(told()) == "b"


def test_what_a_module_makes_of_its_own_class_is_of_the_one_that_stays(
    loaded: types.ModuleType,
) -> None:
    # given
    source = (
        "from dataclasses import dataclass\n\n\n@dataclass(frozen=True, slots=True)\n"
        "class Pair:\n    a: int\n\n\nNONE, EACH = Pair(0), {'one': Pair(1)}\n"
    )
    pair = load(loaded, source)["Pair"]
    # when
    put_in(loaded.__name__, source.replace("Pair(1)", "Pair(2)"))
    # then
    assert (vars(loaded)["NONE"], vars(loaded)["EACH"]) == (pair(0), {"one": pair(2)})


def test_members_of_an_enumeration_are_those_that_tests_hold(loaded: types.ModuleType) -> None:
    # given
    source = "from enum import Enum\n\n\nclass Way(Enum):\n    A = 1\n    B = 2\n\n\nWAY = Way.A\n"
    way = load(loaded, source)["Way"]
    # when
    put_in(loaded.__name__, source.replace("= Way.A", "= Way.B"))
    # then
    assert (vars(loaded)["Way"], vars(loaded)["WAY"]) == (way, way.B)


def test_every_chosen_fault_is_still_in_the_source() -> None:
    gone = []
    for one in chosen.chosen():
        try:
            source = chosen.source(one)
            if not one[0].endswith(chosen.LUA):
                compile(source, one[0], "exec")
        except (ValueError, SyntaxError) as error:
            gone.append(f"{error}")
    assert gone == [], "say anew in tests/mutants/chosen.txt how these faults are made"


def test_the_chosen_faults_are_many_in_every_part_and_their_tests_are_there() -> None:
    found = chosen.chosen()
    assert len(set(found)) == len(found) > 150
    for part in ("domain", "claude", "intake", "runs.previews", "dashboard.access"):
        assert any(module.startswith(f"worker.{part}") for module, *_ in found)
    named = {test for _, tests, *_ in found for test in tests}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
