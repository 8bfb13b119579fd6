"""The counter of a function or an address: asked on a loop of its own, in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from worker.config.lookups import LookupSettings
from worker.domain.context import LookedUp
from worker.domain.looked_up import LookupMessage
from worker.lookups.counter import SLACK_S, LookupCounter, PendingLookup
from worker.lookups.kinds import AddressKind, FunctionKind, Kind

STOP_WITHIN_S = 1.0


class LoopCounter(LookupCounter):
    """A function or an address, with its thread and its loop."""

    def __init__(self, name: str, settings: LookupSettings, own: Callable[..., Any] | None) -> None:
        super().__init__(name, settings)
        self._own = own
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._kind: Kind | None = None
        self._slots = asyncio.Semaphore(settings.max_in_flight)

    def _begin(self, messages: Sequence[LookupMessage]) -> PendingLookup:
        asked = threading.Event()
        future = asyncio.run_coroutine_threadsafe(self._ask(messages, asked), self._running())
        wait = partial(future.result, self._patience_s(len(messages)))
        return PendingLookup(future, wait, asked.is_set)

    def _freed(self) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(_pong(), self._running())

    def stop(self) -> None:
        """Ends the loop and its connections; a thread that is kept ends when it is let go."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_WITHIN_S)

    def _patience_s(self, messages: int) -> float:
        """Waiting for a turn may take as long as the call; an address is asked several times."""
        rounds = 2.0
        if self.settings.url is not None:
            rounds += messages / self.settings.max_in_flight
        return rounds * self.settings.timeout_s + SLACK_S

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._serve, args=(self._loop,), name=f"look-up {self._name}",
                    daemon=True,
                )  # fmt: skip
                self._thread.start()
            return self._loop

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.run_forever()
        with self._lock:
            # Who is asked after this is asked in another: a function can stop its loop itself.
            self._loop, kind, self._kind = None, self._kind, None
            self._slots = asyncio.Semaphore(self.settings.max_in_flight)
        loop.run_until_complete(self._close(asyncio.all_tasks(loop), kind))
        loop.close()

    async def _close(self, tasks: Collection[asyncio.Task[Any]], kind: Kind | None) -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_WITHIN_S)
        await asyncio.get_running_loop().shutdown_default_executor()
        if kind is not None:
            await kind.close()

    def _made(self) -> Kind:
        """On the loop, which an address's client is bound to."""
        if self._kind is None:
            if self.settings.url is not None:
                self._kind = AddressKind(self.settings)
            else:
                assert self._own is not None, "a look-up without a kind has a function"
                self._kind = FunctionKind(self._own, self.settings.options)
        return self._kind

    async def _ask(
        self, messages: Sequence[LookupMessage], asked: threading.Event
    ) -> list[LookedUp]:
        """`asked` is set as soon as nobody else's calls are waited for."""
        kind = self._made()
        seen = self._look(kind.key, messages)
        found = await self._call(kind, seen.missing, asked) if seen.missing else []
        return self._told(seen, found, messages)

    async def _call(
        self, kind: Kind, missing: Mapping[Any, LookupMessage], asked: threading.Event
    ) -> Sequence[Any]:
        """An address bounds its requests itself."""
        if self.settings.url is not None:
            asked.set()
            return await kind.ask(missing)
        async with self._slots:
            asked.set()
            async with asyncio.timeout(self.settings.timeout_s):
                return await kind.ask(missing)


async def _pong() -> None:
    """Comes back as soon as the loop is free."""
