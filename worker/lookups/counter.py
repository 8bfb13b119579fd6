"""A counter of the desk: one look-up with its thread, its cache and its bounds."""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from worker.config.lookups import LookupSettings
from worker.domain.context import LookedUp
from worker.domain.looked_up import (
    LookupBounds,
    LookupMessage,
    LookupRefused,
    read_records,
)
from worker.lookups.kinds import AddressKind, FunctionKind, Kind, QueryKind
from worker.lookups.reasons import reason_of

MAX_CACHED = 20_000
STOP_WITHIN_S = 1.0
SLACK_S = 0.5
"""Beyond a look-up's own bound, for the way there and back."""
Found = tuple[Mapping[str, Any], ...] | LookupRefused


class LookupCounter:
    """One look-up, its thread, its cache and its bounds."""

    def __init__(self, name: str, settings: LookupSettings, own: Callable[..., Any] | None) -> None:
        self._name, self.settings = name, settings
        self._own = own
        self._bounds = LookupBounds(settings.max_records, settings.max_bytes, settings.match)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._kind: Kind | None = None
        self._slots = asyncio.Semaphore(settings.max_in_flight)
        self._cache: dict[Any, tuple[float, Any]] = {}
        self._busy: Future[None] | None = None
        """Open for as long as what was given up keeps the thread."""

    def begin(self, messages: Sequence[LookupMessage]) -> Callable[[], list[LookedUp]]:
        """Starts asking; the function that comes back waits for the outcome."""
        if self._busy is not None and not self._busy.done():
            return lambda: self._all_failed(messages, "has not come back from an earlier question")
        future = asyncio.run_coroutine_threadsafe(self._ask(messages), self._running())
        bound_s = self._patience_s(len(messages))

        def collect() -> list[LookedUp]:
            try:
                return future.result(bound_s)
            except TimeoutError:
                future.cancel()
                self._busy = asyncio.run_coroutine_threadsafe(_pong(), self._running())
                return self._all_failed(messages, self._late)
            except Exception as error:
                return self._all_failed(messages, reason_of(error, self._late))

        return collect

    def stop(self) -> None:
        """Ends the loop and its connections; a thread that is kept ends when it is let go."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_WITHIN_S)

    @property
    def _late(self) -> str:
        return f"did not answer within {self.settings.timeout_s:g} s"

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
            if self.settings.query is not None:
                self._kind = QueryKind(self.settings)
            elif self.settings.url is not None:
                self._kind = AddressKind(self.settings)
            else:
                assert self._own is not None, "a look-up without a kind has a function"
                self._kind = FunctionKind(self._own, self.settings.options)
        return self._kind

    async def _ask(self, messages: Sequence[LookupMessage]) -> list[LookedUp]:
        kind, now = self._made(), time.monotonic()
        keys = [kind.key(message) for message in messages]
        # Taken now: while the others are asked, another chunk may empty the cache.
        known = {key: kept[1] for key in keys if (kept := self._cache.get(key)) and kept[0] > now}
        missing = {
            key: message for key, message in zip(keys, messages, strict=True) if key not in known
        }
        if missing:
            brought = dict(zip(missing, await self._call(kind, [*missing.values()]), strict=True))
            self._remember(brought, time.monotonic() + self.settings.cache_s)
            known |= brought
        return [
            self._read(known[key], message) for key, message in zip(keys, messages, strict=True)
        ]

    async def _call(self, kind: Kind, messages: Sequence[LookupMessage]) -> Sequence[Any]:
        """An address bounds its requests itself."""
        if self.settings.url is not None:
            return await kind.ask(messages)
        async with self._slots, asyncio.timeout(self.settings.timeout_s):
            return await kind.ask(messages)

    def _remember(self, brought: Mapping[Any, Any], until: float) -> None:
        if len(self._cache) + len(brought) > MAX_CACHED:
            self._cache.clear()
        good = {key: one for key, one in brought.items() if not isinstance(one, Exception)}
        if self.settings.cache_s:
            self._cache |= {key: (until, one) for key, one in good.items()}

    def _read(self, given: Any, message: LookupMessage) -> LookedUp:
        try:
            if isinstance(given, Exception):
                raise given
            return LookedUp(self._name, read_records(given, message, self._bounds))
        except Exception as error:
            return self._failed(reason_of(error, self._late))

    def _all_failed(self, messages: Sequence[LookupMessage], why: str) -> list[LookedUp]:
        return [self._failed(why)] * len(messages)

    def _failed(self, why: str) -> LookedUp:
        return LookedUp(self._name, failed=why)


async def _pong() -> None:
    """Comes back as soon as the loop is free."""
