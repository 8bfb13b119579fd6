"""Look-ups by query: read only, bound, within their time."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.looking_up import asked, desk, shop
from worker.domain.context import LookedUp
from worker.lookups import query_counter
from worker.store.own_queries import OwnQuery

QUERY = "SELECT customer_id, number, state, due FROM orders WHERE customer_id = :customer_id"
FOREVER = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
SELECT :customer_id AS customer_id, max(i) FROM n"""


LATE = "late"
REFUSED = "was refused by its database:"


def _is_late(found: LookedUp) -> bool:
    """By the database's own bound or by ours, whichever is the first to be met."""
    return found.failed == "did not answer within 0.3 s"


def ask(
    url: str, query: str, *customers: str, number: int = 1, timeout_s: float = 0.3
) -> list[LookedUp]:
    made = desk(orders={"database_url": url, "query": query, "timeout_s": timeout_s})
    try:
        messages = asked(*customers, plan="gold", number=number)
        return [found for (found,) in made.ask(["orders"], messages)]
    finally:
        made.stop()


def test_a_query_is_asked_for_each_row_and_shows_nobody_elses(tmp_path: Path) -> None:
    one, two, none = ask(shop(tmp_path), QUERY, "c-1", "c-2", "c-9")
    assert [record["number"] for record in one.records] == ["o-1", "o-2"]
    assert one.records[0] == {"number": "o-1", "state": "sent", "due": "2026-11-28"}
    assert [record["number"] for record in two.records] == ["o-3"]
    assert (none.records, none.failed) == ((), None)


def test_a_chunk_is_asked_in_one_transaction(tmp_path: Path) -> None:
    # given a shop that is written to while it is asked
    url = shop(tmp_path)
    with closing(sqlite3.connect(tmp_path / "shop.sqlite", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")

        class Values(list[dict[str, Any]]):
            def __iter__(self) -> Iterator[dict[str, Any]]:
                yield {"customer_id": "c-1"}
                writer.execute("UPDATE orders SET state = 'lost'")
                yield {"customer_id": "c-1"}

        query = OwnQuery(url, QUERY, 3)
        # when
        first, second = query.ask(Values(), 9)
        (later,) = query.ask([{"customer_id": "c-1"}], 9)
        query.close()
    # then
    assert (first == second, first == later) == (True, False)


def test_what_a_query_found_is_known_for_a_while(tmp_path: Path) -> None:
    made = desk(orders={"database_url": shop(tmp_path), "query": QUERY})
    first = made.ask(["orders"], asked("c-1"))
    (tmp_path / "shop.sqlite").unlink()
    assert made.ask(["orders"], asked("c-1")) == first
    (known,), (asked_now,) = made.ask(["orders"], asked("c-1", "c-2"))
    assert (known.records, asked_now.failed) == ((), "was refused by its database: SQLITE_CANTOPEN")
    made.stop()


def test_a_query_that_does_not_come_back_is_waited_for_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a driver that hangs
    free, really = threading.Event(), OwnQuery.ask

    def hang(self: OwnQuery, *asked: Any) -> Any:
        free.wait(30)
        return really(self, *asked)

    monkeypatch.setattr(query_counter, "SLACK_S", 0.0)
    monkeypatch.setattr(OwnQuery, "ask", hang)
    made = desk(
        orders={"database_url": shop(tmp_path), "query": QUERY, "timeout_s": 0.1,
                "max_in_flight": 1, "cache_s": 0}
    )  # fmt: skip
    # when, then
    for why in ("did not answer within 0.1 s", "has not come back from an earlier question"):
        ((found,),) = made.ask(["orders"], asked("c-1"))
        assert found.failed == why
    free.set()
    counter = made._counters["orders"]
    assert counter._busy is not None
    counter._busy.result(30)
    ((found,),) = made.ask(["orders"], asked("c-1"))
    assert found.records
    made.stop()


def test_a_file_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    made = desk(orders={"database_url": shop(tmp_path), "query": QUERY, "cache_s": 0})
    try:
        assert [len(one.records) for (one,) in made.ask(["orders"], asked("c-1", "c-9"))] == [2, 0]
        # when another takes its place, as nightly exports do
        (tmp_path / "anew").mkdir()
        shop(tmp_path / "anew", [("c-9", "o-9", "lost", None)])
        (tmp_path / "anew" / "shop.sqlite").replace(tmp_path / "shop.sqlite")
        # then
        (one,), (nine,) = made.ask(["orders"], asked("c-1", "c-9"))
        assert (one.records, [record["number"] for record in nine.records]) == ((), ["o-9"])
        # when it is gone
        (tmp_path / "shop.sqlite").unlink()
        (found,) = made.ask(["orders"], asked("c-1"))[0]
        assert found.failed == "was refused by its database: SQLITE_CANTOPEN"
    finally:
        made.stop()


@pytest.mark.parametrize(
    ("query", "why"),
    [
        # one that forgot its condition
        (
            "SELECT *, :plan AS plan FROM orders",
            "brought a record of another customer_id than the row's",
        ),
        ("DELETE FROM orders WHERE customer_id = :customer_id", f"{REFUSED} SQLITE_READONLY"),
        ("SELECT nothing FROM nowhere WHERE x = :plan", f"{REFUSED} SQLITE_ERROR"),
        (FOREVER, LATE),
    ],
)
def test_a_query_that_does_not_do_is_said(query: str, why: str, tmp_path: Path) -> None:
    found = ask(shop(tmp_path), query, "c-1", "c-2")
    assert why in [one.failed for one in found] or (why == LATE and _is_late(found[0]))
    assert ask(shop_again(tmp_path), QUERY, "c-1")[0].records


def shop_again(directory: Path) -> str:
    return f"sqlite:///{directory / 'shop.sqlite'}"


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELECT CAST(:customer_id AS text) AS customer_id, 7 AS points", None),
        ("SELECT CAST(:customer_id AS text) AS customer_id, pg_sleep(5)", LATE),
        (
            "SELECT CAST(:customer_id AS text) AS customer_id, lo_create(0)",
            f"{REFUSED} read only sql transaction",
        ),
        ("CREATE TABLE gone AS SELECT CAST(:customer_id AS text)", f"{REFUSED} syntax error"),
        ("SELECT a FROM gone WHERE b = :customer_id", f"{REFUSED} undefined table"),
        (
            "SELECT pg_terminate_backend(pg_backend_pid()), CAST(:customer_id AS text)",
            "ended the connection before its answer was whole",
        ),
    ],
)
def test_postgres_is_read_only_and_has_its_time(
    query: str, why: str | None, database_url: str
) -> None:
    (found,) = ask(database_url, query, "c-1")
    if why is None:
        assert found.records == ({"points": 7},)
    else:
        assert (found.failed or "").startswith(why) or (why == LATE and _is_late(found))


def test_what_a_table_cannot_be_asked_with_keeps_nobody_else(
    tmp_path: Path, database_url: str
) -> None:
    query = "SELECT CAST(:customer_id AS text) AS customer_id, CAST(:customer_id AS int) AS number"
    # when a customer's id is a word, and an order's number longer than any of SQLite's
    before, word, after = ask(database_url, query, "7", "c-1", "8", timeout_s=3)
    (long,) = ask(shop(tmp_path), f"{QUERY} AND :number > 0", "c-1", number=2**70)
    # then
    assert [one.records for one in (before, after)] == [({"number": 7},), ({"number": 8},)]
    assert word.failed == f"{REFUSED} invalid text representation"
    assert (long.failed, len(long.records)) == (None, 2), "longer than 64 bits, it is bound as text"
    # when its id has what Postgres can hold in no text
    odd, after = ask(database_url, query, "c\x00d", "8", timeout_s=3)
    assert odd.failed == "was not asked, for what its row has in customer_id cannot be sent"
    assert (odd.for_good, len(after.records)) == (True, 1)
    assert (word.for_good, before.for_good) == (True, False)


@pytest.mark.parametrize("end", ["", ";", " ; -- all of them\n", "-- all of them"])
def test_of_ten_million_rows_no_more_are_read_than_may_be_shown(
    end: str, tmp_path: Path, database_url: str
) -> None:
    # given results that would take longer than the look-up may
    postgres = f"""SELECT CAST(:customer_id AS text) AS customer_id,
      generate_series(1, 10000000) AS n{end}"""
    sqlite = f"""WITH RECURSIVE n(i) AS
      (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000000)
      SELECT :customer_id AS customer_id, i FROM n{end}"""
    for url, query in ((database_url, postgres), (shop(tmp_path), sqlite)):
        (found,) = ask(url, query, "c-1", timeout_s=1)
        assert found.failed == "brought 21 records, and 20 are allowed"


def test_a_database_that_is_not_there_is_said() -> None:
    (found,) = ask("postgresql://127.0.0.1:1/shop", QUERY, "c-1", timeout_s=3)
    assert found.failed == "could not be reached"


def test_a_day_that_no_calendar_here_has_is_shown_as_it_is_written(database_url: str) -> None:
    query = """SELECT CAST(:customer_id AS text) AS customer_id, date 'infinity' AS valid_until,
      timestamptz '-infinity' AS since, date '0044-03-15 BC' AS born,
      timestamp 'infinity' AS ends, timestamp '2026-11-27 10:00' AS due"""
    (found,) = ask(database_url, query, "c-1", timeout_s=3)
    assert (found.failed, found.records) == (
        None,
        (
            {
                "valid_until": "infinity",
                "since": "-infinity",
                "born": "0044-03-15 BC",
                "ends": "infinity",
                "due": "2026-11-27T10:00:00",
            },
        ),
    )


def test_postgres_is_reached_as_our_own_is(database_url: str) -> None:
    # given settings of the address's own, which ours would have taken the place of
    mark = "&" if "?" in database_url else "?"
    url = f"{database_url}{mark}options=-csearch_path%3Dpg_catalog%20-clock_timeout%3D7s"
    query = """SELECT CAST(:customer_id AS text) AS customer_id,
      current_setting('search_path') AS path, current_setting('lock_timeout') AS waits,
      current_setting('statement_timeout') AS bound"""
    # then
    (found,) = ask(url, query, "c-1", timeout_s=3)
    assert found.records == ({"path": "pg_catalog", "waits": "7s", "bound": "3s"},)
