"""Room: what a claim holds of slots and grants, and that all it did not use comes back."""

import time
from collections.abc import Iterator

import pytest

from models.vocabulary import Purpose
from tests.support.attempts import asks, claimed
from tests.support.works import settings_for
from worker.domain.first_tier import Decided
from worker.domain.limits import Grant
from worker.lanes.realtime.pacer import Pacer
from worker.lanes.realtime.queues import HELD_WAIT_S, LIMIT_WAIT_S, Queue, Room, RoutingQueue
from worker.lanes.realtime.slots import Slots
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
    with queue.under_way(2):
        assert held(slots) == 2
    assert held(slots) == 0


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
    with pytest.raises(ZeroDivisionError), queue.under_way(0):
        raise ZeroDivisionError
    assert held(slots) == 0


def test_routing_that_asked_nothing_takes_no_grant_until_something_would_ask(
    slots: Slots, pacer: Pacer
) -> None:
    queue = RoutingQueue("routing", "haiku", slots, pacer)
    # given: a policy that needs no labels
    with queue.room(3) as room:
        room.taken = ClaimResult([DECIDED] * 3, [])
    with queue.under_way(3):
        pass
    # then: slots alone decide
    with queue.room(3) as room:
        assert (room.jobs, room.grant.calls) == (3, 0)
        room.taken = ClaimResult([DECIDED], [], unasked=[7, 8])
    with queue.under_way(1):
        pass
    # and what would have asked asks for room again
    with queue.room(2) as room:
        assert (room.jobs, room.grant.calls) == (2, 2)
        room.taken = ClaimResult([ASKS] * 2, [])
        assert room.asking == 2
    assert held(slots) == 2


def test_messages_that_share_a_request_are_one_call(slots: Slots, pacer: Pacer) -> None:
    shared = claimed(asks(Purpose.CLASSIFY, together=20))
    with RoutingQueue("routing", "haiku", slots, pacer).room(5) as room:
        room.taken = ClaimResult([shared] * 5, [])
        assert room.asking == 1


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
    room = Room(purpose=Purpose.ANSWER, slots=4, jobs=4, grant=Grant(2, 60, "used up"))
    room.taken = taken
    assert room.wait_s == wait_s


def test_a_full_limit_is_waited_for() -> None:
    assert (
        Room(purpose=Purpose.ANSWER, slots=4, jobs=0, grant=Grant(0, 60, "used up")).wait_s
        == LIMIT_WAIT_S
    )
    assert (
        Room(purpose=Purpose.ANSWER, slots=4, jobs=0, grant=Grant(0, 0.01, "used up")).wait_s
        == 0.01
    )
