"""`python -m tests.mutants [AREA…]`: single faults, each alone, and the tests that should see it.

Prints a table, and each fault that no test saw. Exits 1 when one of these is not on the list of
`survivors`, or fewer than 95 of 100 were seen.
"""

import importlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import TextClause

from tests.mutants import (
    areas,
    chosen,
    forked,
    python_faults,
    running,
    sql_faults,
    survivors,
)
from tests.mutants import quick as quick_tests
from tests.support import servers
from tests.support.statements import statements

WANTED = 0.95
LOADED = (
    "worker.lanes.process",
    "worker.cli.main",
    "worker.dashboard.app",
    "worker.sandbox.simulator.server",
    "tests.support.nights",
    "tests.support.promises",
    "tests.support.checker",
    "tests.support.deciding",
    "tests.support.web",
    "tests.support.servers",
    "hypothesis",
)
"""What most tests need is loaded once, before anything is forked."""


def all_faults() -> Iterator[running.Fault]:
    """Of statements, of expressions, and chosen by hand."""
    for module, tests in areas.STATEMENTS.items():
        yield from _of_statements(module, tests)
    for module, tests in areas.EXPRESSIONS.items():
        for number, fault in enumerate(python_faults.expression_faults(module)):
            area = module.rpartition(".")[2]
            name = f"{area} {number}: {_difference(fault)}"
            put_in = partial(python_faults.put_in, module, fault.instead)
            unharmed = partial(python_faults.put_in, module, fault.find)
            yield running.Fault(area, name, put_in, tests, unharmed=unharmed)
    yield from chosen.faults()


def _of_statements(module: str, tests: tuple[str, ...]) -> Iterator[running.Fault]:
    area = module.rpartition(".")[2]
    for name, statement in statements():
        where, _, constant = name.partition(".")
        if where != area or not _is_own(module, constant, statement):
            continue
        for fault in sql_faults.faults_of(statement.text):
            if _is_shared(module, statement.text, fault.start):
                continue
            cut = " ".join(statement.text[fault.start : fault.end].split())
            said = f"{name} at {fault.start}: {cut} -> {fault.instead or 'left out'}"
            put_in = partial(_say, statement, fault.of(statement.text))
            take_out = partial(_say, statement, statement.text)
            yield running.Fault(area, said, put_in, tests, take_out)


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


def _is_own(module: str, constant: str, statement: object) -> bool:
    """Whether it is written there, and not imported."""
    source = python_faults.source_of(module)
    return f"\n{constant.partition('[')[0]}" in source


def _difference(fault: python_faults.SourceFault) -> str:
    """The first place where the sources differ."""
    faulty = fault.instead.replace(python_faults.IMPORTS, "\nfrom models", 1)
    pairs = enumerate(zip(fault.find, faulty, strict=False))
    place = next(number for number, (was, now) in pairs if was != now)
    line = fault.find.count("\n", 0, place) + 1
    return f"line {line}, {' '.join(fault.find[place : place + 50].split())}"


@click.command()
@click.argument("wanted", nargs=-1)
@click.option("--side-by-side", default=os.cpu_count() or 2, show_default=True)
@click.option("--like", default="", help="Only faults whose name contains this.")
@click.option("--thorough/--quick", default=True, help="Whether slow tests are asked as well.")
@click.option("--list", "only_list", is_flag=True, help="Say which there are, and run none.")
@click.pass_context
def main(
    ctx: click.Context,
    wanted: tuple[str, ...],
    side_by_side: int,
    like: str,
    thorough: bool,
    only_list: bool,
) -> None:
    """Single faults of AREAs (all without one)."""
    talk = Console(soft_wrap=True, highlight=False, file=sys.__stdout__)
    faults = [
        fault
        for fault in all_faults()
        if (not wanted or fault.area in wanted) and like in fault.name
    ]
    if only_list:
        for fault in faults:
            talk.print(f"{fault.area}: {fault.name}", markup=False)
        return
    for name in LOADED:
        importlib.import_module(name)
    run = running.ready_servers()
    found, missed = list[running.Outcome](), list[running.Fault]()

    def tell(outcome: running.Outcome) -> None:
        if not outcome.killed and thorough and outcome.fault.take_out is not None:
            missed.append(outcome.fault)  # The slow tests are asked as well.
            return
        found.append(outcome)
        word = f"seen by {outcome.by}" if outcome.killed else "NOT SEEN"
        told = f"{len(found)}/{len(faults)} {outcome.seconds:.1f} s {outcome.fault.name}"
        talk.print(f"{told}: {word}", markup=False)

    try:
        if quick := [fault for fault in faults if fault.take_out is not None]:
            quick_tests.run(quick, areas.QUICK, tell)
        slow = [fault for fault in faults if fault.take_out is None]
        slow += [replace(fault, take_out=None) for fault in missed]
        if slow:
            forked.run(slow, tell, side_by_side)
    finally:
        servers.end(run)
    ctx.exit(_told(talk, found))


def _told(talk: Console, found: list[running.Outcome]) -> int:
    """Prints the table; the status to exit with."""
    missed = [outcome.fault for outcome in found if not outcome.killed]
    table = Table("area", "faults", "seen", "equivalent", "not seen", box=None)
    tried = Counter(outcome.fault.area for outcome in found)
    unseen = Counter(fault.area for fault in missed)
    alike = Counter(fault.area for fault in missed if survivors.why(fault.name))
    for area, number in tried.items():
        numbers = (number, number - unseen[area], alike[area], unseen[area] - alike[area])
        table.add_row(area, *map(str, numbers))
    talk.print(table)
    for fault in missed:
        why = survivors.why(fault.name) or "NO REASON"
        talk.print(f"not seen: {fault.name}: {why}", markup=False)
    share = 1 - len(missed) / max(len(found), 1)
    talk.print(f"{len(found) - len(missed)} of {len(found)} faults seen, {share:.1%}")
    unexplained = unseen.total() - alike.total()
    return 1 if unexplained or share < WANTED else 0


if __name__ == "__main__":
    main()
