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
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

from sqlalchemy.exc import DBAPIError

from models.vocabulary import ROUTING, Purpose
from worker.claude.client import Claude
from worker.claude.planner import Planner
from worker.claude.prompts import load_prompts
from worker.config.addresses import claude_address, redis_url
from worker.config.current import CurrentSettings
from worker.config.settings import Settings
from worker.config.validators import load_validators
from worker.domain.attempt import Standards
from worker.domain.breaker import BreakerRule
from worker.domain.claimed import Claimed, Prepared, Question
from worker.failpoints import failpoint
from worker.lanes.realtime.caller import Caller
from worker.lanes.realtime.calls import Calls
from worker.lanes.realtime.health import Health
from worker.lanes.realtime.in_hand import InHand
from worker.lanes.realtime.pacer import Pacer
from worker.lanes.realtime.queues import Queue, RoutingQueue
from worker.lanes.realtime.recorder import Recorder, call_row
from worker.lanes.realtime.slots import Slots
from worker.lanes.realtime.unheard import give_back
from worker.lanes.rounds import Rounds
from worker.lookups.desk import LookupDesk
from worker.lookups.preparation import prepare
from worker.store.counted import counted_inputs, keep_counted
from worker.store.engine import is_outage, worker_engine
from worker.store.prompts import store_prompt
from worker.store.queue.claim import ClaimResult
from worker.store.queue.lookup_failures import note_lookups
from worker.store.queue.lookup_recovery import resume_waiting
from worker.store.queue.rate_holds import note_hold
from worker.store.queue.rescue import rescue_from
from worker.store.queue.slices import Slices

log = logging.getLogger(__name__)
STEP_S = 0.02
FLUSH_S = 2.0


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
        self.planner.counted.simulated = claude_address(settings).simulated
        instructions = self.prompts[Purpose.ANSWER].instructions
        self.standards = Standards(
            price=self.planner.price,
            instructions=instructions,
            validators=load_validators(settings),
            jitter=random.random,
            knowledge=self.prompts[Purpose.ANSWER].shown,
        )
        self.stopping = threading.Event()
        self.maybe_ready = threading.Event()
        """Set when something may have become ready, so that housekeeping dispatches at once."""
        self.rounds = Rounds()
        self.in_hand = InHand()
        self.claims = Slices(
            self.engine,
            worker=self.worker_id,
            lease_s=settings.timing.lease_s,
            per_day_usd=settings.budget.per_day_usd,
            classifier=self.planner.classifier,
            canary=settings.canary.enabled,
            price_of=lambda tier: (
                self.planner.model(tier),
                self.planner.price(self.planner.model(tier)),
            ),
        )
        self.desk, self._current = LookupDesk(settings), CurrentSettings(settings)
        self._looked_up_by = settings
        self.pacer = Pacer(settings, redis_url(settings), partial(note_hold, self.engine))
        self.queues: dict[str, Queue] = {
            name: Queue(name, name, self.slots, self.pacer) for name in settings.tiers
        }
        self.queues[ROUTING] = RoutingQueue(ROUTING, settings.routing_tier, self.slots, self.pacer)
        self.calls = Calls(self._make_caller, self.health, self.recorder, self.maybe_ready.set)

    def start(self) -> None:
        """Starts the threads."""
        self.recorder.start()
        self.pacer.start()
        self.calls.start()

    def stop(self) -> None:
        """Records what is in flight, then ends. Tasks have returned before this is called."""
        self.stopping.set()
        self.maybe_ready.set()
        self.recorder.stop(self.settings.timing.stop_timeout_s)
        self.calls.stop()
        self.desk.stop()
        self.pacer.stop()
        self.engine.dispose()

    @property
    def idle(self) -> bool:
        """Whether everything that was brought here is recorded or let go."""
        return not self.calls.groups and not self.in_hand.jobs()

    def give_up(self, grace_s: float) -> None:
        """A cold shutdown: what comes back within `grace_s` seconds is recorded, the leases of the
        rest are given back, and every task returns."""
        self.stopping.set()
        deadline = time.monotonic() + grace_s
        while self.calls.groups and time.monotonic() < deadline:
            time.sleep(STEP_S)
        self.calls.cancel()
        self.recorder.stop(FLUSH_S)
        with suppress(DBAPIError):
            given_back = rescue_from(self.engine, [self.worker_id])
            log.warning("cold shutdown", extra={"given_back": given_back})
        self.calls.groups.let_go()

    def remember_prompts(self) -> None:
        """Stores the prompts in force, so that an old receipt can still be understood; and reads
        what earlier calls have counted for them."""
        with self.engine.begin() as connection:
            for prompt in self.prompts.values():
                store_prompt(connection, prompt.version, prompt.purpose, prompt.text)
            known = counted_inputs(connection, simulated=self.planner.counted.simulated)
        self.planner.counted.remember(known)

    def keep_counted(self) -> None:
        """Keeps what the calls of this process have counted since, for the others and the next."""
        counted, simulated = self.planner.counted.unsaved()
        if counted:
            with self.engine.begin() as connection:
                keep_counted(connection, counted, simulated=simulated)

    def mind_lookups(self) -> None:
        """Looks up by the configuration as it is now; and writes down which look-ups bring
        nothing, for people to see. What waits for one that works again goes on."""
        if (now := self._current.now()) is not self._looked_up_by:
            self._looked_up_by = now
            self.desk.change(now)
        failed, worked = self.desk.news()
        if failed or worked:
            again = note_lookups(self.engine, failed, worked)
            resume_waiting(self.engine, tuple(self.settings.tiers), again)

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

    def work(self, name: str, ids: Sequence[int]) -> None:
        """Works through a chunk; returns when everything that it claimed is recorded. What is
        left unclaimed (paused, claimed elsewhere, out of budget, stopping) is dispatched again."""
        failpoint("after deliver")
        queue, pending, recorded = self.queues[name], deque(ids), list[Future[None]]()
        with self.in_hand.holding(name, pending):
            prepared = self._prepare(name, ids)
            while pending and not self.stopping.is_set():
                recorded.append(self._claim_and_send(queue, pending, prepared))
            for group in recorded:
                group.result()
        failpoint("before ack")

    def _prepare(self, name: str, ids: Sequence[int]) -> dict[int, Prepared]:
        """What look-ups say of a chunk that is to be answered; nothing while Postgres is away."""
        if name == ROUTING:
            return {}
        try:
            return prepare(self.claims, self.desk, ids)
        except DBAPIError as error:
            if not is_outage(error):
                raise
            return {}

    def _claim_and_send(
        self, queue: Queue, pending: deque[int], prepared: Mapping[int, Prepared]
    ) -> Future[None]:
        """As many as there is room for. What may not go yet stays in hand."""
        with queue.turn:
            if self.stopping.is_set():
                return self.calls.send(queue, [], time.monotonic())
            with queue.room(len(pending)) as room:
                ids, claimed_at = [pending.popleft() for _ in range(room.jobs)], time.monotonic()
                if ids:
                    room.taken = self._claim(queue, ids, room.grant.calls, prepared)
            if not ids:
                self.stopping.wait(room.wait_s)
                return self.calls.send(queue, [], claimed_at)
        failpoint("after claim")
        sent = self.calls.send(queue, room.taken.granted, claimed_at)
        pending.extend([*room.taken.held, *room.taken.unasked])
        if room.wait_s:
            with queue.again:
                self.stopping.wait(room.wait_s)
        return sent

    def _claim(
        self, queue: Queue, ids: list[int], may_ask: int, prepared: Mapping[int, Prepared]
    ) -> ClaimResult:
        """The leases of a group; none while Postgres is away. The queue's turn is held, so no other
        thread claims these jobs before it is known whether this one did."""
        try:
            return self.claims.take(queue.name, ids, self.planner, may_ask, prepared)
        except DBAPIError as error:
            if not is_outage(error):
                raise
            log.warning("postgres away, nothing claimed", extra={"queue": queue.name})
            give_back(self.engine, self.worker_id, ids, self.calls.under_way, self.stopping)
            return ClaimResult([], [])
