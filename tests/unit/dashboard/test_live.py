"""What a page that stays open is sent, without a server."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from worker.dashboard import live


async def region(events: AsyncIterator[str]) -> str:
    """The first rendering that somebody is sent."""
    async for event in events:
        if "event: region" in event:
            return event
    raise AssertionError("nothing was sent")


async def yes() -> bool:
    return True


def test_who_opens_a_page_is_not_sent_what_was_drawn_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "EVERY_S", 0.05)
    regions, now = live.Live(), ["paused"]

    async def look() -> str:
        return await region(regions.events("/live/now", lambda: now[0], yes))

    async def both() -> tuple[str, str]:
        # when somebody looks, resumes, and comes back to the page at once
        first = await look()
        now[0] = "resumed"
        return first, await look()

    # then
    first, second = asyncio.run(both())
    assert ("paused" in first, "resumed" in second, "paused" in second) == (True, True, False)
