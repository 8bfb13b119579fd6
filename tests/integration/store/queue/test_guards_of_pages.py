"""Each condition of the statements that list pages and name what answers stand on, and of those
around certificates: issued, listed, ended."""

from tests.support.near_misses import PAST, Rows
from worker.store import passages
from worker.store.actions import certificates as issuing
from worker.store.queue import certified
from worker.store.reading import certificates, knowledge_pages, sources


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
    asked = {"run": None, "reason": "not_covered", "window": 99}
    told = rows.all(sources.UNCOVERED, **asked)
    assert [(row[0], row[2]) for row in told] == [(second, "Where?"), (first, "Help me")]
    few = ({"run": run}, {"window": 1}, {"run": run, "window": 2}, {"run": run, "window": 3})
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
