"""Whether Postgres answers at all, as the connections of an engine find it.

A server that is frozen, or whose network swallows what is sent, says nothing and closes nothing:
its kernel acknowledges what arrives, and a statement's own time is counted by the server. So who
has waited for `PATIENCE_S` looks by a new connection whether anybody is there. A server that takes
it is busy, and is waited for; one that takes none for `within_s` is given up, whatever it may still
send. A pooler takes connections by itself: behind one, a look asks a question as well. Meanwhile
one at a time tries to reach it, and everybody else is told at once.
"""

import datetime as dt
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from functools import partial
from math import ceil
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq.abc import PGconn

from worker.domain.wording import span
from worker.store.complaints import is_full_by_words

PATIENCE_S, LOOK_S = 2.0, 2
"""For an answer before anybody looks, and for a look at the least (psycopg takes whole seconds)."""
SLOWER = 3
"""So many times as long as before, a connection may take."""
FRESH_S = 1.0
"""What a look has found so long ago is still so."""
QUEUE_S = 8.0
"""A pooler lets whoever asks wait for one of its connections: so much longer is waited behind it,
and for as long as anybody else in this process is answered."""
GRACE_S = 5.0
"""Beyond the time that the server gives a statement: then it does not keep it."""
EVERY_S = 0.1
"""So often who waits has a chance to look at the clock."""
Brought = TypeVar("Brought")


class WatchedConnection(psycopg.Connection[Any]):
    """A connection that waits no longer than `reach` has it."""

    reach: "ServerReach | None" = None

    def wait(
        self, gen: PQGen[Brought], interval: float = EVERY_S, timeout: float | None = None
    ) -> Brought:
        """As psycopg's. Raises OperationalError, with the connection closed, where the server
        is found to be away."""
        if self.reach is not None:
            gen = self.reach.watched(gen, self.pgconn)
        return super().wait(gen, interval, timeout)


class LookingConnection(psycopg.Connection[Any]):
    """A connection whose question is answered within `LOOK_S`, or not at all."""

    def wait(
        self, gen: PQGen[Brought], interval: float = EVERY_S, timeout: float | None = None
    ) -> Brought:
        """As psycopg's. Raises OperationalError."""
        return super().wait(_within(gen, LOOK_S), interval, timeout)


def _within(gen: PQGen[Brought], seconds: float) -> PQGen[Brought]:
    until = time.monotonic() + seconds
    try:
        state = next(gen)
        while True:
            ready = yield state
            if not ready and time.monotonic() > until:
                raise psycopg.OperationalError("nothing has come from it")
            state = gen.send(ready)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


class ServerReach:
    """Threads may share one. `within_s` is for how long a server may answer nothing at all,
    `statement_s` the time that it gives a statement (None: as long as that needs)."""

    def __init__(self, within_s: float, statement_s: float | None) -> None:
        self.pooled: Callable[[], bool] = lambda: False
        """Whether a pooler is known to stand before the server."""
        self.since: dt.datetime | None = None
        """Since when it has not answered; None while it does."""
        self._within_s, self._statement_s = within_s, statement_s
        self._trying, self._looking = threading.Lock(), threading.Lock()
        self._looked_at, self._there = 0.0, True
        self._heard_at = 0.0
        self._took_s: float | None = None
        self._look: Callable[[], psycopg.Connection[Any]] | None = None

    def connect(self, *args: Any, **parameters: Any) -> WatchedConnection:
        """A connection that is watched. Raises OperationalError, at once where the server is away
        and somebody else tries to reach it just now."""
        with self._trial():
            if self.since is not None and self.pooled() and not self._takes_connections():
                # To be let in by a pooler says nothing.
                raise psycopg.OperationalError("nothing has come from it")
            began = time.monotonic()
            hurried = self._hurried() if self.since is not None else {}
            try:
                connection = WatchedConnection.connect(*args, **parameters | hurried)
            except psycopg.OperationalError as error:
                self._note(began if not is_full_by_words(str(error)) else None)
                raise
        self._note(None)
        connection.reach, self._took_s = self, time.monotonic() - began
        looking = {**parameters, **self._hurried(), "autocommit": True}
        self._look = partial(LookingConnection.connect, *args, **looking)
        return connection

    def _hurried(self) -> dict[str, int]:
        """No longer than what it takes where all is well, by far; as the address has it where
        nobody has come through yet."""
        took = self._took_s
        return {} if took is None else {"connect_timeout": max(LOOK_S, ceil(SLOWER * took))}

    @contextmanager
    def _trial(self) -> Generator[None]:
        if self.since is None:
            yield
        elif self._trying.acquire(blocking=False):
            try:
                yield
            finally:
                self._trying.release()
        else:
            raise psycopg.OperationalError("it has not answered others just now")

    def watched(self, gen: PQGen[Brought], line: PGconn) -> PQGen[Brought]:
        """`gen`, and looks for as long as it has nothing to go on with. Raises OperationalError."""
        began = asked = answered = time.monotonic()
        try:
            state = next(gen)
            while True:
                ready = yield state
                if not ready and time.monotonic() - asked >= PATIENCE_S:
                    answered = time.monotonic() if self._is_there() else answered
                    asked, within_s = time.monotonic(), self._within_s
                    if self.pooled():
                        answered, within_s = max(answered, self._heard_at), within_s + QUEUE_S
                    if asked - answered >= within_s or self._too_long(asked - began):
                        line.finish()
                        self._note(answered)
                        waited = span(asked - began)
                        raise psycopg.OperationalError(f"nothing has come from it for {waited}")
                state = gen.send(ready)
        except StopIteration as end:
            self._heard_at = time.monotonic()
            return end.value  # type: ignore[no-any-return]

    def _too_long(self, seconds: float) -> bool:
        return bool(self._statement_s) and seconds > (self._statement_s or 0) + GRACE_S

    def _is_there(self) -> bool:
        """By a look of one's own, or by one that somebody else has just had."""
        with self._looking:
            if time.monotonic() - self._looked_at > FRESH_S:
                self._there = self._takes_connections()
                self._looked_at = time.monotonic()
            return self._there

    def _takes_connections(self) -> bool:
        if self._look is None:
            return True
        try:
            with closing(self._look()) as connection:
                if self.pooled():
                    connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            return is_full_by_words(str(error))
        return True

    def _note(self, away_from: float | None) -> None:
        """That it has not answered since then, on the monotonic clock; None: that it does."""
        if away_from is None:
            self.since = None
        elif self.since is None:
            ago = dt.timedelta(seconds=time.monotonic() - away_from)
            self.since = dt.datetime.now(dt.UTC) - ago
