"""Faults are made of statements as they are meant to be, and put into modules for good."""

import pytest

from tests.mutants import areas, chosen
from tests.mutants.python_faults import SourceFault, expression_faults
from tests.mutants.sql_faults import faults_of
from tests.support.statements import statements


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
        ("SELECT '-- a AND b' FROM t -- WHERE c", []),
    ],
)  # fmt: skip
def test_each_condition_and_each_term_is_left_out_once(text: str, faulty: list[str]) -> None:
    assert made(text) == faulty


def test_the_store_has_hundreds_of_faults_to_make() -> None:
    names = {module.rpartition(".")[2] for module in areas.STATEMENTS}
    texts = [text.text for name, text in statements() if name.split(".")[0] in names]
    assert sum(len(faults_of(text)) for text in texts) > 350
    for module in areas.EXPRESSIONS:
        for fault in expression_faults(module):
            compile(fault.instead, module, "exec")


def test_every_chosen_fault_is_still_in_the_source() -> None:
    for module, _, changes in chosen.CHOSEN:
        for find, instead in changes:
            compile(SourceFault(module, find, instead).source(), module, "exec")
