"""Queues as a worker process works them off: whose slots and rate limits each uses, and the room
that a claim has in them.

What one holds one gives back by leaving the block, on errors too: of a room what was not used, of
attempts under way their slots.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from models.vocabulary import Purpose
from worker.domain.limits import Grant
from worker.domain.shared_labels import requests_of
from worker.lanes.realtime.pacer import Pacer
from worker.lanes.realtime.slots import Slots
from worker.store.queue.claim import ClaimResult

SLOT_WAIT_S = 1.0
HELD_WAIT_S = 0.1
LIMIT_WAIT_S = 0.25
"""Shorter than the burst that the limiter saves up, so that a late wake-up loses nothing."""
NO_GRANT = Grant(0, 0, None)


@dataclass(slots=True, kw_only=True)
class Room:
    """What a claim may take: `jobs`, and calls as granted. `taken` is what it took."""

    purpose: Purpose
    slots: int
    jobs: int = 0
    grant: Grant = NO_GRANT
    taken: ClaimResult = field(default_factory=lambda: ClaimResult([], []))

    @property
    def asking(self) -> int:
        """Calls of those granted that are made now."""
        firsts = (request[0].question for request in requests_of(self.taken.granted))
        return sum(one is not None and one.purpose is self.purpose for one in firsts)

    @property
    def wait_s(self) -> float:
        """How long to wait before asking again for what could not be had."""
        if self.taken.held:
            return HELD_WAIT_S
        full = not self.jobs or self.taken.unasked
        return min(self.grant.retry_in_s, LIMIT_WAIT_S) if full else 0.0


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

    @contextmanager
    def room(self, wanted: int) -> Iterator[Room]:
        """Waits for free slots, asks what the rate limits allow, and takes no more than that."""
        room = Room(purpose=self.purpose, slots=self._slots.take(self.tier, wanted, SLOT_WAIT_S))
        try:
            self._measure(room)
            yield room
        finally:
            self._slots.give_back(self.tier, room.slots - len(room.taken.granted))
            self._pacer.give_back(self.tier, self.purpose, room.grant.calls - room.asking)

    def _measure(self, room: Room) -> None:
        if room.slots:
            room.grant = self._pacer.take(self.tier, self.purpose, room.slots)
        room.jobs = room.grant.calls

    @contextmanager
    def under_way(self, attempts: int) -> Iterator[None]:
        """So many attempts hold their slots for as long as the block."""
        try:
            yield
        finally:
            self._slots.give_back(self.tier, attempts)


class RoutingQueue(Queue):
    """The queue of what has no tier yet. It claims by slots alone, for much of it asks nothing:
    what would ask, and may not yet, stays in hand. When nothing asked the last time it tries that
    again, so that a policy which needs no labels neither waits for the limits nor weighs on
    them."""

    purpose = Purpose.CLASSIFY
    _asks = True

    @contextmanager
    def room(self, wanted: int) -> Iterator[Room]:
        """As of a tier's queue."""
        with super().room(wanted) as room:
            yield room
        if room.jobs:
            self._asks = bool(room.asking or room.taken.unasked)

    def _measure(self, room: Room) -> None:
        if self._asks:
            super()._measure(room)
        room.jobs = room.slots
