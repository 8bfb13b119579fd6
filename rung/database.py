"""The client for programs that reach the database of Rung, and need no dashboard in between.

It needs the server's packages, which come with the same installation; they are loaded when somebody
connects.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, Unpack

from rung.installation import require_own
from rung.lifetimes import AwaitedClient, BlockingClient
from rung.requests import Options, Rows, Turn, VerdictDetails, said
from rung.values import Answered, Handed, ReviewTurn, RunState

ROWS_AT_ONCE = 500


class Server(Protocol):
    """What is asked of `worker.direct.verbs`: documents, as HTTP gives them."""

    def close(self) -> None: ...
    def enqueue(self, rows: Rows, options: Options) -> dict[str, Any]: ...
    def status(self, run: str) -> dict[str, Any]: ...
    def results(self, run: str) -> Iterator[dict[str, Any]]: ...
    def verdict(self, job: str, word: str, details: VerdictDetails) -> None: ...
    def next_review(self, turn: Turn) -> dict[str, Any]: ...
    def leave_review(self, reader: str | None) -> int: ...
    def cancel(self, run: str) -> int: ...


def server_at(database_url: str, config: str | Path | None, name: str) -> Server:
    """Raises CannotReach, and Refused where the configuration cannot be used."""
    require_own()
    environ: Mapping[str, str] = {**os.environ, "DATABASE_URL": database_url}
    if config is not None:
        environ = {**environ, "RUNG_CONFIG": str(config)}
    found: Server = import_module("worker.direct.verbs").Direct(environ, Path.cwd(), name)
    return found


class DatabaseClient(BlockingClient):
    """As `Client`, without a dashboard. Threads may share one."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def close(self) -> None:
        """Closes the connections."""
        self._server.close()

    def enqueue(self, rows: Rows, **options: Unpack[Options]) -> Handed:
        """As `Client.enqueue`; a file may be of any kind that `rung enqueue` takes."""
        return Handed.of(self._server.enqueue(rows, said(options)))

    def status(self, run: str) -> RunState:
        """As `Client.status`."""
        return RunState.of(self._server.status(run))

    def results(self, run: str) -> Iterator[Answered]:
        """As `Client.results`."""
        return map(Answered.of, self._server.results(run))

    def verdict(self, job: int | str, verdict: str, **details: Unpack[VerdictDetails]) -> None:
        """As `Client.verdict`."""
        self._server.verdict(str(job), verdict, details)

    def next_review(self, **turn: Unpack[Turn]) -> ReviewTurn | None:
        """As `Client.next_review`."""
        return ReviewTurn.of(self._server.next_review(turn))

    def leave_review(self, *, reader: str | None = None) -> int:
        """As `Client.leave_review`."""
        return self._server.leave_review(reader)

    def cancel(self, run: str) -> int:
        """As `Client.cancel`."""
        return self._server.cancel(run)


class AsyncDatabaseClient(AwaitedClient):
    """As `DatabaseClient`, each verb to be awaited: what waits for the database, waits in a
    thread."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def close(self) -> None:
        """Closes the connections."""
        await asyncio.to_thread(self._server.close)

    async def enqueue(self, rows: Rows, **options: Unpack[Options]) -> Handed:
        """As `DatabaseClient.enqueue`."""
        return Handed.of(await asyncio.to_thread(self._server.enqueue, rows, said(options)))

    async def status(self, run: str) -> RunState:
        """As `Client.status`."""
        return RunState.of(await asyncio.to_thread(self._server.status, run))

    async def results(self, run: str) -> AsyncIterator[Answered]:
        """As `Client.results`, for `async for`."""
        rows = self._server.results(run)
        while part := await asyncio.to_thread(lambda: list(islice(rows, ROWS_AT_ONCE))):
            for row in part:
                yield Answered.of(row)

    async def verdict(
        self, job: int | str, verdict: str, **details: Unpack[VerdictDetails]
    ) -> None:
        """As `Client.verdict`."""
        await asyncio.to_thread(self._server.verdict, str(job), verdict, details)

    async def next_review(self, **turn: Unpack[Turn]) -> ReviewTurn | None:
        """As `Client.next_review`."""
        return ReviewTurn.of(await asyncio.to_thread(self._server.next_review, turn))

    async def leave_review(self, *, reader: str | None = None) -> int:
        """As `Client.leave_review`."""
        return await asyncio.to_thread(self._server.leave_review, reader)

    async def cancel(self, run: str) -> int:
        """As `Client.cancel`."""
        return await asyncio.to_thread(self._server.cancel, run)


def connect(
    database_url: str, *, config: str | Path | None = None, name: str = "program"
) -> DatabaseClient:
    """A client of the Rung whose Postgres is at `database_url`. Policies, maps and budgets are
    those of `config`, a rung.toml, or of the one that a command would find here. `name` stands in
    the audit. Raises CannotReach, and Refused where the configuration cannot be used."""
    return DatabaseClient(server_at(database_url, config, name))


def connect_async(
    database_url: str, *, config: str | Path | None = None, name: str = "program"
) -> AsyncDatabaseClient:
    """As `connect`, for programs with an event loop."""
    return AsyncDatabaseClient(server_at(database_url, config, name))
