"""Every fault: of statements, of expressions, and chosen by hand."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import partial

from sqlalchemy import TextClause

import worker.store
from tests.mutants import areas, chosen, python_faults, running, sql_faults
from tests.support.statements import statements_of


def all_faults() -> Iterator[running.Fault]:
    """Each as it is run, those of one module together."""
    for module in modules_of_statements():
        yield from _of_statements(module)
    for module, tests in areas.EXPRESSIONS.items():
        for number, fault in enumerate(python_faults.expression_faults(module)):
            area = module.rpartition(".")[2]
            name = f"{area} {number}: {_difference(fault)}"
            put_in = partial(python_faults.put_in, module, fault.instead)
            unharmed = partial(python_faults.put_in, module, fault.find)
            yield running.Fault(area, part_of(module), name, put_in, tests, unharmed=unharmed)
    yield from chosen.faults()


def modules_of_statements() -> Iterator[str]:
    """All of the store: a statement that is new is tried without being listed."""
    for found in pkgutil.walk_packages(worker.store.__path__, "worker.store."):
        yield found.name


def part_of(module: str, kind: str = "SQL of ") -> str:
    """The row of the table that a module is in: its package."""
    return kind + module.removeprefix("worker.").rpartition(".")[0]


def _of_statements(module: str) -> Iterator[running.Fault]:
    area, tests = module.rpartition(".")[2], areas.STATEMENTS.get(module, ())
    for constant, statement in statements_of(module):
        name = f"{area}.{constant}"
        if not _is_own(module, constant):
            continue
        for fault in sql_faults.faults_of(statement.text):
            if _is_shared(module, statement.text, fault.start):
                continue
            cut = " ".join(statement.text[fault.start : fault.end].split())
            yield running.Fault(
                area=area,
                part=part_of(module),
                name=f"{name} at {fault.start}: {cut} -> {fault.instead or 'left out'}",
                put_in=partial(_say, statement, fault.of(statement.text)),
                tests=tests,
                statement=statement.text,
                take_out=partial(_say, statement, statement.text),
            )


def _is_shared(module: str, words: str, place: int) -> bool:
    """Whether it stands in what another module's statements have as well, where it is tried."""
    for where, constant in areas.SHARED.items():
        part = getattr(importlib.import_module(where), constant)
        begin = words.find(part)
        if where != module and 0 <= begin <= place < begin + len(part):
            return True
    return False


def _say(statement: TextClause, words: str) -> None:
    statement.text = words
    statement.__dict__.pop("_generate_cache_key", None)


def _is_own(module: str, constant: str) -> bool:
    """Whether it is written there, and not imported."""
    name = re.escape(constant.partition("[")[0])
    return re.search(rf"^{name}\b", python_faults.source_of(module), re.MULTILINE) is not None


def _difference(fault: python_faults.SourceFault) -> str:
    """The first place where the sources differ."""
    faulty = fault.instead.replace(python_faults.IMPORTS, "\nfrom models", 1)
    pairs = enumerate(zip(fault.find, faulty, strict=False))
    place = next(number for number, (was, now) in pairs if was != now)
    line = fault.find.count("\n", 0, place) + 1
    return f"line {line}, {' '.join(fault.find[place : place + 50].split())}"
