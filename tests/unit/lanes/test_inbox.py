"""The inbox of one thread: order, groups, urgency and the end."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from worker.lanes.realtime.inbox import Inbox

FOR_EVER_S = 3_600.0
"""A group that gathers for as long as this never goes by itself."""


def test_what_is_urgent_does_not_wait_for_others() -> None:
    inbox = Inbox[str](FOR_EVER_S, 10)
    inbox.put("one")
    inbox.put("two", urgent=True)
    assert inbox.take() == ["one", "two"]


def test_urgency_wakes_a_taker_that_is_gathering() -> None:
    inbox = Inbox[str](FOR_EVER_S, 10)
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(inbox.take)
        inbox.put("one")
        inbox.put("two", urgent=True)
        assert taken.result(30) == ["one", "two"]


def test_a_closed_inbox_gives_what_is_left_at_once_and_then_nothing() -> None:
    inbox = Inbox[str](FOR_EVER_S, 10)
    inbox.put("one")
    inbox.close()
    inbox.put("after the end")
    assert [inbox.take(), inbox.take(), inbox.take()] == [["one"], ["after the end"], []]


def test_closing_ends_a_taker_that_waits() -> None:
    inbox = Inbox[str](FOR_EVER_S, 10)
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(inbox.take)
        inbox.close()
        assert taken.result(30) == []


@given(st.lists(st.integers(), max_size=30), st.integers(1, 7))
def test_nothing_is_lost_and_groups_keep_their_order_and_size(things: list[int], most: int) -> None:
    inbox = Inbox[int](0, most)
    for thing in things:
        inbox.put(thing)
    inbox.close()
    groups = list(iter(inbox.take, []))
    assert [thing for group in groups for thing in group] == things
    assert all(len(group) <= most for group in groups)
