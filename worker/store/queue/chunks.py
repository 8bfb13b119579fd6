"""Adds chunks of records to one run, two of them at a time.

While the jobs of a chunk are stored and committed, the messages of the next one are stored already,
by another connection: Postgres works on two cores. One that repeats an id of the chunk before waits
for its commit, and then finds it known; the chunks' jobs are stored in order, one after the other.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from worker.domain.backlog import Record
from worker.store.queue.copy_rows import NOT_ALL_NEW, copy_in, job_rows, message_rows
from worker.store.queue.intake import COPY_JOBS, COPY_MESSAGES, Added, add_in, reserve
from worker.store.runs import RunRef

OWN_COLUMNS = 500
STORE_ERRORS = (DBAPIError, *NOT_ALL_NEW)
"""What a chunk that cannot be stored is answered with."""


@dataclass(slots=True, kw_only=True)
class Intake:
    """Adds chunks of records to one run; used by one thread, and closed by it."""

    engine: Engine
    run: RunRef
    source: str | None
    again: bool
    first_job: int
    own: dict[str, None] = field(default_factory=dict, init=False)
    """Names of columns that are not ours, in order of appearance; at most `OWN_COLUMNS`."""
    _expects_new: bool = field(default=True, init=False)
    _behind: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "intake"), init=False
    )
    _open: "Future[None] | None" = field(default=None, init=False)
    _opened: Sequence[Record] = field(default=(), init=False)
    _done: Added = field(default_factory=Added, init=False)

    def add(self, records: Sequence[Record]) -> Added:
        """Stores a chunk; returns what was committed since it was asked last: the chunk before,
        mostly. Raises database errors; then nothing of one of the two was added."""
        if len(self.own) < OWN_COLUMNS:
            for record in records:
                if record.metadata is not None:
                    self.own |= dict.fromkeys(record.metadata)
        begun = _begin_new(self.engine, records, self.source) if self._expects_new else None
        try:
            self._wait()
        except BaseException:
            if begun is not None:
                begun.connection.close()
            raise
        if begun is None:
            self._add_staged(records)
        else:
            self._open, self._opened = self._behind.submit(_end_new, begun, self.run), records
        return self._told()

    def settle(self) -> Added:
        """Waits until all is committed; returns what was since it was asked last. What is open
        when this is interrupted can be waited for once more."""
        self._wait()
        return self._told()

    def _wait(self) -> None:
        if self._open is None:
            return
        try:
            self._open.result()
        except KeyboardInterrupt:
            raise
        except NOT_ALL_NEW:
            self._open = None
            self._add_staged(self._opened)
        except BaseException:
            self._open = None
            raise
        else:
            self._open = None
            self._done.accepted += len(self._opened)

    def _told(self) -> Added:
        done, self._done = self._done, Added()
        return done

    def close(self) -> None:
        """Lets go of the second thread; what is open is committed first."""
        self._behind.shutdown()

    def _add_staged(self, records: Sequence[Record]) -> None:
        with self.engine.begin() as connection:
            added = add_in(connection, self.run, records, self.source, self.again, self.first_job)
        self._expects_new = added.accepted == len(records)
        self._done.accepted += added.accepted
        self._done.duplicates += added.duplicates
        self._done.rejects += added.rejects


def add_all(
    engine: Engine, run: RunRef, chunks: Iterable[Sequence[Record]], first_job: int
) -> list[str]:
    """Stores chunks into a run, messages of other runs too; all is committed when this returns.
    Returns the names of columns that are not ours. Raises database errors."""
    with closing(
        Intake(engine=engine, run=run, source=None, again=True, first_job=first_job)
    ) as intake:
        for records in chunks:
            intake.add(records)
        intake.settle()
    return list(intake.own)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A chunk whose messages are stored, and whose transaction is open."""

    connection: Connection
    ids: Sequence[int]


def _begin_new(engine: Engine, records: Sequence[Record], source: str | None) -> _Begun | None:
    """Stores the messages of a chunk in which every one is new; None where one is not."""
    connection = engine.connect()
    try:
        ids = reserve(connection, len(records))
        copy_in(connection, COPY_MESSAGES, message_rows(ids, records, source))
    except NOT_ALL_NEW:
        connection.close()
        return None
    except BaseException:
        connection.close()
        raise
    return _Begun(connection, ids)


def _end_new(begun: _Begun, run: RunRef) -> None:
    """Stores the jobs of such a chunk, and commits both."""
    rows = job_rows(begun.ids, run.id, run.first_lane, run.priority)
    with begun.connection as connection:
        copy_in(connection, COPY_JOBS, rows)
        connection.commit()
