"""Tries faults of statements in one session of pytest: what such a fault needs is a text in memory,
and what the quick tests leave behind is rolled back, so nothing has to be started anew for each.

The tests run once as they are; the texts that each of them executes are noted, and a fault is shown
to those that execute its own: no other can see it.
"""

import contextlib
import io
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from sqlalchemy import Engine, TextClause, event

from tests.mutants.running import Fault, Outcome, became


@contextlib.contextmanager
def texts_used() -> Iterator[set[str]]:
    """The texts of SQL that are executed, or read to make others of them."""
    texts = set[str]()

    def executed(_: Any, statement: Any, *__: Any) -> None:
        texts.add(str(getattr(statement, "text", "")))

    def read(statement: TextClause) -> str:
        found: str = vars(statement)["text"]
        texts.add(found)
        return found

    def write(statement: TextClause, words: str) -> None:
        vars(statement)["text"] = words

    event.listen(Engine, "before_execute", executed)
    # An instance keeps its text where it was: this stands before it for a while.
    type.__setattr__(TextClause, "text", property(read, write))
    try:
        yield texts
    finally:
        type.__delattr__(TextClause, "text")
        event.remove(Engine, "before_execute", executed)


class OneByOne:
    """A plugin that runs the collected tests once as they are, and then, under each fault, those
    that execute its statement until one of them fails: the one that saw it last time comes first,
    then those that have seen another of the same statement, then the quickest."""

    def __init__(
        self, faults: Iterable[Fault], told: Callable[[Outcome], None], before: Mapping[str, str]
    ) -> None:
        self.faults, self.told, self.before = faults, told, before
        self.broken = list[str]()
        self._items = list[pytest.Function]()
        self._of = defaultdict[str, dict[str, pytest.Function]](dict)
        self._took = dict[str, float]()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = [item for item in session.items if isinstance(item, pytest.Function)]
        self._run_as_they_are()
        sharp = defaultdict[str, list[str]](list)
        for fault in () if self.broken else self.faults:
            began = time.monotonic()
            near, first = self._of[fault.statement], sharp[fault.group]
            slowest_last = sorted(near, key=self._took.__getitem__)
            order = dict.fromkeys((self.before.get(fault.name, ""), *first, *slowest_last))
            fault.put_in()
            seen_by = (name for name in order if name in near and not self._passes(near[name]))
            by = next(seen_by, "")
            assert fault.take_out is not None
            fault.take_out()
            if by and by not in first:
                first.insert(0, by)
            self.told(became(fault, time.monotonic() - began, by))
        session._setupstate.teardown_exact(None)
        return True

    def _run_as_they_are(self) -> None:
        with texts_used() as texts:
            for item in self._items:
                texts.clear()
                began = time.monotonic()
                if not self._passes(item):
                    self.broken.append(item.nodeid)
                self._took[item.nodeid] = time.monotonic() - began
                for text in texts:
                    self._of[text][item.nodeid] = item

    def _passes(self, item: pytest.Function) -> bool:
        item._initrequest()
        item.session._setupstate.teardown_exact(item)
        # What the tests of a module share stays until one of another module comes.
        those = (one for one in self._items if one is not item and one.parent is item.parent)
        reports = runtestprotocol(item, log=False, nextitem=next(those, None))
        return not any(report.failed for report in reports)


def run(
    faults: Iterable[Fault],
    tests: Sequence[str],
    told: Callable[[Outcome], None],
    before: Mapping[str, str],
) -> None:
    """Says what the quick tests see; `before` is which test saw a fault last time, by its name.
    Raises AssertionError when they fail without any fault."""
    trying = OneByOne(faults, told, before)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "-W", "default"]
        pytest.main([*options, *tests], plugins=[trying])
    assert not trying.broken, f"these fail as they are: {trying.broken} {said.getvalue()}"
