"""What every client does in one way: it is closed, and it waits for runs. Two kinds, for programs
with an event loop and for those without."""

import asyncio
import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from rung.errors import CannotReach, StillRunning
from rung.values import RunState

POLL_S = 2.0
PATIENCE_S, LONGEST_PAUSE_S = 300.0, 60.0
"""For a server that was there and does not answer: a dashboard is started again, a line is cut."""


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
        `timeout_s`: the run goes on. A server that is gone is asked for five minutes; one that was
        never there raises CannotReach at once."""
        waiting = _Waiting(run, timeout_s, poll_s)
        while True:
            try:
                state = self.status(run)
            except CannotReach as error:
                time.sleep(waiting.after(error))
                continue
            if state.over:
                return state
            time.sleep(waiting.at(state))


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
        waiting = _Waiting(run, timeout_s, poll_s)
        while True:
            try:
                state = await self.status(run)
            except CannotReach as error:
                await asyncio.sleep(waiting.after(error))
                continue
            if state.over:
                return state
            await asyncio.sleep(waiting.at(state))


class _Waiting:
    """How long to sleep between two looks at a run, and when to give up."""

    def __init__(self, run: str, timeout_s: float | None, poll_s: float) -> None:
        self._run, self._poll_s = run, poll_s
        self._deadline = time.monotonic() + timeout_s if timeout_s is not None else None
        self._last: RunState | None = None
        self._seen = time.monotonic()

    def at(self, state: RunState) -> float:
        """Seconds. Raises StillRunning when another look would come too late."""
        self._last, self._seen = state, time.monotonic()
        self._require_time(state, self._poll_s)
        return self._poll_s

    def after(self, error: CannotReach) -> float:
        """Seconds. Raises the error where nobody ever answered, or not for as long as that."""
        pause = min(max(self._poll_s, error.retry_after_s or 0), LONGEST_PAUSE_S)
        if self._last is None or time.monotonic() + pause > self._seen + PATIENCE_S:
            raise error
        self._require_time(self._last, pause)
        return pause

    def _require_time(self, state: RunState, pause_s: float) -> None:
        if self._deadline is not None and time.monotonic() + pause_s > self._deadline:
            raise StillRunning(f"{self._run}: {state.ended} of {state.total} done")
