"""Queues as a worker process works them off: whose slots and rate limits each uses, and the room
that a claim has in them.

What one holds one gives back by leaving the block, on errors too: of a room what was not used, of
attempts under way their slots.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from models.vocabulary import Purpose
from worker.domain.claimed import Claimed
from worker.domain.limits import Grant
from worker.domain.shared_labels import requests_of
from worker.lanes.realtime.pacer import Outgoing, Pacer
from worker.lanes.realtime.slots import GATHER_S, Slots, gather_s
from worker.store.queue.claim import ClaimResult

SLOT_WAIT_S = 1.0
HELD_WAIT_S = 0.1
LIMIT_WAIT_S = 0.25
"""Shorter than the burst that the limiter saves up, so that a late wake-up loses nothing."""
NO_GRANT = Grant(calls=0, retry_in_s=0, reason=None)


@dataclass(slots=True, kw_only=True)
class Room:
    """What a claim may take: `jobs`, and calls as granted. `taken` is what it took."""

    purpose: Purpose
    slots: int
    jobs: int = 0
    grant: Grant = NO_GRANT
    taken: ClaimResult = field(default_factory=lambda: ClaimResult([], []))

    @property
    def asking(self) -> list[Outgoing]:
        """Calls of those granted that are made now."""
        requests = requests_of(self.taken.granted)
        firsts = ((request, request[0].question) for request in requests)
        return [
            Outgoing(request[0].attempt, sum(one.question.said for one in request if one.question))
            for request, question in firsts
            if question is not None and question.purpose is self.purpose
        ]

    @property
    def used(self) -> int:
        """Slots that are kept: one for each request that is sent now."""
        return sum(map(slots_of, requests_of(self.taken.granted)))

    @property
    def wait_s(self) -> float:
        """How long to wait before asking again for what could not be had."""
        if self.taken.held:
            return HELD_WAIT_S
        full = not self.jobs or self.taken.unasked
        return min(self.grant.retry_in_s, LIMIT_WAIT_S) if full else 0.0


def slots_of(request: Sequence[Claimed]) -> int:
    """A request holds one slot, however many messages share it; what asks nothing holds none."""
    return int(request[0].question is not None)


class Queue:
    """A tier's queue."""

    purpose = Purpose.ANSWER

    def __init__(self, name: str, tier: str, slots: Slots, pacer: Pacer) -> None:
        self.name, self.tier = name, tier
        self.turn = threading.Lock()
        """One thread claims at a time: meanwhile more slots come free, and the next claim is
        larger."""
        self.again = threading.Lock()
        """What is held is asked for again in a moment; the queue's threads take turns, so that
        however many hold chunks, Postgres is asked at the same rate."""
        self._slots, self._pacer = slots, pacer
        self.gather_s = GATHER_S
        """How long a free slot waits for others: longer where claims are slow."""

    @contextmanager
    def room(self, wanted: int) -> Iterator[Room]:
        """Waits for free slots, asks what the rate limits allow, and takes no more than that."""
        room = Room(purpose=self.purpose, slots=self._take(wanted))
        began = time.monotonic()
        try:
            self._measure(room, wanted)
            yield room
        finally:
            self._slots.give_back(self.tier, room.slots - room.used)
            self._pacer.sending(self.tier, self.purpose, room.grant, room.asking)
            if room.jobs:
                self.gather_s = gather_s(time.monotonic() - began)

    def _take(self, wanted: int) -> int:
        return self._slots.take(self.tier, wanted, SLOT_WAIT_S, self.gather_s)

    def _measure(self, room: Room, wanted: int) -> None:
        if room.slots:
            room.grant = self._pacer.take(self.tier, self.purpose, room.slots)
        room.jobs = room.grant.calls

    @contextmanager
    def under_way(self, request: Sequence[Claimed]) -> Iterator[None]:
        """A request holds its slot for as long as the block."""
        try:
            yield
        finally:
            self._slots.give_back(self.tier, slots_of(request))
            self._pacer.forget(request[0].attempt)


class RoutingQueue(Queue):
    """The queue of what has no tier yet. It claims by slots alone, for much of it asks nothing:
    what would ask, and may not yet, stays in hand. When nothing asked the last time it tries that
    again, without slots: a policy that needs no labels neither waits for the limits nor weighs on
    them, and keeps no slot from the tier's own calls while it claims."""

    purpose = Purpose.CLASSIFY
    _asks = True

    @contextmanager
    def room(self, wanted: int) -> Iterator[Room]:
        """As of a tier's queue."""
        with super().room(wanted) as room:
            yield room
        if room.jobs:
            self._asks = bool(room.asking or room.taken.unasked)

    def _take(self, wanted: int) -> int:
        return super()._take(wanted) if self._asks else 0

    def _measure(self, room: Room, wanted: int) -> None:
        if self._asks:
            super()._measure(room, wanted)
        room.jobs = room.slots if self._asks else wanted
