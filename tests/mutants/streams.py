"""Several processes that try faults side by side, on the same servers, each the next group that
nobody has: first what the quick tests may see, then what has to be forked for."""

import contextlib
import json
import os
import signal
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from tests.mutants import forked, quick
from tests.mutants.areas import QUICK
from tests.mutants.running import Fault, Outcome

NUMBER = struct.Struct("=I")


class Groups:
    """Faults that the same tests see, mostly, handed out to whichever process comes next."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        groups = defaultdict[str, list[Fault]](list)
        for fault in faults:
            groups[fault.group].append(fault)
        self._groups = list(groups.values())
        self._next, writing = os.pipe()
        # So few bytes fit into a pipe that nobody reads yet.
        os.write(writing, b"".join(map(NUMBER.pack, range(len(self._groups)))))
        os.close(writing)

    def __iter__(self) -> Iterator[Fault]:
        while number := os.read(self._next, NUMBER.size):
            yield from self._groups[NUMBER.unpack(number)[0]]

    @property
    def tests(self) -> list[str]:
        """Those of all of them, each once."""
        return list(dict.fromkeys(t for group in self._groups for f in group for t in f.tests))

    def close(self) -> None:
        os.close(self._next)


def run_streams(
    faults: Sequence[Fault],
    before: Mapping[str, str],
    told: Callable[[Outcome], None],
    side_by_side: int,
) -> None:
    """Says what became of each fault, in the order in which they end. Raises ChildProcessError when
    a process ends before its faults do."""
    quick_ones = Groups(fault for fault in faults if fault.take_out is not None)
    others = Groups(fault for fault in faults if fault.take_out is None)
    late = [fault for fault in faults if fault.take_out is not None and fault.tests]
    slow_tests = list(dict.fromkeys((*others.tests, *(t for fault in late for t in fault.tests))))
    reading, writing = os.pipe()
    pids = list[int]()
    try:
        for lane in range(side_by_side):
            if pid := os.fork():
                pids.append(pid)
            else:
                os.close(reading)
                _become_a_stream(lane, quick_ones, others, slow_tests, before, writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as lines:
            for line in lines:
                told(Outcome(**json.loads(line)))
        ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in list(pids)]
        pids.clear()
        if any(ends):
            raise ChildProcessError(f"processes that try faults ended with {ends}")
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        quick_ones.close()
        others.close()


def _become_a_stream(
    lane: int,
    quick_ones: Groups,
    others: Groups,
    slow_tests: Sequence[str],
    before: Mapping[str, str],
    writing: int,
) -> None:
    """Tries groups until none is left, and ends this process."""
    os.environ["PYTEST_XDIST_WORKER"] = f"gw{lane}"
    missed = dict[str, Outcome]()
    of_name = dict[str, Fault]()

    def tell(outcome: Outcome) -> None:
        os.write(writing, (json.dumps(asdict(outcome)) + "\n").encode())

    def tell_quick(outcome: Outcome) -> None:
        if outcome.is_seen or not of_name[outcome.name].tests:
            tell(outcome)
        else:
            missed[outcome.name] = outcome

    def noted() -> Iterator[Fault]:
        for fault in quick_ones:
            of_name[fault.name] = fault
            yield fault

    def slow() -> Iterator[Fault]:
        yield from (of_name[name] for name in missed)
        yield from others

    status = 1
    try:
        if of := list(QUICK):
            quick.run(noted(), of, tell_quick, before)
        if slow_tests:
            forked.run(slow(), slow_tests, tell, before)
        status = 0
    finally:
        os._exit(status)
