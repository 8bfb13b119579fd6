"""Counters of the desk: a look-up with its cache and its bounds."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from worker.config.lookups import LookupSettings
from worker.domain.context import LookedUp
from worker.domain.looked_up import (
    LookupBounds,
    LookupMessage,
    LookupRefused,
    RowRefused,
    read_records,
)
from worker.domain.wording import plural
from worker.lookups.reasons import is_of_the_row, reason_of

MAX_CACHED = 20_000
SLACK_S = 0.5
"""Beyond a look-up's own bound, for the way there and back."""
NOTHING_KNOWN = "nothing is known"
Found = tuple[Mapping[str, Any], ...] | LookupRefused


class PendingLookup(NamedTuple):
    """What was begun. `wait` raises TimeoutError where nothing came in time; `began` says whether
    others were done by then, so that anybody was asked."""

    future: Future[list[LookedUp]]
    wait: Callable[[], list[LookedUp]]
    began: Callable[[], bool]


class _Known(NamedTuple):
    """What the cache has for the keys of a chunk's messages, and the messages of the others. In
    place of a key that cannot be made stands why."""

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
        pending = self._begin(messages)

        def collect() -> list[LookedUp]:
            try:
                return pending.wait()
            except TimeoutError:
                pending.future.cancel()
                self._busy = self._freed()
                return self._all_failed(messages, self._late if pending.began() else self._full)
            except Exception as error:
                return self._all_failed(messages, reason_of(error, self._late))

        return collect

    def stop(self) -> None:
        """Ends threads and connections; a thread that is kept ends when it is let go."""
        raise NotImplementedError

    def _begin(self, messages: Sequence[LookupMessage]) -> PendingLookup:
        raise NotImplementedError

    def _freed(self) -> Future[None]:
        """Done as soon as somebody can be asked again."""
        raise NotImplementedError

    @property
    def _full(self) -> str:
        calls = plural(self.settings.max_in_flight, "call")
        return f"was not asked, for it had {calls} under way, which is max_in_flight"

    @property
    def _late(self) -> str:
        return f"did not answer within {self.settings.timeout_s:g} s"

    def _look(
        self, key_of: Callable[[LookupMessage], Any], messages: Sequence[LookupMessage]
    ) -> _Known:
        """Messages of one key are found the same; `key_of` may raise RowRefused."""
        keys = [_key_or_why(key_of, one) for one in messages]
        # Taken now: while the others are asked, another chunk may empty the cache.
        now = time.monotonic()
        known = {key: kept[1] for key in keys if (kept := self._cache.get(key)) and kept[0] > now}
        pairs = zip(keys, messages, strict=True)
        missing = {
            key: one for key, one in pairs if key not in known and not isinstance(key, RowRefused)
        }
        return _Known(keys, known, missing)

    def _told(
        self, seen: _Known, brought: Sequence[Any], messages: Sequence[LookupMessage]
    ) -> list[LookedUp]:
        new = dict(zip(seen.missing, brought, strict=True))
        self._remember(new, time.monotonic() + self.settings.cache_s)
        known = {**seen.known, **new}
        return [
            self._read(known.get(key, key), message, cached=key in seen.known)
            for key, message in zip(seen.keys, messages, strict=True)
        ]

    def _remember(self, brought: Mapping[Any, Any], until: float) -> None:
        if len(self._cache) + len(brought) > MAX_CACHED:
            self._cache.clear()
        good = {key: one for key, one in brought.items() if not isinstance(one, Exception)}
        if self.settings.cache_s:
            self._cache |= {key: (until, one) for key, one in good.items()}

    def _read(self, given: Any, message: LookupMessage, *, cached: bool) -> LookedUp:
        try:
            if isinstance(given, Exception):
                raise given
            records = read_records(given, message, self._bounds)
        except Exception as error:
            why, for_good = reason_of(error, self._late), is_of_the_row(error)
            return LookedUp(name=self._name, failed=why, for_good=for_good)
        if records:
            return LookedUp(name=self._name, records=records)
        return LookedUp(name=self._name, nothing=self._nothing(message, cached=cached))

    def _nothing(self, message: LookupMessage, *, cached: bool) -> str:
        """Why there are no records, by the names of columns alone."""
        names = dict.fromkeys((*self.settings.columns, *self.settings.match))
        lacks = [name for name in names if message.value(name) in (None, "")]
        if lacks:
            return f"knows nothing, for the row has no {' and no '.join(lacks)}"
        if cached:
            return f"had answered less than {self.settings.cache_s:g} s before: {NOTHING_KNOWN}"
        return f"answered: {NOTHING_KNOWN}"

    def _all_failed(self, messages: Sequence[LookupMessage], why: str) -> list[LookedUp]:
        return [LookedUp(name=self._name, failed=why)] * len(messages)


def _key_or_why(key_of: Callable[[LookupMessage], Any], message: LookupMessage) -> Any:
    try:
        return key_of(message)
    except RowRefused as error:
        return error
