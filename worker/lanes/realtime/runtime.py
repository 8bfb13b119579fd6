"""A worker process: one event loop, a few threads that claim, one that records.

A task's thread works through its chunk: take slots, claim, send, and wait until everything is
recorded. Slots come first, so what is claimed is sent at once, and a crash can waste at most the
calls in flight.
"""

import asyncio
import logging
import os
import random
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

import uvloop
from sqlalchemy.exc import DBAPIError

from models.vocabulary import ROUTING, Purpose, Stage
from worker.claude.client import Claude
from worker.claude.planner import Planner
from worker.claude.prompts import load_prompts
from worker.config.addresses import redis_url
from worker.config.settings import Settings
from worker.config.validators import load_validators
from worker.domain.attempt import Standards
from worker.domain.breaker import BreakerRule
from worker.domain.claimed import Claimed, Question
from worker.domain.limits import Grant
from worker.domain.shared_labels import requests_of
from worker.failpoints import failpoint
from worker.lanes.realtime.caller import Caller
from worker.lanes.realtime.deliveries import Deliveries
from worker.lanes.realtime.groups import Groups
from worker.lanes.realtime.health import Health
from worker.lanes.realtime.pacer import Pacer
from worker.lanes.realtime.recorder import Recorder, call_row
from worker.lanes.realtime.slots import Slots
from worker.store.engine import is_outage, worker_engine
from worker.store.prompts import store_prompt
from worker.store.queue.claim import Taken
from worker.store.queue.rate_holds import note_hold
from worker.store.queue.rescue import rescue_from
from worker.store.queue.slices import Slices

log = logging.getLogger(__name__)
SLOT_WAIT_S = 1.0
OUTAGE_WAIT_S = 1.0
HELD_WAIT_S = 0.1
STEP_S = 0.02
FLUSH_S = 2.0
LIMIT_WAIT_S = 0.25
"""Shorter than the burst that the limiter saves up, so that a late wake-up loses nothing."""


class Runtime:
    """What the tasks of one process share. Call `start` before, and `stop` after."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.worker_id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.engine = worker_engine(settings)
        self.slots = Slots({name: tier.max_in_flight for name, tier in settings.tiers.items()})
        self.health = Health(self.engine, BreakerRule(**settings.breaker.model_dump()))
        # Told first: once a probe's lease is gone, the next may go, and the breaker must know.
        self.recorder = Recorder(self.engine, before=self.health.tell)
        self.prompts = load_prompts(settings.prompts.dir)
        self.planner = Planner.of(settings, self.prompts)
        instructions = self.prompts[Purpose.ANSWER].instructions
        self.standards = Standards(
            price=self.planner.price,
            instructions=instructions,
            validators=load_validators(settings),
            jitter=random.random,
        )
        self.stopping = threading.Event()
        self.news = threading.Event()
        """Set when something may have become ready, so that housekeeping dispatches at once."""
        self.deliveries = Deliveries()
        self.claims = Slices(
            self.engine,
            worker=self.worker_id,
            lease_s=settings.timing.lease_s,
            per_day_usd=settings.budget.per_day_usd,
            classifier=self.planner.classifier,
            canary=settings.canary.enabled,
        )
        self.pacer = Pacer(settings, redis_url(settings), partial(note_hold, self.engine))
        queues = (ROUTING, *settings.tiers)
        self._claiming = {queue: threading.Lock() for queue in queues}
        self._held = {queue: threading.Lock() for queue in queues}
        self._routing_asks = True
        self._loop = uvloop.new_event_loop()
        self._loop_thread = threading.Thread(
            target=self._loop.run_forever, name="calls", daemon=True
        )
        self._caller: Caller | None = None
        self._attempts = set[asyncio.Task[None]]()
        self._groups = Groups()

    def start(self) -> None:
        """Starts the threads."""
        self._loop_thread.start()
        self.recorder.start()
        self.pacer.start()
        self._caller = asyncio.run_coroutine_threadsafe(self._make_caller(), self._loop).result()

    def stop(self) -> None:
        """Records what is in flight, then ends. Tasks have returned before this is called."""
        self.stopping.set()
        self.news.set()
        self.recorder.stop(self.settings.timing.stop_timeout_s)
        if self._caller is not None:
            asyncio.run_coroutine_threadsafe(self._caller.claude.close(), self._loop).result(5)
        self.pacer.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._loop_thread.join(5)
        self._loop.close()
        self.engine.dispose()

    def give_up(self, grace_s: float) -> None:
        """A cold shutdown: what comes back within `grace_s` seconds is recorded, the leases of the
        rest are given back, and every task returns."""
        self.stopping.set()
        deadline = time.monotonic() + grace_s
        while self._groups and time.monotonic() < deadline:
            time.sleep(STEP_S)
        self._loop.call_soon_threadsafe(self._cancel_attempts)
        self.recorder.stop(FLUSH_S)
        with suppress(DBAPIError):
            given_back = rescue_from(self.engine, [self.worker_id])
            log.warning("cold shutdown", extra={"given_back": given_back})
        self._groups.let_go()

    def _cancel_attempts(self) -> None:
        for task in self._attempts:
            task.cancel()

    def remember_prompts(self) -> None:
        """Stores the prompts in force, so that an old receipt can still be understood."""
        with self.engine.begin() as connection:
            for prompt in self.prompts.values():
                store_prompt(connection, prompt.version, prompt.purpose, prompt.text)

    async def _make_caller(self) -> Caller:
        timing = self.settings.timing
        return Caller(
            claude=Claude.of(self.settings),
            planner=self.planner,
            standards=self.standards,
            open_call=self._open_call,
            ended=self.pacer.ended,
            lease_s=timing.lease_s,
            deadline_s=timing.call_deadline_s,
        )

    async def _open_call(self, claimed: Claimed, question: Question) -> None:
        row = call_row(claimed.candidate, question)
        await asyncio.wrap_future(self.recorder.open_call(row))

    def work(self, queue: str, ids: Sequence[int]) -> None:
        """Works through a chunk; returns when everything that it claimed is recorded. What is
        left unclaimed (paused, claimed elsewhere, out of budget, stopping) is dispatched again."""
        failpoint("after deliver")
        tier = self.settings.routing_tier if queue == ROUTING else queue
        pending, recorded = deque(ids), list[Future[None]]()
        with self.deliveries.holding(queue, pending):
            while pending and not self.stopping.is_set():
                recorded.append(self._claim_some(queue, tier, pending))
            for group in recorded:
                group.result()
        failpoint("before ack")

    def _claim_some(self, queue: str, tier: str, pending: deque[int]) -> Future[None]:
        """Claims as many as there are free slots and room in the rate limits for, and sends them.
        One thread a queue at a time: while it claims, more slots come free, and the next claim is
        larger. Routing claims by slots alone, for much of it asks nothing; what would ask, and may
        not yet, stays in hand."""
        purpose = Purpose.CLASSIFY if queue == ROUTING else Purpose.ANSWER
        with self._claiming[queue]:
            slots = self.slots.take(tier, len(pending), SLOT_WAIT_S)
            grant = self._room(queue, tier, purpose, slots)
            many = slots if queue == ROUTING else grant.calls
            self.slots.give_back(tier, slots - many)
            if not many:
                self.stopping.wait(min(grant.retry_in_s, LIMIT_WAIT_S))
                return self._send([], tier, 0)
            claimed_at = time.monotonic()
            ids = [pending.popleft() for _ in range(many)]
            taken, asking = Taken([], []), 0
            try:
                taken = self._claim(queue, tier, ids, grant.calls)
            finally:
                requests = requests_of(taken.granted)
                asking = sum(_asks(group[0], purpose) for group in requests)
                self.pacer.give_back(tier, purpose, grant.calls - asking)
            if queue == ROUTING:
                self._routing_asks = bool(asking or taken.unasked)
        failpoint("after claim")
        sent = self._send(taken.granted, tier, claimed_at)
        pending.extend([*taken.held, *taken.unasked])
        if taken.held:
            self._wait_for_turn(queue, HELD_WAIT_S)
        elif taken.unasked:
            self._wait_for_turn(queue, min(grant.retry_in_s, LIMIT_WAIT_S))
        return sent

    def _room(self, queue: str, tier: str, purpose: Purpose, slots: int) -> Grant:
        """What the rate limits allow. Routing that asked nothing the last time tries that again,
        so that a policy which needs no labels neither waits for the limits nor weighs on them."""
        if not slots or (queue == ROUTING and not self._routing_asks):
            return Grant(0, 0, None)
        return self.pacer.take(tier, purpose, slots)

    def _wait_for_turn(self, queue: str, seconds: float) -> None:
        """What is held is asked for again in a moment; the queue's threads take turns, so that
        however many hold chunks, Postgres is asked at the same rate."""
        with self._held[queue]:
            self.stopping.wait(seconds)

    def _claim(self, queue: str, tier: str, ids: list[int], may_ask: int) -> Taken:
        """The leases of a group; none while Postgres is away. Slots of the others are freed."""
        try:
            taken = self.claims.take(queue, ids, self.planner, may_ask)
        except DBAPIError as error:
            self.slots.give_back(tier, len(ids))
            if not is_outage(error):
                raise
            log.warning("postgres away, nothing claimed", extra={"queue": queue})
            self.stopping.wait(OUTAGE_WAIT_S)
            return Taken([], [])
        self.slots.give_back(tier, len(ids) - len(taken.granted))
        return taken

    def _send(self, group: Sequence[Claimed], tier: str, claimed_at: float) -> Future[None]:
        """Starts attempts on the loop; the future resolves when all of them are recorded. One
        wake-up of the loop and one of the waiting thread serve the whole group."""
        sent, recorded = self._groups.begin(len(group))
        if not group:
            return sent

        def committed() -> None:
            self.news.set()
            recorded()

        def start() -> None:
            for request in requests_of(group):
                task = self._loop.create_task(self._carry_out(request, tier, claimed_at, committed))
                self._attempts.add(task)
                task.add_done_callback(self._attempts.discard)

        failpoint("before send")
        self._loop.call_soon_threadsafe(start)
        return sent

    async def _carry_out(
        self,
        request: Sequence[Claimed],
        tier: str,
        claimed_at: float,
        committed: Callable[[], None],
    ) -> None:
        assert self._caller is not None, "a runtime is started before it works"
        routing = request[0].candidate.stage is Stage.ROUTE
        reports = await self._caller.carry_out(request, claimed_at)
        # One call, however many messages shared it, says one thing of Claude's health.
        self.health.note(ROUTING if routing else tier, reports[0])
        for report in reports:
            self.slots.give_back(tier)
            self.recorder.record(report, committed)


def _asks(claimed: Claimed, purpose: Purpose) -> bool:
    return claimed.question is not None and claimed.question.purpose is purpose
