"""Runs: found by name, number or key, and what each was made from."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from models.vocabulary import INQUIRIES, Lane, RunLane
from worker.domain.text import whole_number
from worker.errors import Missing
from worker.store.rows import columns, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run as it is stored; `policy` is the one that it froze."""

    id: int
    name: str
    state: str
    policy: Mapping[str, Any]
    policy_name: str
    policy_version: str
    lane: str
    priority: int
    prompts: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """What a run was made from, and how many jobs it has."""

    kind: str
    selection: Mapping[str, Any] | None
    jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRef:
    """A run as other statements need it."""

    id: int
    name: str
    lane: str
    priority: int

    @property
    def first_lane(self) -> str:
        """The lane of its new jobs: those of a mixed run start in realtime."""
        return Lane.REALTIME if self.lane == RunLane.MIXED else self.lane


def run_with_key(connection: Connection, key: str) -> RunRef | None:
    """The run that was made with this key."""
    row = connection.execute(BY_KEY, {"key": key}).mappings().one_or_none()
    return RunRef(**row) if row is not None else None


def origin_of(connection: Connection, run: RunRef) -> RunOrigin:
    """What a run was made from."""
    (found,) = values_of(RunOrigin, connection.execute(ORIGIN, {"run": run.id}))
    return found


def find_run(connection: Connection, wanted: str) -> StoredRun:
    """The run with this name or number. Raises UsageError with close matches."""
    found = values_of(StoredRun, connection.execute(BY_NAME, {"name": wanted}))
    if not found and (number := whole_number(wanted)) is not None:
        found = values_of(StoredRun, connection.execute(BY_ID, {"id": number}))
    if found:
        return found[0]
    close = difflib.get_close_matches(wanted, recent_names(connection), n=3)
    hint = f" Did you mean {', '.join(close)}?" if close else ""
    raise Missing(f"There is no run called {wanted!r}.{hint}", mend="rung runs")


def recent_names(connection: Connection) -> list[str]:
    """Names of the newest runs, newest first."""
    return list(connection.execute(RECENT_NAMES).scalars())


def recent_answering(connection: Connection, limit: int) -> list[str]:
    """As `recent_names`, of runs that answered somebody: none that only asked to know more."""
    values = {"asking": list(INQUIRIES), "limit": limit}
    return list(connection.execute(RECENT_ANSWERING, values).scalars())


BY_KEY = text("SELECT id, name, lane, priority FROM runs WHERE key = :key")
BY_NAME = text(f"SELECT {columns(StoredRun)} FROM runs WHERE name = :name")  # noqa: S608
BY_ID = text(f"SELECT {columns(StoredRun)} FROM runs WHERE id = :id")  # noqa: S608
RECENT_NAMES = text("SELECT name FROM runs ORDER BY id DESC LIMIT 200")
RECENT_ANSWERING = text("""
SELECT name FROM runs WHERE kind <> ALL(:asking) ORDER BY id DESC LIMIT :limit
""")
ORIGIN = text("""
SELECT kind, selection,
  (SELECT coalesce(sum(jobs), 0) FROM run_counts WHERE run_id = :run)::bigint AS jobs
FROM runs WHERE id = :run
""")
