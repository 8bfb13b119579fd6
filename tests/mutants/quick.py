"""Tries faults of statements in one session of pytest: what such a fault needs is a text in memory,
and what the quick tests leave behind is rolled back, so nothing has to be started anew for each.
"""

import contextlib
import io
import time
from collections.abc import Callable, Sequence

import pytest
from _pytest.runner import runtestprotocol

from tests.mutants.running import Fault, Outcome


class OneByOne:
    """A plugin that runs the collected tests once as they are, and then under each fault until one
    of them fails. Those that have seen a fault of the same statement come first."""

    def __init__(self, faults: Sequence[Fault], told: Callable[[Outcome], None]) -> None:
        self.faults, self.told = faults, told
        self.broken = list[str]()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = [item for item in session.items if isinstance(item, pytest.Function)]
        self.broken = [item.nodeid for item in items if not _passes(item, items)]
        sharp = dict[str, list[pytest.Function]]()
        for fault in self.faults:
            began = time.monotonic()
            first = sharp.setdefault(fault.name.split(" ")[0], [])
            near = [item for item in items if item.nodeid.startswith(tuple(fault.tests))]
            order = [*first, *(item for item in near if item not in first)]
            fault.put_in()
            by = next((item for item in order if not _passes(item, items)), None)
            assert fault.take_out is not None
            fault.take_out()
            if by is not None and by not in first:
                first.insert(0, by)
            seconds = time.monotonic() - began
            self.told(Outcome(fault, by is not None, by.nodeid if by else "", seconds))
        session._setupstate.teardown_exact(None)
        return True


def _passes(item: pytest.Function, items: Sequence[pytest.Function]) -> bool:
    item._initrequest()
    item.session._setupstate.teardown_exact(item)
    # What the tests of a module share stays until one of another module comes.
    beside = next(one for one in items if one is not item and one.parent is item.parent)
    reports = runtestprotocol(item, log=False, nextitem=beside)
    return not any(report.failed for report in reports)


def run(faults: Sequence[Fault], tests: Sequence[str], told: Callable[[Outcome], None]) -> None:
    """Says what the quick tests see. Raises AssertionError when they fail without any fault."""
    trying = OneByOne(faults, told)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "-W", "default"]
        pytest.main([*options, *tests], plugins=[trying])
    assert not trying.broken, f"these fail as they are: {trying.broken} {said.getvalue()}"
