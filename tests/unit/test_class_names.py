"""A class name means one thing in the whole tree: who reads it need not ask which is meant."""

import ast
from collections import defaultdict
from functools import cache

from tests.support.trees import nodes, trees

SAME_THING = {"Attempt", "Certificate", "Evidence", "Prompt"}
"""Stored in `models/`, and a value of the same thing elsewhere."""
OF_THE_CLIENT = {"RunState"}
"""How a run stands: told in one word by the queue, in figures to a program by `rung/`."""


@cache
def classes() -> dict[str, list[str]]:
    """Where each class name is defined."""
    found: dict[str, list[str]] = defaultdict(list)
    for path, tree in trees().items():
        for node in nodes(tree):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(str(path))
    return found


def test_a_class_name_means_one_thing() -> None:
    # when
    doubled = {name: places for name, places in classes().items() if len(places) > 1}
    # then
    assert {
        name: places for name, places in doubled.items() if name not in SAME_THING | OF_THE_CLIENT
    } == {}, "give one of them a name of its own"
    assert set(doubled) >= SAME_THING | OF_THE_CLIENT, "means one thing now: take it out"


def test_what_is_stored_and_a_value_has_its_row_in_models() -> None:
    found = classes()
    assert [n for n in SAME_THING if not any(p.startswith("models/") for p in found[n])] == []
