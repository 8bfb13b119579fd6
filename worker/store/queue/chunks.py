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

from worker.domain.backlog import BLOCK_ROWS, Record
from worker.store.queue.copy_rows import (
    NOT_ALL_NEW,
    OWN_COLUMNS,
    PackedRows,
    copy_in,
    job_rows,
    numbered,
    packed_rows,
)
from worker.store.queue.intake import COPY_JOBS, COPY_MESSAGES, Added, add_in, reserve
from worker.store.runs import RunRef

LARGE = BLOCK_ROWS // 2
"""Rows of a chunk behind which more are expected."""
STORE_ERRORS = (DBAPIError, *NOT_ALL_NEW)
"""What a chunk that cannot be stored is answered with."""


@dataclass(slots=True, kw_only=True)
class Intake:
    """Adds chunks of records to one run; used by one thread, and closed by it."""

    engine: Engine
    run: RunRef
    again: bool
    first_job: int
    own: dict[str, None] = field(default_factory=dict, init=False)
    """Names of columns that are not ours, in order of appearance; about `OWN_COLUMNS` at most."""
    _expects_new: bool = field(default=True, init=False)
    _behind: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "intake"), init=False
    )
    _open: "Future[Sequence[int]] | None" = field(default=None, init=False)
    _opened: PackedRows = field(default=PackedRows((), (), {}), init=False)
    _ids: Sequence[int] = field(default=(), init=False)
    """Reserved for the next chunk."""
    _done: Added = field(default_factory=Added, init=False)

    def add(self, chunk: PackedRows) -> Added:
        """Stores a chunk; returns what was committed since it was asked last: the chunk before,
        mostly. Raises database errors; then nothing of one of the two was added."""
        if len(self.own) < OWN_COLUMNS:
            self.own |= chunk.own
        begun = _begin_new(self.engine, chunk, self._ids) if self._expects_new else None
        self._ids = ()
        try:
            self._wait()
        except BaseException:
            if begun is not None:
                begun.connection.close()
            raise
        if begun is None:
            self._add_staged(chunk)
        else:
            self._open, self._opened = self._behind.submit(_end_new, begun, self.run), chunk
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
            self._ids = self._open.result()
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
            self._done.accepted += len(self._opened.lines)

    def _told(self) -> Added:
        done, self._done = self._done, Added()
        return done

    def close(self) -> None:
        """Lets go of the second thread; what is open is committed first."""
        self._behind.shutdown()

    def _add_staged(self, chunk: PackedRows) -> None:
        with self.engine.begin() as connection:
            added = add_in(connection, self.run, chunk, self.again, self.first_job)
        self._expects_new = added.accepted == len(chunk.lines)
        self._done.accepted += added.accepted
        self._done.duplicates += added.duplicates
        self._done.rejects += added.rejects


def add_all(
    engine: Engine, run: RunRef, chunks: Iterable[Sequence[Record]], first_job: int
) -> list[str]:
    """Stores chunks into a run, messages of other runs too; all is committed when this returns.
    Returns the names of columns that are not ours. Raises database errors."""
    with closing(Intake(engine=engine, run=run, again=True, first_job=first_job)) as intake:
        for records in chunks:
            if records:
                intake.add(packed_rows(records, None))
        intake.settle()
    return list(intake.own)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A chunk whose messages are stored, and whose transaction is open."""

    connection: Connection
    ids: Sequence[int]


def _begin_new(engine: Engine, chunk: PackedRows, ids: Sequence[int]) -> _Begun | None:
    """Stores the messages of a chunk in which every one is new, under these ids where they are
    enough; None where one is not."""
    rows = len(chunk.lines)
    connection = engine.connect()
    try:
        ids = ids[:rows] if len(ids) >= rows else reserve(connection, rows)
        copy_in(connection, COPY_MESSAGES, numbered(ids, chunk))
    except NOT_ALL_NEW:
        connection.close()
        return None
    except BaseException:
        connection.close()
        raise
    return _Begun(connection, ids)


def _end_new(begun: _Begun, run: RunRef) -> Sequence[int]:
    """Stores the jobs of such a chunk, and commits both. Returns ids for another one, reserved
    while the messages of the one between are stored: nothing has to wait for them."""
    rows = len(begun.ids)
    jobs = job_rows(begun.ids, run.id, run.first_lane, run.priority)
    with begun.connection as connection:
        more = reserve(connection, rows) if rows >= LARGE else ()
        copy_in(connection, COPY_JOBS, jobs)
        connection.commit()
    return more
