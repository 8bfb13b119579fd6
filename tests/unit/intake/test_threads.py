"""Rows of one thread are one message: its newest turn by the customer, the others beside it."""

import io
from collections.abc import Mapping
from typing import Any

import pytest

from worker.domain.backlog import Record, Reject
from worker.domain.conversation import MAX_TURN_CHARS, thread_of
from worker.domain.messages import MessageText
from worker.intake.reader import Backlog, ReadingOptions

TURNS = """external_id,thread_id,role,created_at,body,plan
m1,t1,customer,2026-11-01T09:00:00,Where is my order?,gold
m2,t2,Customer,2026-11-01T09:05:00,A question of another,
m3,t1,agent,2026-11-01T10:00:00,Which one?,
m5,t1,customer,2026-11-03T08:00:00+00:00,It is H-1.,gold
m4,t1,agent,2026-11-02T08:00:00Z,Hello?,
m6,t3,agent,2026-11-01T11:00:00,Is anybody there?,
m7,,customer,2026-11-01T11:00:00,Alone.,
m8,t1,agent,2026-11-04T08:00:00,We look into it.,
"""


def read(text: str, thread: str | None = "history") -> list[Record | Reject]:
    options = ReadingOptions(thread=thread)
    backlog = Backlog("turns.csv", io.BytesIO(text.encode()), options)
    return [one for block in backlog.blocks() for one in (*block.records, *block.rejects)]


def shown(record: Record) -> list[tuple[str, str]]:
    message = MessageText(body=record.body, attributes=record.metadata or {})
    return [(turn.who, turn.said) for turn in thread_of(message, "history")]


def by_id(found: list[Record | Reject]) -> Mapping[str, Record]:
    return {one.external_id: one for one in found if isinstance(one, Record)}


def test_the_newest_turn_by_the_customer_is_the_message() -> None:
    found = read(TURNS)
    records = by_id(found)
    assert list(records) == ["m7", "m5", "m2"]
    assert (records["m5"].body, records["m5"].line) == ("It is H-1.", 5)
    assert shown(records["m5"]) == [
        ("customer", "Where is my order?"),
        ("agent", "Which one?"),
        ("agent", "Hello?"),
        ("agent", "We look into it."),
    ]
    assert (records["m5"].metadata or {})["plan"] == "gold"
    assert shown(records["m2"]) == shown(records["m7"]) == []
    (reject,) = (one for one in found if isinstance(one, Reject))
    assert (reject.line, reject.reason) == (7, "thread 't3' has no turn by the customer")


@pytest.mark.parametrize("thread", [None, "body"])
def test_rows_stay_messages_where_no_thread_is_shown_or_it_has_a_column(thread: Any) -> None:
    assert len(read(TURNS, thread)) == 8


def test_without_times_the_order_of_the_file_counts_and_without_roles_all_are_customers() -> None:
    rows = "external_id,thread_id,body\na,t,First\nb,t,Second\nc,t,Third\n"
    (record,) = by_id(read(rows)).values()
    assert (record.external_id, [said for _, said in shown(record)]) == ("c", ["First", "Second"])


def test_a_name_is_the_customers_where_it_is_that_of_the_row() -> None:
    rows = "external_id,thread_id,from,customer_id,body\na,t,ann,ANN,Mine\nb,t,bob,ann,Theirs\n"
    (record,) = by_id(read(rows)).values()
    assert (record.external_id, shown(record)) == ("a", [("bob", "Theirs")])


def test_where_a_time_cannot_be_read_the_order_of_the_file_counts() -> None:
    rows = "external_id,thread_id,created_at,body\na,t,2026-11-02,First\nb,t,soon,Second\n"
    (record,) = by_id(read(rows)).values()
    assert (record.external_id, shown(record)) == ("b", [("customer", "First")])


@pytest.mark.parametrize("who", ["End-User", "end user", " Customer "])
def test_who_spoke_is_known_however_it_is_written(who: str) -> None:
    rows = f"external_id,thread_id,role,body\na,t,{who},Mine\nb,t,agent,Theirs\n"
    (record,) = by_id(read(rows)).values()
    assert record.external_id == "a"


def test_of_a_long_turn_no_more_is_stored_than_is_shown() -> None:
    rows = f"external_id,thread_id,body\na,t,{'x' * 2 * MAX_TURN_CHARS}\nb,t,Second\n"
    (record,) = by_id(read(rows)).values()
    (turn,) = (record.metadata or {})["history"]
    assert turn["said"] == "x" * MAX_TURN_CHARS
