"""Counters of the desk: a look-up with its cache and its bounds, and its thread."""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from worker.config.lookups import LookupSettings
from worker.domain.context import LookedUp
from worker.domain.looked_up import (
    LookupBounds,
    LookupMessage,
    LookupRefused,
    read_records,
)
from worker.lookups.kinds import AddressKind, FunctionKind, Kind
from worker.lookups.reasons import reason_of

MAX_CACHED = 20_000
STOP_WITHIN_S = 1.0
SLACK_S = 0.5
"""Beyond a look-up's own bound, for the way there and back."""
Found = tuple[Mapping[str, Any], ...] | LookupRefused


class _Known(NamedTuple):
    """What the cache has for the keys of a chunk's messages, and the messages of the others."""

    keys: Sequence[Any]
    known: Mapping[Any, Any]
    missing: Mapping[Any, LookupMessage]


class LookupCounter:
    """What all have: a cache, and bounds of what is shown."""

    def __init__(self, name: str, settings: LookupSettings) -> None:
        self._name, self.settings = name, settings
        self._bounds = LookupBounds(settings.max_records, settings.max_bytes, settings.match)
        self._lock = threading.Lock()
        self._cache: dict[Any, tuple[float, Any]] = {}
        self._busy: Future[None] | None = None
        """Open for as long as what was given up keeps the thread."""

    def begin(self, messages: Sequence[LookupMessage]) -> Callable[[], list[LookedUp]]:
        """Starts asking; the function that comes back waits for the outcome."""
        if self._busy is not None and not self._busy.done():
            return lambda: self._all_failed(messages, "has not come back from an earlier question")
        wait = self._begin(messages)

        def collect() -> list[LookedUp]:
            try:
                return wait()
            except TimeoutError:
                self._busy = self._freed()
                return self._all_failed(messages, self._late)
            except Exception as error:
                return self._all_failed(messages, reason_of(error, self._late))

        return collect

    def stop(self) -> None:
        """Ends threads and connections; a thread that is kept ends when it is let go."""
        raise NotImplementedError

    def _begin(self, messages: Sequence[LookupMessage]) -> Callable[[], list[LookedUp]]:
        """The function raises TimeoutError where nothing came in time."""
        raise NotImplementedError

    def _freed(self) -> Future[None]:
        """Done as soon as somebody can be asked again."""
        raise NotImplementedError

    @property
    def _late(self) -> str:
        return f"did not answer within {self.settings.timeout_s:g} s"

    def _look(self, keys: Sequence[Any], messages: Sequence[LookupMessage]) -> _Known:
        # Taken now: while the others are asked, another chunk may empty the cache.
        now = time.monotonic()
        known = {key: kept[1] for key in keys if (kept := self._cache.get(key)) and kept[0] > now}
        pairs = zip(keys, messages, strict=True)
        return _Known(keys, known, {key: one for key, one in pairs if key not in known})

    def _told(
        self, seen: _Known, brought: Sequence[Any], messages: Sequence[LookupMessage]
    ) -> list[LookedUp]:
        new = dict(zip(seen.missing, brought, strict=True))
        self._remember(new, time.monotonic() + self.settings.cache_s)
        known = {**seen.known, **new}
        return [
            self._read(known[key], message)
            for key, message in zip(seen.keys, messages, strict=True)
        ]

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


class LoopCounter(LookupCounter):
    """A function or an address, with its thread and its loop."""

    def __init__(self, name: str, settings: LookupSettings, own: Callable[..., Any] | None) -> None:
        super().__init__(name, settings)
        self._own = own
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._kind: Kind | None = None
        self._slots = asyncio.Semaphore(settings.max_in_flight)

    def _begin(self, messages: Sequence[LookupMessage]) -> Callable[[], list[LookedUp]]:
        future = asyncio.run_coroutine_threadsafe(self._ask(messages), self._running())
        bound_s = self._patience_s(len(messages))

        def wait() -> list[LookedUp]:
            try:
                return future.result(bound_s)
            except TimeoutError:
                future.cancel()
                raise

        return wait

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

    async def _ask(self, messages: Sequence[LookupMessage]) -> list[LookedUp]:
        kind = self._made()
        seen = self._look([kind.key(message) for message in messages], messages)
        missing = [*seen.missing.values()]
        return self._told(seen, await self._call(kind, missing) if missing else [], messages)

    async def _call(self, kind: Kind, messages: Sequence[LookupMessage]) -> Sequence[Any]:
        """An address bounds its requests itself."""
        if self.settings.url is not None:
            return await kind.ask(messages)
        async with self._slots, asyncio.timeout(self.settings.timeout_s):
            return await kind.ask(messages)


async def _pong() -> None:
    """Comes back as soon as the loop is free."""
