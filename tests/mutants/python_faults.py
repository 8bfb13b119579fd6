"""Puts a fault into a module that is loaded already, as if it had been there from the start.

The faulty source is run in the module's own namespace; then whatever others have imported from it
by name is made the faulty one too: functions take over the new code, classes the new methods, and
other values are replaced wherever a module holds them.
"""

import ast
import contextlib
import enum
import gc
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IMPORTS = "\nfrom sqlalchemy import false, true\n\nfrom models"


@dataclass(frozen=True, slots=True)
class SourceFault:
    """`find`, which stands in the source of `module` once, replaced."""

    module: str
    find: str
    instead: str

    def source(self) -> str:
        """The source with the fault. Raises ValueError where `find` is not there exactly once."""
        text = source_of(self.module)
        if text.count(self.find) != 1:
            raise ValueError(f"{self.module} has {self.find!r} {text.count(self.find)} times")
        return text.replace(self.find, self.instead)


def source_of(module: str) -> str:
    """What is written in a module's file."""
    from importlib.util import find_spec

    spec = find_spec(module)
    origin = spec.origin if spec is not None else None
    assert origin is not None, module
    return Path(origin).read_text()


def put_in(module: str, source: str) -> None:
    """Makes this the source of a loaded module, for this process."""
    loaded = sys.modules[module]
    before = dict(vars(loaded))
    tree = _without_enumerations(source, loaded)
    exec(compile(tree, str(loaded.__file__), "exec"), vars(loaded))
    stays = dict[type, type]()
    for name, old in before.items():
        new = vars(loaded).get(name)
        if name.startswith("__") or new is old:
            continue
        if isinstance(old, types.FunctionType) and isinstance(new, types.FunctionType):
            _take_over(old, new)
        elif isinstance(old, enum.EnumType):
            # What is made anew beside it holds its new members.
            _replace_everywhere(old, new)
        elif isinstance(old, type) and isinstance(new, type) and old.__module__ == module:
            _take_over_class(old, new)
            setattr(loaded, name, old)
            stays[new] = old
        else:
            _replace_everywhere(old, new)
    # What the source made while it ran is of the classes that stay: it is compared with theirs.
    for made in gc.get_referrers(*stays) if stays else ():
        if type(made) in stays:
            with contextlib.suppress(TypeError):
                object.__setattr__(made, "__class__", stays[type(made)])


def _without_enumerations(source: str, loaded: types.ModuleType) -> ast.Module:
    """Those that are the same stay what they are: tests hold their members."""
    tree, origin = ast.parse(source), Path(str(loaded.__file__))
    same = {ast.dump(node) for node in ast.parse(origin.read_text("utf-8")).body}
    tree.body = [
        node
        for node in tree.body
        if not isinstance(node, ast.ClassDef)
        or not isinstance(vars(loaded).get(node.name), enum.EnumType)
        or ast.dump(node) not in same
    ]
    return tree


def _take_over(old: types.FunctionType, new: types.FunctionType) -> None:
    if old.__closure__ is None and new.__closure__ is None:
        old.__code__, old.__defaults__ = new.__code__, new.__defaults__
        old.__kwdefaults__ = new.__kwdefaults__
    else:
        _replace_everywhere(old, new)


def _take_over_class(old: type, new: type) -> None:
    for name, value in vars(new).items():
        was = vars(old).get(name)
        if isinstance(value, types.FunctionType) and isinstance(was, types.FunctionType):
            if value.__closure__ is None and was.__closure__ is None:
                _take_over(was, value)
            else:  # A decorated one, whose own code lies in its closure, or one with `super()`.
                _is_of(old, value)
                with_suppressed(old, name, value)
        elif isinstance(value, property) and isinstance(was, property):
            if isinstance(value.fget, types.FunctionType) and isinstance(
                was.fget, types.FunctionType
            ):
                _take_over(was.fget, value.fget)
        elif isinstance(value, types.MemberDescriptorType):
            continue  # A slot of another class: it would fit no object of this one.
        elif not name.startswith("__") and was is not value:
            with_suppressed(old, name, value)


def _is_of(owner: type, method: types.FunctionType) -> None:
    """What its `super()` is of: the class that stays."""
    for name, cell in zip(method.__code__.co_freevars, method.__closure__ or (), strict=True):
        if name == "__class__":
            cell.cell_contents = owner


def with_suppressed(old: type, name: str, value: Any) -> None:
    """Sets a class's attribute where it can be set."""
    try:
        setattr(old, name, value)
    except (AttributeError, TypeError):
        return


def _replace_everywhere(old: Any, new: Any) -> None:
    if isinstance(old, bool | int | str | float | type(None) | types.ModuleType):
        return
    for module in list(sys.modules.values()):
        if not getattr(module, "__name__", "").startswith(("worker", "models", "tests")):
            continue
        for name, value in list(vars(module).items()):
            if value is old:
                setattr(module, name, new)


def expression_faults(module: str) -> Iterator[SourceFault]:
    """Each condition of SQLAlchemy's `where`, `and_`, `or_` and `filter` left out, and each term of
    arithmetic, as faults of the source."""
    text = source_of(module)
    raw, starts = text.encode(), [0]
    for line in raw.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def cut(node: ast.expr) -> tuple[int, int]:
        end, column = node.end_lineno or 0, node.end_col_offset or 0
        return starts[node.lineno - 1] + node.col_offset, starts[end - 1] + column

    for node in ast.walk(ast.parse(text)):
        places: list[tuple[int, int, str]] = []
        if isinstance(node, ast.Call):
            called = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            if called in ("where", "and_", "filter"):
                places = [
                    (*cut(one), "true()") for one in node.args if not isinstance(one, ast.Starred)
                ]
            elif called == "or_":
                places = [(*cut(one), "false()") for one in node.args]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
            whole, left = cut(node), cut(node.left)
            places = [(*whole, raw[left[0] : left[1]].decode())]
        for start, end, instead in places:
            # The whole source is what is found: so it is there once.
            faulty = (raw[:start] + instead.encode() + raw[end:]).decode()
            faulty = faulty.replace("\nfrom models", IMPORTS, 1)
            yield SourceFault(module, text, faulty)
