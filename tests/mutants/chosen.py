"""Faults chosen by hand, read from `chosen.txt`, which says how they are written."""

import importlib
import tempfile
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

from tests.mutants import python_faults, running

TABLE = Path(__file__).with_suffix(".txt")
TESTS = Path(__file__).parents[1]
LUA = ".lua"
Chosen = tuple[str, tuple[str, ...], str, str]
"""A module (or a script that lies beside one), the tests that should see it, what stands there, and
what it becomes."""


@cache
def chosen() -> tuple[Chosen, ...]:
    """The table, in order."""
    found, module, tests = list[Chosen](), "", tuple[str, ...]()
    for line in TABLE.read_text("utf-8").splitlines():
        if line.startswith("@ "):
            module, _, listed = line.removeprefix("@ ").partition(": ")
            tests = tuple(f"tests/{name}" for name in listed.split())
        elif line and not line.startswith("# "):
            find, _, instead = line.partition("  =>  ")
            found.append((module, tests, _meant(find), _meant(instead)))
    return tuple(found)


def _meant(words: str) -> str:
    return "" if words == "∅" else words.replace("⏎", "\n")


def source(one: Chosen) -> str:
    """The source with the fault. Raises ValueError where its place is not there exactly once."""
    module, _, find, instead = one
    if module.endswith(LUA):
        text = _script(module).read_text("utf-8")
        if text.count(find) != 1:
            raise ValueError(f"{module} has {find!r} {text.count(find)} times")
        return text.replace(find, instead)
    return python_faults.SourceFault(module, find, instead).source()


def faults() -> Iterator[running.Fault]:
    """Each as it is run."""
    for one in chosen():
        module, tests, find, instead = one
        area = module.removeprefix("worker.")
        part = area.removesuffix(LUA).rpartition(".")[0]
        name = f"{area}: {find.strip()!r} -> {instead.strip()!r}"
        unharmed = partial(_put_in, (module, tests, find, find))
        yield running.Fault(area, part, name, partial(_put_in, one), tests, unharmed=unharmed)


def _put_in(one: Chosen) -> None:
    module = one[0]
    if module.endswith(LUA):
        with tempfile.NamedTemporaryFile("w", suffix=LUA, delete=False) as file:
            file.write(source(one))
        importlib.import_module(module.removesuffix(LUA)).SCRIPT = Path(file.name)
        return
    importlib.import_module(module)
    python_faults.put_in(module, source(one))


def _script(module: str) -> Path:
    origin = importlib.import_module(module.removesuffix(LUA)).__file__
    assert origin is not None, module
    return Path(origin).with_suffix(LUA)
