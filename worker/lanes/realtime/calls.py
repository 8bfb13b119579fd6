"""Calls: the event loop of a worker process, in a thread of its own, and the attempts on it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from functools import partial

import uvloop

from worker.domain.claimed import Claimed
from worker.domain.shared_labels import requests_of
from worker.failpoints import failpoint
from worker.lanes.realtime.caller import Caller
from worker.lanes.realtime.groups import Groups
from worker.lanes.realtime.health import Health
from worker.lanes.realtime.queues import Queue
from worker.lanes.realtime.recorder import Recorder


class Calls:
    """Attempts under way. `send` from any thread; the rest is for whoever runs the process."""

    def __init__(
        self,
        make_caller: Callable[[], Awaitable[Caller]],
        health: Health,
        recorder: Recorder,
        recorded: Callable[[], None],
    ) -> None:
        """`make_caller` runs on the loop, which its client is bound to; `recorded` hears of every
        attempt that is recorded."""
        self._make_caller, self._recorded = make_caller, recorded
        self._health, self._recorder = health, recorder
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="calls", daemon=True)
        self._caller: Caller | None = None
        self._attempts = set[asyncio.Task[None]]()
        self.groups = Groups()
        self.under_way = set[tuple[int, int]]()
        """Attempts that were handed over and are not recorded, by job and fence."""

    def start(self) -> None:
        """Starts the loop."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._ready(), self._loop).result()

    async def _ready(self) -> None:
        self._caller = await self._make_caller()

    def stop(self) -> None:
        """Closes the connections to Claude, and ends the loop."""
        if self._caller is not None:
            asyncio.run_coroutine_threadsafe(self._caller.claude.close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def cancel(self) -> None:
        """Lets go of every attempt; returns at once."""
        self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        for task in self._attempts:
            task.cancel()

    def send(self, queue: Queue, group: Sequence[Claimed], claimed_at: float) -> Future[None]:
        """Starts attempts, whose requests hold a slot each; the future resolves when all are
        recorded. One wake-up of the loop and one of the waiting thread serve the whole group."""
        sent, ended = self.groups.begin(len(group))
        if not group:
            return sent
        self.under_way.update(one.attempt for one in group)

        def committed(attempt: tuple[int, int]) -> None:
            self.under_way.discard(attempt)
            self._recorded()
            ended()

        def start() -> None:
            for request in requests_of(group):
                attempt = self._carry_out(queue, request, claimed_at, committed)
                task = self._loop.create_task(attempt)
                self._attempts.add(task)
                task.add_done_callback(self._attempts.discard)

        failpoint("before send")
        self._loop.call_soon_threadsafe(start)
        return sent

    async def _carry_out(
        self,
        queue: Queue,
        request: Sequence[Claimed],
        claimed_at: float,
        committed: Callable[[tuple[int, int]], None],
    ) -> None:
        assert self._caller is not None, "calls are started before anything is sent"
        with queue.under_way(request):
            reports = await self._caller.carry_out(request, claimed_at)
            # One call, however many messages shared it, says one thing of Claude's health.
            self._health.note(queue.name, reports[0])
        for report in reports:
            key = report.job_id, report.fence
            self._recorder.record(report, partial(committed, key))
