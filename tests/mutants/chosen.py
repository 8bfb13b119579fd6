"""Faults chosen by hand."""

from collections.abc import Iterator
from functools import partial

from tests.mutants import python_faults, running

CHOSEN: tuple[tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]], ...] = ()


def faults() -> Iterator[running.Fault]:
    """Each as it is run."""
    for module, tests, changes in CHOSEN:
        area = module.removeprefix("worker.")
        for find, instead in changes:
            fault = python_faults.SourceFault(module, find, instead)
            name = f"{area}: {find!r} -> {instead!r}"
            yield running.Fault(area, name, partial(_put_in, fault), tests)


def _put_in(fault: python_faults.SourceFault) -> None:
    import importlib

    importlib.import_module(fault.module)
    python_faults.put_in(fault.module, fault.source())
