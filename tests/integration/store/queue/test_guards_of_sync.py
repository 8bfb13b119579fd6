"""Each condition of the statements that make what is stored of a folder what its pages are now, and
each term of the weight of a word."""

import pytest

from tests.integration.store.queue.test_guards_of_pages import Shelf
from tests.support.near_misses import Rows
from worker.store import knowledge
from worker.store.knowledge import AVERAGE_WORDS, HEADING_COUNTS

WORDS = "SELECT folder_id, word, passages FROM knowledge_words ORDER BY 1, 2"


@pytest.fixture
def shelves(rows: Rows) -> tuple[Shelf, Shelf]:
    """Two folders whose pages are called alike, each passage with a word."""
    ours, theirs = Shelf(rows, "ours"), Shelf(rows, "theirs")
    for shelf in (ours, theirs):
        shelf.word("parcel", *shelf.page("one", "a parcel"))
        shelf.word("card", *shelf.page("two", "a card"))
    return ours, theirs


def test_pages_go_out_of_their_folder_with_all_that_is_known_of_them(
    rows: Rows, shelves: tuple[Shelf, Shelf]
) -> None:
    ours, theirs = shelves
    assert rows.firsts(knowledge.VERSIONS, folder=ours.id) == ["one", "two"]
    # when
    gone = {"folder": ours.id, "pages": ["one"]}
    rows.all(knowledge.DELETE_PASSAGES, **gone)
    rows.all(knowledge.DELETE_PAGES, **gone)
    # then
    left = [(ours.id, "two"), (theirs.id, "one"), (theirs.id, "two")]
    assert rows.all("SELECT folder_id, page FROM knowledge_passages ORDER BY 1, 2") == left
    assert rows.all("SELECT folder_id, name FROM knowledge_pages ORDER BY 1, 2") == left
    words = rows.all("SELECT folder_id, word FROM knowledge_postings ORDER BY 1, 2 DESC")
    assert words == [(ours.id, "card"), (theirs.id, "parcel"), (theirs.id, "card")]
    # and what is counted is the folder's own
    rows.all(knowledge.SUM_UP, folder=ours.id, version="new")
    summed = rows.all("SELECT version, passages, chars FROM knowledge_folders ORDER BY id")
    assert summed == [("new", 1, len("a card")), ("v-theirs", 10, 5)]


def test_words_are_counted_in_their_folder(rows: Rows, shelves: tuple[Shelf, Shelf]) -> None:
    ours, theirs = shelves
    rows.all("UPDATE knowledge_words SET passages = 7")
    ours.word("stale", passages=3)
    rows.all(knowledge.COUNT_WORDS, folder=ours.id)
    assert rows.all(WORDS) == [
        (ours.id, "card", 1), (ours.id, "parcel", 1), (theirs.id, "card", 7),
        (theirs.id, "parcel", 7),
    ]  # fmt: skip


def test_spellings_go_with_the_words_of_their_folder(
    rows: Rows, shelves: tuple[Shelf, Shelf]
) -> None:
    ours, theirs = shelves
    theirs.word("known", passages=1)
    for shelf, word in ((ours, "parcel"), (ours, "known"), (theirs, "lost")):
        shelf.spelled(word, word, 0)
    rows.all(knowledge.FORGET_SPELLINGS, folder=ours.id)
    assert rows.firsts("SELECT word FROM knowledge_spellings") == ["lost", "parcel"]


def test_a_word_is_spelled_without_each_letter_but_the_first(
    rows: Rows, shelves: tuple[Shelf, Shelf]
) -> None:
    ours, theirs = shelves
    theirs.word("other", passages=1)
    for word in ("house", "h" * 25, "h" * 24, "house7"):
        ours.word(word, passages=1)
    for _ in range(2):
        rows.all(knowledge.SPELL, folder=ours.id)
    asked = "SELECT part, place FROM knowledge_spellings WHERE word = 'house' ORDER BY place"
    spelt = [("house", 0), ("huse", 2), ("hose", 3), ("houe", 4), ("hous", 5)]
    assert rows.all(asked) == spelt
    known = rows.firsts("SELECT DISTINCT word FROM knowledge_spellings")
    assert known == ["h" * 24, "house", "parcel"]


def test_a_word_weighs_more_where_it_stands_often_and_less_in_what_is_long(rows: Rows) -> None:
    shelf = Shelf(rows, "ours")
    page = {"page": "one", "name": "one#0", "place": 0, "heading": "head", "title": "title",
            "text": "parcel parcel card", "language": "en", "version": "1",
            "dictionary": "simple"}  # fmt: skip
    rows.all(knowledge.WRITE_PASSAGES, folder=shelf.id, rows=[page], heading=HEADING_COUNTS,
             average=AVERAGE_WORDS)  # fmt: skip
    long = 3 + 2 * HEADING_COUNTS
    times = {"parcel": 2, "card": 1, "head": HEADING_COUNTS, "title": HEADING_COUNTS}
    found = dict(rows.all("SELECT word, weight FROM knowledge_postings"))
    share = 2.0 * (0.85 + 0.15 * long / AVERAGE_WORDS)
    assert found == pytest.approx({word: n * 3.0 / (n + share) for word, n in times.items()})
