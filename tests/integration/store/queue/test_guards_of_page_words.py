"""Each condition of the statements that learn from answers what customers call a page's matter."""

from typing import Any

from tests.integration.store.queue.test_guards_of_pages import Shelf
from tests.support.near_misses import PAST, Rows
from worker.store.reading import page_words


def test_accepted_answers_and_what_they_name(rows: Rows) -> None:
    run = rows.run()

    def says(fields: str, *, accepted: bool = True, state: str = "answered", **message: Any) -> int:
        job = rows.job(run, rows.message(**message), state=state)
        rows.attempt(job, outcome="accepted")
        rows.insert("results", None, job_id=job, fence=1, reply="r", tier="haiku", model="m",
                    accepted=accepted, fields=fields)  # fmt: skip
        return job

    ids = [
        says('{"sources": ["b", "a"]}', subject="Help", body="me", language="en"),
        says('{"sources": "b"}'),
        says("{}"),
        says('{"sources": ["not accepted"]}', accepted=False),
        says('{"sources": ["a person has it"]}', state="review"),
        says('{"sources": ["erased"]}', erased_at=PAST),
    ]
    says('{"sources": ["not asked for"]}')
    assert rows.all(page_words.ANSWERED, ids=ids) == [
        ("Help me", "en", ["b", "a"]), ("Where?", None, []), ("Where?", None, []),
    ]  # fmt: skip


def test_passages_belong_to_pages_and_say_some_words_often(rows: Rows) -> None:
    ours, theirs = Shelf(rows, "a"), Shelf(rows, "b")
    (one, two), (other,) = ours.page("shop", "x", "y"), ours.page("cards", "z")
    (foreign,) = theirs.page("shop", "x")
    told = rows.all(page_words.PAGES_OF, names=["shop#0", "shop#1", "gone#0"])
    assert sorted(told) == [
        ("shop#0", "shop", "a"), ("shop#0", "shop", "b"), ("shop#1", "shop", "a"),
    ]  # fmt: skip
    ours.word("often", two, weight=1.7)
    ours.word("once", one, weight=1.6)
    ours.word("elsewhere", other, weight=2.0)
    theirs.word("foreign", foreign, weight=2.0)
    values = {"folder": "a", "pages": ["shop"], "often": 1.7}
    assert rows.all(page_words.SAID, **values) == [("shop", "often")]


def test_words_have_stems_and_stop_words_none(rows: Rows) -> None:
    asked = {"dictionary": "english", "words": ["refunds", "the"]}
    assert rows.all(page_words.STEMS, **asked) == [("refunds", ["refund"]), ("the", [])]
