"""Files that are read at a time: whatever is uploaded, pages go on."""

import asyncio
import threading
from typing import cast

from starlette.concurrency import run_in_threadpool

from worker.dashboard.context import UPLOADS_AT_ONCE, Dashboard


def test_a_few_files_are_read_at_a_time_and_pages_go_on_meanwhile() -> None:
    # given more files than are read at once, none of which comes to an end before a page was served
    begun, served, lock = threading.Semaphore(0), threading.Event(), threading.Lock()
    reading: list[int] = []
    at_once: list[int] = []

    def read(number: int) -> int:
        with lock:
            reading.append(number)
            at_once.append(len(reading))
        begun.release()
        served.wait(10)
        with lock:
            reading.remove(number)
        return number

    def page() -> None:
        for _ in range(UPLOADS_AT_ONCE):
            assert begun.acquire(timeout=10)
        served.set()

    async def everything() -> list[int]:
        dashboard = cast(Dashboard, Uploading())
        files = (Dashboard.reading(dashboard, read, n) for n in range(3 * UPLOADS_AT_ONCE))
        *found, _ = await asyncio.gather(*files, run_in_threadpool(page))
        return cast(list[int], found)

    # then
    assert asyncio.run(everything()) == list(range(3 * UPLOADS_AT_ONCE))
    assert max(at_once) == UPLOADS_AT_ONCE


class Uploading:
    """As much of a dashboard as reads files."""

    def __init__(self) -> None:
        self.uploads = asyncio.Semaphore(UPLOADS_AT_ONCE)
