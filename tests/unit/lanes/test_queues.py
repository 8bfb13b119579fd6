"""Room: what a claim holds of slots and grants, and that all it did not use comes back."""

import threading
import time
from collections.abc import Iterator

import pytest

from models.vocabulary import Purpose
from tests.support.attempts import asks, claimed
from tests.support.works import settings_for
from worker.domain.first_tier import Decided
from worker.domain.limits import NO_TOKENS, Grant
from worker.lanes.realtime.pacer import Outgoing, Pacer, SetDown
from worker.lanes.realtime.queues import HELD_WAIT_S, LIMIT_WAIT_S, Queue, Room, RoutingQueue
from worker.lanes.realtime.slots import GATHER_S, Slots, gather_s
from worker.store.queue.claim import ClaimResult

SLOTS = 8
ASKS = claimed(asks(Purpose.CLASSIFY))
DECIDED = claimed(Decided("haiku"))


@pytest.fixture
def slots() -> Slots:
    return Slots({"haiku": SLOTS})


@pytest.fixture
def pacer() -> Iterator[Pacer]:
    """Of tiers without limits: it asks nobody."""
    made = Pacer(settings_for("postgresql://nowhere", "http://nowhere"), "redis://127.0.0.1:1/0")
    made.start()
    yield made
    made.stop()


def held(slots: Slots) -> int:
    return slots.in_flight()["haiku"]


def test_what_a_claim_did_not_use_returns_with_the_block(slots: Slots, pacer: Pacer) -> None:
    queue = Queue("haiku", "haiku", slots, pacer)
    with queue.room(5) as room:
        assert (room.jobs, room.grant.calls, held(slots)) == (5, 5, 5)
        room.taken = ClaimResult([claimed(asks(Purpose.ANSWER))] * 2, [])
    assert held(slots) == 2
    going = claimed(asks(Purpose.ANSWER))
    pacer._set_down[going.attempt] = SetDown(NO_TOKENS, 0)
    for _ in range(2):
        with queue.under_way([going]):
            assert held(slots) >= 1
    assert held(slots) == 0
    assert not pacer._set_down, "of what is over nothing is remembered"


def test_slots_are_waited_for_and_no_more_are_taken_than_there_are(slots: Slots) -> None:
    assert slots.take("haiku", 6, 1.0) == 6
    assert slots.take("haiku", 5, 1.0) == 2
    began = time.monotonic()
    assert slots.take("haiku", 1, 0.02) == 0
    assert time.monotonic() - began >= 0.02
    assert held(slots) == SLOTS


def test_a_claim_that_fails_holds_nothing(slots: Slots, pacer: Pacer) -> None:
    queue = Queue("haiku", "haiku", slots, pacer)
    with pytest.raises(ZeroDivisionError), queue.room(5):
        raise ZeroDivisionError
    with queue.room(1) as room:
        room.taken = ClaimResult([claimed(asks(Purpose.ANSWER))], [])
    with pytest.raises(ZeroDivisionError), queue.under_way([claimed(asks(Purpose.ANSWER))]):
        raise ZeroDivisionError
    assert held(slots) == 0


def test_routing_that_asked_nothing_takes_neither_slots_nor_grants_until_something_would_ask(
    slots: Slots, pacer: Pacer
) -> None:
    queue = RoutingQueue("routing", "haiku", slots, pacer)
    # given: a policy that needs no labels
    with queue.room(3) as room:
        room.taken = ClaimResult([DECIDED] * 3, [])
    assert held(slots) == 0
    with queue.under_way([DECIDED]):
        assert held(slots) == 0
    # then: it goes on while every slot is taken
    slots.take("haiku", SLOTS, 0)
    with queue.room(30) as room:
        assert (room.jobs, room.grant.calls) == (30, 0)
        room.taken = ClaimResult([DECIDED], [], unasked=[7, 8])
    slots.give_back("haiku", SLOTS)
    assert held(slots) == 0
    # and what would have asked asks for room again
    with queue.room(2) as room:
        assert (room.jobs, room.grant.calls) == (2, 2)
        room.taken = ClaimResult([ASKS] * 2, [])
        assert len(room.asking) == 2
    assert held(slots) == 2


def test_messages_that_share_a_request_are_one_call_and_hold_one_slot(
    slots: Slots, pacer: Pacer
) -> None:
    shared = claimed(asks(Purpose.CLASSIFY, together=20, said=100))
    queue = RoutingQueue("routing", "haiku", slots, pacer)
    with queue.room(5) as room:
        room.taken = ClaimResult([shared] * 5, [])
        assert room.asking == [Outgoing(shared.attempt, 500)]
    assert held(slots) == 1
    with queue.under_way([shared] * 5):
        pass
    assert held(slots) == 0


def test_a_free_slot_waits_for_others_as_long_as_claims_are_slow(slots: Slots) -> None:
    assert (gather_s(0.005), gather_s(3)) == (0.03, GATHER_S)
    # given one free slot, and another that comes
    slots.take("haiku", SLOTS - 1, 0)
    # then: where no wait is worth it, it goes at once
    assert slots.take("haiku", 3, 0, gather_s=0) == 1
    slots.give_back("haiku", 1)
    threading.Timer(0.01, slots.give_back, ("haiku", 2)).start()
    assert slots.take("haiku", 3, 0, gather_s=60) == 3
    assert held(slots) == SLOTS


def test_a_queue_learns_from_its_claims_how_long_to_gather(slots: Slots, pacer: Pacer) -> None:
    queue = Queue("haiku", "haiku", slots, pacer)
    assert queue.gather_s == GATHER_S
    began = time.monotonic()
    with queue.room(1):
        pass
    assert queue.gather_s <= gather_s(time.monotonic() - began)


@pytest.mark.parametrize(
    ("taken", "wait_s"),
    [
        (ClaimResult([], []), 0),
        (ClaimResult([], [1]), HELD_WAIT_S),
        (ClaimResult([], [], unasked=[1]), LIMIT_WAIT_S),
    ],
)
def test_what_could_not_be_had_is_asked_for_again_in_a_moment(
    taken: ClaimResult, wait_s: float
) -> None:
    room = Room(
        purpose=Purpose.ANSWER,
        slots=4,
        jobs=4,
        grant=Grant(calls=2, retry_in_s=60, reason="used up"),
    )
    room.taken = taken
    assert room.wait_s == wait_s


def test_a_full_limit_is_waited_for() -> None:
    assert (
        Room(
            purpose=Purpose.ANSWER,
            slots=4,
            jobs=0,
            grant=Grant(calls=0, retry_in_s=60, reason="used up"),
        ).wait_s
        == LIMIT_WAIT_S
    )
    assert (
        Room(
            purpose=Purpose.ANSWER,
            slots=4,
            jobs=0,
            grant=Grant(calls=0, retry_in_s=0.01, reason="used up"),
        ).wait_s
        == 0.01
    )
