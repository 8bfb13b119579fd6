"""What is alike is named where it is handed over: a call cannot mix up what it has to name."""

import ast
from collections import Counter
from collections.abc import Iterator

from tests.support.trees import nodes, trees

MOST_OF_ONE_KIND = 3
NAMED_FROM = 4
"""Fields from which a dataclass is keyword-only."""


def defined() -> Iterator[tuple[str, ast.AST]]:
    """Every function and class in our code, with its place."""
    for path, tree in trees().items():
        for node in nodes(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield f"{path}:{node.lineno}", node


def too_many_of_one_kind(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """More than three arguments of one kind may be given by place. click gives all by name."""
    if any(ast.unparse(one).startswith("click.") for one in function.decorator_list):
        return False
    by_place = [*function.args.posonlyargs, *function.args.args]
    kinds = Counter(ast.unparse(one.annotation) for one in by_place if one.annotation)
    return any(times > MOST_OF_ONE_KIND for times in kinds.values())


def taken_by_place(value: ast.ClassDef) -> bool:
    """A dataclass of four fields or more, or a NamedTuple of that size, is made by place."""
    made = [ast.unparse(one) for one in value.decorator_list]
    is_dataclass = any(one.startswith("dataclass") and "kw_only" not in one for one in made)
    is_tuple = any(ast.unparse(base) == "NamedTuple" for base in value.bases)
    fields = [one for one in value.body if isinstance(one, ast.AnnAssign)]
    stored = [one for one in fields if not ast.unparse(one.annotation).startswith("ClassVar")]
    return (is_dataclass or is_tuple) and len(stored) >= NAMED_FROM


def test_no_more_than_three_arguments_of_one_kind_are_given_by_place() -> None:
    # when
    found = [
        f"{place} {node.name}"
        for place, node in defined()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and too_many_of_one_kind(node)
    ]
    # then
    assert found == [], "put a * after the third"


def test_a_value_of_four_fields_is_made_by_their_names() -> None:
    # when
    found = [
        f"{place} {node.name}"
        for place, node in defined()
        if isinstance(node, ast.ClassDef) and taken_by_place(node)
    ]
    # then
    assert found == [], "@dataclass(…, kw_only=True)"


def test_they_are_recognised() -> None:
    def one(source: str) -> ast.AST:
        return ast.parse(source).body[0]

    many = one("def f(a: int, b: int, c: int, d: int): ...")
    named = one("def f(a: int, b: int, c: int, *, d: int): ...")
    assert isinstance(many, ast.FunctionDef)
    assert isinstance(named, ast.FunctionDef)
    assert (too_many_of_one_kind(many), too_many_of_one_kind(named)) == (True, False)
    value = one("@dataclass(frozen=True)\nclass A:\n  a: int\n  b: int\n  c: int\n  d: int")
    assert isinstance(value, ast.ClassDef)
    assert taken_by_place(value)
