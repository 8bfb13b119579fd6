"""The desk: whole chunks at once, a cache, bounds; what goes wrong is said and shown to nobody."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.looking_up import asked, by_function, desk, functions, shop
from worker.config.settings import Settings
from worker.domain.context import LookedUp
from worker.lookups import counter as counters
from worker.lookups.desk import RETIRED_S
from worker.lookups.loop_counter import LoopCounter


def deep(levels: int) -> Any:
    """A list in a list in a list."""
    found: Any = []
    for _ in range(levels):
        found = [found]
    return found


def ask(made: Any, *customers: str | None, names: tuple[str, ...] = ("orders",)) -> list[LookedUp]:
    try:
        return [found for (found,) in made.ask(names, asked(*customers))]
    finally:
        made.stop()


def test_a_chunk_is_asked_for_at_once_and_only_for_what_is_new(tmp_path: Path) -> None:
    made = by_function(tmp_path, "orders", options={"state": "packed"})
    first, second = made.ask(["orders"], asked("c-1", "c-2"))
    made.ask(["orders"], asked("c-1", "c-2", "c-3"))
    # the columns that say whose a record is are not shown
    assert first == (LookedUp(name="orders", records=({"order": "o-c-1", "state": "packed"},)),)
    assert second[0].records[0]["order"] == "o-c-2"
    assert _calls(made) == [2, 1]
    made.stop()


def test_without_a_cache_everything_is_asked_again(tmp_path: Path) -> None:
    made = by_function(tmp_path, "orders", cache_s=0)
    made.ask(["orders"], asked("c-1"))
    made.ask(["orders"], asked("c-1"))
    assert _calls(made) == [1, 1]
    made.stop()


def test_what_was_known_is_given_though_the_cache_is_emptied_while_the_rest_is_asked(
    tmp_path: Path,
) -> None:
    # given: one chunk that fills the cache while another waits for its answers
    made = by_function(tmp_path, "orders")
    made.ask(["orders"], asked("c-1"))
    counter = made._counters["orders"]
    assert isinstance(counter, LoopCounter)
    bring = counter._kind.ask  # type: ignore[union-attr]

    async def ask_and_empty(messages: Any) -> Any:
        counter._cache.clear()
        return await bring(messages)

    counter._kind.ask = ask_and_empty  # type: ignore[method-assign, union-attr]
    # when
    found = made.ask(["orders"], asked("c-1", "c-2"))
    # then
    assert [one.failed for (one,) in found] == [None, None]
    assert [one.records[0]["order"] for (one,) in found] == ["o-c-1", "o-c-2"]
    made.stop()


def _calls(made: Any) -> list[int]:
    found: list[int] = made._counters["orders"]._own.__globals__["calls"]
    return found


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("shifted", "brought a record of another customer_id than the row's"),
        ("short", "brought 1 results for 2 messages"),
        ("anonymous", "brought a record without customer_id, so nobody knows whose it is"),
        ("chatty", "brought 5,0"),
        ("many", "brought 30 records, and 20 are allowed"),
        ("raising", "failed with ValueError"),
        ("waiting", "did not answer within 0.1 s"),
        ("unsayable", "brought a value that JSON cannot hold"),
        ("packed", "brought a value that JSON cannot hold"),
        ("leaving", "failed with SystemExit"),
        ("panicking", "failed with BaseException"),
        ("words", "brought something that is neither a mapping nor a list of them"),
    ],
)
def test_what_goes_wrong_is_said_and_nothing_is_shown(name: str, why: str, tmp_path: Path) -> None:
    found = ask(by_function(tmp_path, name, timeout_s=0.1), "c-1", "c-2")
    assert [one.records for one in found] == [(), ()]
    assert all((one.failed or "").startswith(why) for one in found)
    assert "secret" not in str(found)


def test_a_function_that_blocks_its_thread_keeps_nobody_else(tmp_path: Path) -> None:
    # given: one that never lets its loop go, beside one that is well
    path = functions(tmp_path)
    made = desk(
        stuck={"path": f"{path}:blocking", "timeout_s": 0.05, "match": []},
        orders={"path": f"{path}:orders"},
    )
    began = time.monotonic()
    ((stuck, well),) = made.ask(["stuck", "orders"], asked("c-1"))
    ((again,),) = made.ask(["stuck"], asked("c-1"))
    # then: the bound is kept, and it is not waited for a second time
    assert time.monotonic() - began < 0.8 + 0.1
    assert (stuck.failed, well.failed) == ("did not answer within 0.05 s", None)
    assert again.failed == "has not come back from an earlier question"
    made.stop()


def test_values_become_what_json_and_postgres_can_hold(tmp_path: Path) -> None:
    (found,) = ask(by_function(tmp_path, "awkward"), "c-1")
    assert {name: found.records[0][name] for name in ("text", "raw", "some", "price", "share")} == {
        "text": "a\ufffdb",
        "raw": "café",
        "some": ["a", "b"],
        "price": "1.50",
        "share": None,
    }
    assert found.records[0]["long"] == "1" + 30 * "0"


def test_what_a_function_does_to_a_row_is_done_to_a_copy(tmp_path: Path) -> None:
    made, (message,) = by_function(tmp_path, "greedy"), asked("c-1", plan="gold")
    ((found,),) = made.ask(["orders"], [message])
    made.stop()
    assert (found.records[0]["plan"], message.message.attributes) == ("gold", {"plan": "gold"})


def test_a_function_that_stops_its_loop_is_asked_in_another(tmp_path: Path) -> None:
    made = by_function(tmp_path, "stopping", timeout_s=0.05)
    (first,), (second,) = (made.ask(["orders"], asked("c-1"))[0] for _ in range(2))
    assert (first.failed is None, second.failed) == (False, None)
    assert second.records[0]["order"] == "o-c-1"
    made.stop()


def test_a_function_that_leaves_takes_its_thread_along_with_nobody(tmp_path: Path) -> None:
    made = by_function(tmp_path, "leaving", timeout_s=1.0)
    for _ in range(2):
        ((found,),) = made.ask(["orders"], asked("c-1"))
        assert found.failed == "failed with SystemExit"
    made.stop()


def test_nothing_is_known_of_a_row_without_a_customer(tmp_path: Path) -> None:
    (found,) = ask(by_function(tmp_path, "orders"), None)
    assert found.failed == (
        "brought a record for a row without customer_id; for such a row it must bring None"
    )
    (none,) = ask(by_function(tmp_path, "nothing"), None)
    assert (none.records, none.failed) == ((), None)


def test_a_look_up_that_is_not_configured_here_says_so() -> None:
    made = desk()
    ((found,),) = made.ask(["orders"], asked("c-1"))
    assert (found.failed, made.on_failure("orders")) == ("is not configured here", "wait")


def test_why_there_is_nothing_is_said_by_the_names_of_columns_alone(tmp_path: Path) -> None:
    made = by_function(tmp_path, "nothing")
    found = [one.nothing for (one,) in made.ask(["orders"], asked("c-1", None))]
    again = [one.nothing for (one,) in made.ask(["orders"], asked("c-1"))]
    made.stop()
    assert found == ["answered: nothing is known", "knows nothing, for the row has no customer_id"]
    assert again == ["had answered less than 60 s before: nothing is known"]


def test_one_that_is_never_its_turn_says_that_others_are_asked(tmp_path: Path) -> None:
    # given: one call at a time, and one that holds it
    made = by_function(tmp_path, "waiting", max_in_flight=1, timeout_s=0.2)
    counter = made._counters["orders"]
    counter._slots = asyncio.Semaphore(0)
    ((found,),) = made.ask(["orders"], asked("c-1"))
    made.stop()
    assert found.failed == "was not asked, for it had 1 call under way, which is max_in_flight"


def test_one_value_that_a_function_stumbles_over_keeps_nobody_else(tmp_path: Path) -> None:
    made = by_function(tmp_path, "stumbling")
    found = [one for (one,) in made.ask(["orders"], asked("c-1", "c-2", "odd", "c-3", "c-4"))]
    made.stop()
    assert [one.failed for one in found] == [None, None, "failed with ValueError", None, None]


@pytest.mark.parametrize(
    "value",
    ["a\x00b", "\ud800", float("inf"), float("nan"), 10**5000, deep(1_500)],
    ids=["NUL", "surrogate", "inf", "nan", "huge", "deep"],
)
def test_a_value_that_nothing_can_be_asked_with_is_said_at_once(value: Any, tmp_path: Path) -> None:
    query = "SELECT customer_id, number FROM orders WHERE customer_id = :customer_id AND :odd <> ''"
    address = {"url": "http://127.0.0.1:1/{odd}", "hosts": ["127.0.0.1"]}
    url = shop(tmp_path)
    for lookup in ({"database_url": url, "query": query}, address):
        made = desk(orders=lookup)
        ((odd,), (well,)) = made.ask(["orders"], [*asked("c-1", odd=value), *asked("c-1", odd="1")])
        made.stop()
        assert odd.failed == "was not asked, for what its row has in odd cannot be sent"
        assert (odd.for_good, well.for_good) == (True, False)
        assert len(well.records) == 2 or well.failed == "could not be reached"


def test_what_is_known_is_given_until_its_time_is_over(tmp_path: Path) -> None:
    made = by_function(tmp_path, "orders")
    for _ in range(2):
        made.ask(["orders"], asked("c-1"))
    assert _calls(made) == [1]
    counter = made._counters["orders"]
    counter._cache = {key: (0.0, found) for key, (_, found) in counter._cache.items()}
    made.ask(["orders"], asked("c-1"))
    assert _calls(made) == [1, 1]
    made.stop()


def test_a_cache_is_emptied_before_it_holds_too_much_and_keeps_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MAX_CACHED", 2)
    made = by_function(tmp_path, "orders")
    cache = made._counters["orders"]
    cache._remember({1: "a", 2: "b"}, 9.0)
    assert set(cache._cache) == {1, 2}
    cache._remember({3: "c", 4: ValueError()}, 9.0)
    assert set(cache._cache) == {3}
    made.stop()


def test_news_are_told_once_and_of_several_failures_the_usual_one(tmp_path: Path) -> None:
    made = by_function(tmp_path, "orders", on_failure="person")
    made.ask(["orders"], asked("c-1", "c-2"))
    assert made.news() == ({}, {"orders"})
    assert made.news() == ({}, set())
    lost, late = LookedUp(name="orders", failed="lost"), LookedUp(name="orders", failed="late")
    made.note("orders", [lost, late, late])
    assert made.news() == ({"orders": ("late", "person")}, set())
    made.note("orders", [LookedUp(name="orders"), late])
    assert made.news() == ({"orders": ("late", "person")}, {"orders"})
    made.stop()


def test_who_was_asked_before_a_change_may_still_answer_for_a_while(tmp_path: Path) -> None:
    made = by_function(tmp_path, "orders")
    made.ask(["orders"], asked("c-1"))
    old = made._counters["orders"]
    assert isinstance(old, LoopCounter)
    settings = Settings.model_validate({"lookups": {}})
    made.change(settings)
    made.change(settings)
    assert [one for _, one in made._retired] == [old]
    assert old._thread is not None
    assert old._thread.is_alive()
    made._retired = [(at - RETIRED_S - 1, one) for at, one in made._retired]
    made.change(settings)
    assert made._retired == []
    assert not old._thread.is_alive()
