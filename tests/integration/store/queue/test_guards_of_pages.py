"""Each condition of the statements that find pages and name what answers stand on, and of those
around certificates: issued, listed, ended."""

from typing import Any

import pytest

from tests.support.near_misses import PAST, Rows
from worker.store import passages
from worker.store.actions import certificates as issuing
from worker.store.queue import certified
from worker.store.reading import certificates, knowledge_pages, sources
from worker.store.rows import as_json


class Shelf:
    """A folder with pages, each text a passage, and its words as the sync would count them."""

    def __init__(self, rows: Rows, name: str, passages: int = 10) -> None:
        self.rows, self.name, self.made = rows, name, 0
        self.id = rows.insert(
            "knowledge_folders", "id", name=name, version=f"v-{name}", passages=passages, chars=5
        )

    def page(self, name: str, *texts: str) -> list[int]:
        known = {"folder_id": self.id, "version": "1"}
        self.rows.insert("knowledge_pages", None, name=name, path=f"{name}.md", title=name.title(),
                         **known)  # fmt: skip
        return [
            self.rows.insert("knowledge_passages", "id", page=name, name=f"{name}#{place}",
                             place=place, heading="h", text=said, **known)
            for place, said in enumerate(texts)
        ]  # fmt: skip

    def word(self, word: str, *found_in: int, passages: int = 0, weight: float = 1.0) -> None:
        known = {"folder_id": self.id, "word": word}
        self.rows.insert("knowledge_words", None, passages=passages or len(found_in), **known)
        for one in found_in:
            self.rows.insert("knowledge_postings", None, passage_id=one, weight=weight, **known)

    def spelled(self, word: str, part: str, place: int) -> None:
        self.rows.insert("knowledge_spellings", None, folder_id=self.id, word=word, part=part,
                         place=place)  # fmt: skip


LIMITS: dict[str, Any] = {"limit": 5, "words": 10, "postings": 2_000, "misspelt": 0.5}


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
    assert [name for _, name in found(rows, said, postings=0)] == ["wa#0", "wb#0"]
    assert [name for _, name in found(rows, said, postings=600)] == ["wa#0", "wb#0", "wc#0"]


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


def test_pages_that_are_shown_whole_and_by_name(rows: Rows) -> None:
    first, second = Shelf(rows, "z"), Shelf(rows, "a")
    first.page("two", "c")
    first.page("one", "a", "b")
    second.page("one", "d")
    Shelf(rows, "other").page("three", "e")
    asked = {"folders": ["z", "a"]}
    told = [(row[0], row[2], row[4], row[7]) for row in rows.all(passages.WHOLE, **asked)]
    assert told == [
        ("one#0", "One", "a", "z"), ("one#1", "One", "b", "z"), ("two#0", "Two", "c", "z"),
        ("one#0", "One", "d", "a"),
    ]  # fmt: skip
    named = rows.all(passages.NAMED, **asked, names=["one#0", "three#0"])
    assert [(row[0], row[3], row[5], row[8]) for row in named] == [
        ("one#0", "One", "a", "z"), ("one#0", "One", "d", "a"),
    ]  # fmt: skip
    assert [row[0] for row in rows.all(passages.FOLDERS)] == ["a", "other", "z"]


def test_folders_pages_and_sections_as_people_look_through_them(rows: Rows) -> None:
    first, second = Shelf(rows, "z"), Shelf(rows, "a")
    for name in ("one", "two", "three"):
        first.page(name, f"{name} 0", f"{name} 1")
    second.page("one", "d")
    told = {row[0]: row[-1] for row in rows.all(knowledge_pages.FOLDERS)}
    assert told == {"a": 1, "z": 3}
    asked = {"folder": "z", "limit": 5}
    assert [row[0] for row in rows.all(knowledge_pages.PAGES, after="", **asked)] == [
        "one", "three", "two",
    ]  # fmt: skip
    assert [row[0] for row in rows.all(knowledge_pages.PAGES, after="one", **asked)] == [
        "three", "two",
    ]  # fmt: skip
    sections = rows.all(knowledge_pages.SECTIONS, folder="z", page="one")
    assert [row[2] for row in sections] == ["one 0", "one 1"]


def test_messages_that_no_page_answers(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    why = {"state": "review", "reason": "not_covered"}
    subject = rows.message(subject="Help", body="me")
    first, second = rows.job(run, subject, **why), rows.job(other, **why)
    rows.job(run, **why | {"reason": "schema"})
    rows.job(run, **why | {"state": "dead"})
    rows.job(run, rows.message(erased_at=PAST), **why)
    asked = {"run": None, "reason": "not_covered", "limit": 9, "window": 99}
    told = rows.all(sources.UNCOVERED, **asked)
    assert [(row[0], row[2]) for row in told] == [(second, "Where?"), (first, "Help me")]
    few = ({"run": run}, {"limit": 1}, {"run": run, "window": 2}, {"run": run, "window": 3})
    found = [rows.firsts(sources.UNCOVERED, **asked | one) for one in few]
    assert found == [[first], [second], [], [first]]


def test_what_accepted_answers_name_most(rows: Rows) -> None:
    run = rows.run()

    def says(of: int, fields: str, *, state: str = "answered", accepted: bool = True) -> None:
        job = rows.job(of, state=state)
        rows.attempt(job, outcome="accepted")
        rows.insert("results", None, job_id=job, fence=1, reply="r", tier="haiku", model="m",
                    accepted=accepted, fields=fields)  # fmt: skip

    says(run, '{"sources": ["b", "a"]}')
    says(run, '{"sources": ["b"]}')
    says(run, '{"sources": "b"}')
    says(run, "{}")
    says(run, '{"sources": ["a"]}', accepted=False)
    says(run, '{"sources": ["a"]}', state="review")
    says(rows.run(), '{"sources": ["a"]}')
    assert rows.all(sources.CITED, run=run, limit=9) == [("b", 2), ("a", 1)]


def test_looks_at_one_question_are_counted(rows: Rows) -> None:
    for action, target, labels in (
        ("certify", "q", "l1"), ("certify", "other", "l2"), ("audit", "q", "l3"),
        ("certify", "q", "l0"),
    ):  # fmt: skip
        rows.insert("audit_events", None, actor="ada", action=action, target=target, affected=0,
                    detail=f'{{"labels": "{labels}"}}')  # fmt: skip
    assert rows.all(issuing.LOOKS, target="q") == [("l1",), ("l0",)]


def test_certificates_with_their_newest_evidence(rows: Rows) -> None:
    first, second = rows.certificate(), rows.certificate()
    kept = {"wealth": [0.5], "detector": [0.5], "most": 0.5}
    for number, day, audits in ((first, "2026-01-01", 1), (first, "2026-01-02", 2)):
        rows.insert("evidence", None, certificate_id=number, day=day, audits=audits, errors=1,
                    **kept)  # fmt: skip

    def told(wanted: int | None, limit: int = 9) -> list[tuple[int, int, int]]:
        found = rows.connection.execute(certificates.LIST, {"id": wanted, "limit": limit})
        return [(row.id, row.audits, row.wrong) for row in found]

    assert told(None) == [(second, 0, 0), (first, 2, 1)]
    assert told(first) == [(first, 2, 1)]
    assert told(None, 1) == [(second, 0, 0)]
    assert [row[2] for row in rows.all(certificates.DAYS, id=first)] == [1, 2]
    assert rows.all(certificates.DAYS, id=second) == []


def test_a_certificate_ends_once_and_rehearsals_are_named(rows: Rows) -> None:
    mine, real = rows.certificate(rehearsal=True), rows.certificate()
    other = rows.certificate(rehearsal=True)
    void = rows.certificate(rehearsal=True, state="void", voided_by="why")
    named = [{"certificate": number} for number in (mine, mine, real, void)]
    assert rows.firsts(certified.REHEARSALS, rows=named) == [mine]
    for number in (mine, void):
        rows.all(certified.END, id=number, why="because")
    told = rows.all("SELECT id, voided_by FROM certificates WHERE state = 'void' ORDER BY 1")
    assert told == [(mine, "because"), (void, "why")]
    assert rows.firsts("SELECT id FROM certificates WHERE state <> 'void'") == [real, other]
