"""The frozen policies of runs, parsed once in each process: a run's policy never changes."""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from worker.domain.policy import Policy, from_document


class PolicyCache:
    """`{run id: (policy, version)}`, read through. Small: a run's entry is a few kilobytes."""

    MAX_RUNS = 500

    def __init__(self) -> None:
        self._known: dict[int, tuple[Policy, str]] = {}

    def of(self, connection: Connection, runs: Iterable[int]) -> dict[int, tuple[Policy, str]]:
        """The policies of `runs`."""
        wanted = set(runs)
        missing = [run for run in wanted if run not in self._known]
        if missing:
            if len(self._known) > self.MAX_RUNS:
                self._known = {run: self._known[run] for run in wanted if run in self._known}
            for row in connection.execute(READ, {"ids": missing}):
                self._known[row.id] = (from_document(row.policy), row.policy_version)
        return {run: self._known[run] for run in wanted}


READ = text("SELECT id, policy, policy_version FROM runs WHERE id = ANY(:ids)")
