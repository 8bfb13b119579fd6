"""Each condition of the statement that finds the passages of a message by its words."""

from typing import Any

import pytest

from tests.integration.store.queue.test_guards_of_pages import Shelf
from tests.support.near_misses import Rows
from worker.store import passages
from worker.store.rows import as_json

LIMITS: dict[str, Any] = {"limit": 5, "words": 10, "each": 200, "misspelt": 0.5,
                          "usual": "help with", "usually": 0.25}  # fmt: skip


def found(rows: Rows, *asked: dict[str, Any], **limits: Any) -> list[tuple[int, str]]:
    known = {"folders": ["a"], "dictionary": "simple"}
    said = [known | {"key": number} | one for number, one in enumerate(asked)]
    values = {"rows": as_json(said)} | LIMITS | limits
    return [(row[0], row[1]) for row in rows.all(passages.SEARCH, **values)]


def score(rows: Rows, said: str, **limits: Any) -> float:
    values = {"rows": [{"key": 1, "said": said, "folders": ["a"], "dictionary": "simple"}]}
    return float(rows.all(passages.SEARCH, **values | LIMITS | limits)[0][-1])


def test_words_find_their_passages_in_their_folder(rows: Rows) -> None:
    ours, theirs = Shelf(rows, "a"), Shelf(rows, "b")
    one, two = ours.page("one", "parcel"), ours.page("two", "card")
    ours.word("parcel", *one)
    ours.word("card", *two)
    theirs.word("parcel", *theirs.page("one", "their parcel"))
    assert found(rows, {"said": "parcel"}, {"said": "card", "dictionary": None}) == [
        (0, "one#0"), (1, "two#0"),
    ]  # fmt: skip
    both = [{"said": "parcel", "folders": ["a", "b"]}]
    assert [key for key, _ in found(rows, *both)] == [0, 0]
    (row,) = rows.all(passages.SEARCH, rows=as_json([{"key": 1, "said": "parcel", "folders": ["b"],
                      "dictionary": "simple"}]), **LIMITS)  # fmt: skip
    assert (row[2:6], row[8]) == (("one", "One", "h", "their parcel"), "b")
    assert found(rows, {"said": "nothing"}) == []


def test_a_rare_word_says_more_and_more_words_more(rows: Rows) -> None:
    shelf = Shelf(rows, "a", passages=100)
    one, two, three = (shelf.page(name, "x")[0] for name in ("one", "two", "three"))
    shelf.word("rare", two)
    shelf.word("common", one, two, three, passages=50)
    assert found(rows, {"said": "common rare"}) == [(0, "two#0"), (0, "one#0"), (0, "three#0")]
    assert found(rows, {"said": "common rare"}, limit=1) == [(0, "two#0")]
    # BM25's rarity: ln(1 + (all - those with it + 1/2) / (those with it + 1/2)).
    assert abs(score(rows, "rare") - 4.2098) < 1e-3
    assert abs(score(rows, "common") - 0.6931) < 1e-3
    assert abs(score(rows, "common rare") - 4.9030) < 1e-3


def test_a_word_that_weighs_more_in_a_passage_brings_it_first(rows: Rows) -> None:
    shelf = Shelf(rows, "a")
    one, two = shelf.page("one", "x")[0], shelf.page("two", "x")[0]
    shelf.word("parcel", one, passages=2, weight=0.5)
    rows.insert("knowledge_postings", None, folder_id=shelf.id, word="parcel", passage_id=two,
                weight=2.0)  # fmt: skip
    assert found(rows, {"said": "parcel"}) == [(0, "two#0"), (0, "one#0")]


def test_how_many_words_are_looked_up(rows: Rows) -> None:
    shelf = Shelf(rows, "a", passages=5_000)
    words = [f"w{chr(97 + n)}" for n in range(4)]
    pages = [shelf.page(word, "x")[0] for word in words]
    for number, (word, page) in enumerate(zip(words, pages, strict=True), 1):
        shelf.word(word, page, passages=number * 100)
    said = {"said": " ".join(words)}
    assert len(found(rows, said)) == 4
    assert [name for _, name in found(rows, said, words=1)] == ["wa#0"]
    assert [name for _, name in found(rows, said, words=2)] == ["wa#0", "wb#0"]
    unknown = {"said": "nobody knows wa"}
    assert [name for _, name in found(rows, unknown, words=1)] == ["wa#0"]


def test_a_word_is_looked_up_where_it_says_most(rows: Rows) -> None:
    shelf, other = Shelf(rows, "a", passages=100), Shelf(rows, "b", passages=100)
    other.word("parcel", *other.page("one", "x"), weight=2.1)
    one, two, three = (shelf.page(name, "x")[0] for name in ("one", "two", "three"))
    shelf.word("parcel", one, passages=3, weight=0.5)
    for page, weight in ((two, 2.0), (three, 1.0)):
        rows.insert("knowledge_postings", None, folder_id=shelf.id, word="parcel", passage_id=page,
                    weight=weight)  # fmt: skip
    assert found(rows, {"said": "parcel"}, each=2) == [(0, "two#0"), (0, "three#0")]
    # so it does not count where it says less
    shelf.word("card", one, passages=3, weight=0.1)
    both = [name for _, name in found(rows, {"said": "card parcel"}, each=2)]
    assert both == ["two#0", "three#0", "one#0"]


def test_words_with_which_people_ask_say_less(rows: Rows) -> None:
    shelf = Shelf(rows, "a", passages=100)
    for word in ("help", "card"):
        shelf.word(word, *shelf.page(word, "x"))
    assert found(rows, {"said": "help card"}) == [(0, "card#0"), (0, "help#0")]
    assert abs(score(rows, "card") - 4 * score(rows, "help")) < 1e-6
    assert found(rows, {"said": "help card"}, words=1) == [(0, "card#0")]
    shelf.word("helping", *shelf.page("helping", "x"))
    assert score(rows, "helping") == score(rows, "card"), "as the message's dictionary has it"
    shelf.word("with", *shelf.page("with", "x"))
    said = {"said": "helping with", "dictionary": "english"}
    assert [name for _, name in found(rows, said)] == ["help#0"]


@pytest.mark.parametrize(
    ("said", "is_found"),
    [
        ("parxel", True),  # another letter: both without the fourth
        ("parcl", True),  # one too few
        ("parceel", True),  # one too many
        ("pracel", True),  # two the wrong way round
        ("parcel", True),
        ("prcexl", False),  # without one letter it is the word without another, far away
        ("prceal", False),  # a letter that has moved further
        ("prxcel", False),  # two letters that stand beside each other, and differ
    ],
)
def test_a_word_with_one_typing_error_is_taken_for_the_one_meant(
    rows: Rows, said: str, is_found: bool
) -> None:
    shelf = Shelf(rows, "a")
    shelf.word("parcel", *shelf.page("one", "x"))
    for place in range(2, 7):
        shelf.spelled("parcel", "parcel"[: place - 1] + "parcel"[place:], place)
    shelf.spelled("parcel", "parcel", 0)
    assert bool(found(rows, {"said": said})) is is_found


def test_what_another_folder_holds_changes_nothing(rows: Rows) -> None:
    ours, theirs = Shelf(rows, "a", passages=100), Shelf(rows, "b", passages=100)
    ours.word("parcel", *ours.page("one", "x"))
    ours.word("letter", *ours.page("two", "x"))
    ours.spelled("parcel", "parel", 4)
    alone = score(rows, "parcel"), score(rows, "parxel")
    theirs.word("parcel", *theirs.page("one", "x"), passages=50)
    theirs.spelled("parcel", "parel", 4)
    theirs.spelled("letter", "leter", 3)
    assert (score(rows, "parcel"), score(rows, "parxel")) == alone
    assert found(rows, {"said": "lexter"}) == []


def test_a_word_that_is_only_taken_for_one_counts_for_less(rows: Rows) -> None:
    shelf = Shelf(rows, "a", passages=100)
    shelf.word("parcel", *shelf.page("one", "x"))
    shelf.spelled("parcel", "parel", 4)
    shelf.spelled("parcel", "parcel", 0)
    assert abs(score(rows, "parcel") - 2 * score(rows, "parxel")) < 1e-6


def test_short_words_numbers_and_words_that_are_known_are_not_guessed_at(rows: Rows) -> None:
    ours, theirs = Shelf(rows, "a"), Shelf(rows, "b")
    one, two = ours.page("one", "x")[0], ours.page("two", "x")[0]
    ours.word("cards", one)
    ours.word("carts", two)
    ours.word("card7s", two)
    long = "a" * 25 + "b"
    ours.word(long, two)
    ours.word("card", two)
    for word, part, place in (
        ("cards", "cars", 4), ("carts", "cars", 4), ("card7s", "cards", 5), ("card", "crd", 2),
        ("card", "card", 0), (long, long, 0), (long, "a" * 25, 26), (long, "a" * 24 + "b", 25),
    ):  # fmt: skip
        ours.spelled(word, part, place)
    theirs.spelled("cards", "cars", 4)
    assert found(rows, {"said": "cards"}) == [(0, "one#0")], "what is known is meant"
    assert found(rows, {"said": "crd"}) == [], "four letters"
    assert found(rows, {"said": "card7"}) == [], "a number"
    assert found(rows, {"said": "a" * 25}) == [], "longer than any word"
    assert found(rows, {"said": "carss", "folders": ["b"]}) == []


def test_of_two_that_may_be_meant_it_is_the_more_common(rows: Rows) -> None:
    shelf = Shelf(rows, "a")
    shelf.word("bards", *shelf.page("rare", "x"))
    shelf.word("carts", *shelf.page("common", "x"), passages=5)
    shelf.spelled("bards", "cards", 0)
    shelf.spelled("carts", "cars", 4)
    shelf.spelled("bards", "cars", 4)
    assert found(rows, {"said": "carys"}) == [(0, "common#0")]
