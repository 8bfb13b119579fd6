"""Each condition of the statements that read a chunk's messages and rank passages for them."""

from typing import Any

import pytest

from tests.integration.store.queue.test_guards_of_pages import Shelf
from tests.support.near_misses import PAST, Rows
from worker.store.queue import ranked, wanting
from worker.store.queue.ranked import ranking


def names(rows: Rows, job: int, *folders: str, limit: int = 5) -> list[int]:
    """Numbers of the passages that are found for a job, best first; those of a claim that searches
    are the same."""
    run = rows.one("SELECT run_id FROM jobs WHERE id = :id", id=job)[0]
    values = ranking({run: folders or ("a",)}, limit) | {"ids": [job]}
    ((_, best),) = rows.all(ranked.RANKED, **values)
    (read,) = rows.all(wanting.READ_AND_SEARCH, runs=[run], **values)
    assert read[-1] == best
    return [int(name.partition(":")[0]) for name in best.split(",")] if best else []


@pytest.mark.parametrize(
    ("columns", "is_found"),
    [
        ({"body": "my parcels"}, True),  # by their stem, as in English
        ({"body": "my parcels", "language": ""}, True),
        ({"body": "my parcels", "language": "EN-gb"}, True),
        ({"body": "my parcels", "language": "xx"}, False),
        ({"body": "my parcel", "language": "xx"}, True),
        ({"body": "Where?", "subject": "parcel"}, True),
        ({"body": "parcel", "subject": ""}, True),
        ({"body": "." * 3_993 + " parcel"}, True),
        ({"body": "." * 3_994 + " parcel"}, False),
        ({"body": "." * 3_990 + " parcel", "subject": "Hi"}, False),
    ],
)
def test_what_a_message_is_searched_by(rows: Rows, columns: dict[str, Any], is_found: bool) -> None:
    shelf = Shelf(rows, "a")
    (passage,) = shelf.page("one", "x")
    shelf.word("parcel", passage)
    job = rows.job(rows.run(), rows.message(**columns))
    assert names(rows, job) == ([passage] if is_found else [])


def test_the_best_of_all_folders_of_its_run_come_first(rows: Rows) -> None:
    ours, also, theirs = (Shelf(rows, name, passages=100) for name in ("a", "b", "c"))
    one, two = ours.page("one", "x", "y")
    (three,) = also.page("one", "x")
    ours.word("parcel", one, passages=50)
    ours.word("rare", two)
    also.word("parcel", three, passages=10)
    theirs.word("parcel", *theirs.page("one", "x"))
    run = rows.run()
    job = rows.job(run, rows.message(body="a rare parcel"))
    assert names(rows, job, "a", "b") == [two, three, one]
    assert names(rows, job, "a", "b", limit=2) == [two, three]
    assert names(rows, job) == [two, one]
    # of a run whose pages are not searched
    other = ranking({run + 1: ("a",)}, 5) | {"ids": [job]}
    assert rows.all(ranked.RANKED, **other) == [(job, None)]


def test_of_those_that_are_equal_the_first_is_named_first_with_its_version(rows: Rows) -> None:
    shelf = Shelf(rows, "a")
    one, two = shelf.page("one", "x", "y")
    shelf.word("parcel", two, one)
    job = rows.job(rows.run(), rows.message(body="parcel"))
    rows.all("UPDATE knowledge_passages SET version = 'v2' WHERE id = :id", id=two)
    rows.job(rows.run(), rows.message(body="parcel"))
    (run,) = rows.one("SELECT run_id FROM jobs WHERE id = :id", id=job)
    found = rows.all(ranked.RANKED, ids=[job], **ranking({run: ("a",)}, 5))
    assert found == [(job, f"{one}:1,{two}:v2")]


def test_messages_are_read_of_some_runs_in_order_and_none_that_is_erased(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    said = rows.message(body="mine", external_id="e", customer_id="c")
    first, second = rows.job(run, said), rows.job(run, rows.message(body="also"))
    rows.job(run)
    erased, foreign = rows.job(run, rows.message(erased_at=PAST)), rows.job(other)
    shelf = Shelf(rows, "a")
    search = ranking({run: ("a",)}, 5)
    values = {"ids": [foreign, erased, second, first], "runs": [run]}
    at = {row[-2] for row in rows.all(wanting.READ, **values)}
    for read in (
        rows.all(wanting.READ, **values),
        rows.all(wanting.READ_AND_SEARCH, **values | search),
    ):
        assert [(row[0], row[4], row[-1]) for row in read] == [
            (first, "mine", None), (second, "also", None), (erased, None, None),
            (foreign, None, None),
        ]  # fmt: skip
        assert read[0][1:4] == (run, said, "e")
    # the folders are another state of them once one was synced
    for change in ("version = 'v2'", "synced_at = now() + interval '1 s'"):
        rows.all(f"UPDATE knowledge_folders SET {change} WHERE id = :id", id=shelf.id)
        at |= {row[-2] for row in rows.all(wanting.READ, **values)}
    Shelf(rows, "b")
    at |= {row[-2] for row in rows.all(wanting.READ, **values)}
    assert len(at) == 4
