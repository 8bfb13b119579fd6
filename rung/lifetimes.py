"""What every client does in one way: it is closed, and it waits for runs. Two kinds, for programs
with an event loop and for those without."""

import asyncio
import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from rung.errors import StillRunning
from rung.values import RunState

POLL_S = 2.0


class BlockingClient(ABC):
    """Waits in the caller's thread."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Closes the connections."""

    @abstractmethod
    def status(self, run: str) -> RunState:
        """How a run stands now."""

    def wait(self, run: str, *, timeout_s: float | None = None, poll_s: float = POLL_S) -> RunState:
        """Waits until the run is over, asking every `poll_s` seconds. Raises StillRunning after
        `timeout_s`: the run goes on."""
        deadline = deadline_of(timeout_s)
        while not (state := self.status(run)).over:
            require_time(run, state, deadline, poll_s)
            time.sleep(poll_s)
        return state


class AwaitedClient(ABC):
    """As `BlockingClient`, each verb to be awaited."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        await self.close()

    @abstractmethod
    async def close(self) -> None:
        """Closes the connections."""

    @abstractmethod
    async def status(self, run: str) -> RunState:
        """As `BlockingClient.status`."""

    async def wait(
        self, run: str, *, timeout_s: float | None = None, poll_s: float = POLL_S
    ) -> RunState:
        """As `BlockingClient.wait`."""
        deadline = deadline_of(timeout_s)
        while not (state := await self.status(run)).over:
            require_time(run, state, deadline, poll_s)
            await asyncio.sleep(poll_s)
        return state


def deadline_of(timeout_s: float | None) -> float | None:
    """Monotonic seconds."""
    return time.monotonic() + timeout_s if timeout_s is not None else None


def require_time(run: str, state: RunState, deadline: float | None, poll_s: float) -> None:
    """Raises StillRunning when another look would come too late."""
    if deadline is not None and time.monotonic() + poll_s > deadline:
        raise StillRunning(f"{run}: {state.ended} of {state.total} done")
