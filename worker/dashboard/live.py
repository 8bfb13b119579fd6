"""Server-sent events: each region of a page is rendered once for all who look at it."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

EVERY_S = 1.0
"""A region is rendered at most so often, however many people look."""
KEEP_ALIVE_S = 3.0
"""A sign of life, which says that the record has answered: without it a page is not live."""
FORGET_AFTER_S = 60.0
RECHECK_S = 30.0
"""So long a viewer who has signed out elsewhere, or whose time is up, may still be shown more."""


@dataclass(slots=True, kw_only=True)
class Region:
    """The last rendering of one address, and when that began."""

    html: str = ""
    digest: str = ""
    at: float = -EVERY_S
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Live:
    """Regions by address. Used from the event loop; rendering happens in a thread."""

    def __init__(self, recheck_s: float = RECHECK_S) -> None:
        self._regions: dict[str, Region] = {}
        self.closing, self.recheck_s = asyncio.Event(), recheck_s

    async def events(
        self, address: str, render: Callable[[], str], may_look: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[str]:
        """What a viewer is sent: the region whenever it has changed, and a sign of life; nothing
        any more once they may not look."""
        seen, last = "", time.monotonic()
        checked = joined = last
        yield "retry: 2000\n\n"
        while not self.closing.is_set():
            now = time.monotonic()
            if now - checked >= self.recheck_s:
                if not await may_look():
                    return
                checked = now
            region = await self._fresh(address, render)
            now = time.monotonic()
            # What was rendered before a page was opened is older than that page itself.
            if region.digest != seen and region.at >= joined:
                seen, last = region.digest, now
                yield f"event: region\ndata: {json.dumps(region.html)}\n\n"
            elif now - last > KEEP_ALIVE_S:
                last = now
                yield "event: alive\ndata: 1\n\n"
            try:
                await asyncio.wait_for(self.closing.wait(), EVERY_S)
            except TimeoutError:
                continue

    async def _fresh(self, address: str, render: Callable[[], str]) -> Region:
        region = self._regions.setdefault(address, Region())
        async with region.lock:
            if time.monotonic() - region.at >= EVERY_S * 0.9:
                began = time.monotonic()
                region.html = await run_in_threadpool(render)
                region.digest = hashlib.sha256(region.html.encode()).hexdigest()
                region.at = began
                self._forget(began)
        return region

    def _forget(self, now: float) -> None:
        for address, region in list(self._regions.items()):
            if now - region.at > FORGET_AFTER_S and not region.lock.locked():
                del self._regions[address]
