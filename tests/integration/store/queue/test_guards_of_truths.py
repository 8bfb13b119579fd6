"""Each condition of the statements about verdicts: which of them stand, what they close and open
again, and whom a certificate hears."""

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.actions import truths
from worker.store.queue import vigils


def test_which_answers_are_there_to_be_judged(rows: Rows) -> None:
    job = rows.routed(rows.run())
    for fence, columns in enumerate(
        ({"outcome": "accepted"}, {"outcome": "rejected"}, {"outcome": "lost"},
         {"outcome": "accepted", "stage": "route"}), 1
    ):  # fmt: skip
        rows.attempt(job, fence=fence, **columns)
    asked = [{"job_id": job, "fence": fence} for fence in (1, 2, 3, 4, 5)]
    assert rows.all(truths.KNOWN, rows=asked) == [(2,)]


def test_a_verdict_supersedes_that_of_the_same_person_on_the_same_answer(rows: Rows) -> None:
    run = rows.run()
    job, beside = rows.answered(run), rows.answered(run)
    rows.attempt(job, fence=2, outcome="rejected")
    mine = rows.judged(job)
    for other, columns in (
        (job, {"fence": 2}), (job, {"grader_name": "bob"}), (job, {"grader": "import"}),
        (beside, {}), (job, {"undone_at": "now() - interval '1 day'"}),
    ):  # fmt: skip
        rows.judged(other, **columns)
    values = {"rows": [{"job_id": job, "fence": 1}], "grader": "person", "name": "ada"}
    rows.all(truths.SUPERSEDE, **values)
    assert rows.firsts("SELECT id FROM truths WHERE undone_at > now() - interval '1 hour'") == [
        mine
    ]


def test_whoever_judges_is_done_reading_it(rows: Rows) -> None:
    run = rows.run()
    job, beside = rows.answered(run), rows.answered(run)
    known = {"kind": "audit", "job_id": job, "fence": 1, "reader": "ada", "since": "now()",
             "until": FUTURE}  # fmt: skip
    near = ({}, {"kind": "review"}, {"job_id": beside}, {"fence": 2}, {"fence": 3, "reader": "bob"})
    for number, columns in enumerate(near):
        rows.insert("reading_leases", None, holder=f"h{number}", **known | columns)
    asked = [{"job_id": job, "fence": 1}, {"job_id": job, "fence": 3}]
    rows.all(truths.END_READING, rows=asked, kind="audit", name="ada")
    left = rows.firsts("SELECT holder FROM reading_leases")
    assert left == ["h1", "h2", "h3", "h4"]


@pytest.mark.parametrize(
    ("again", "others", "state"),
    [
        (True, (), "second"),
        (True, ({"grader_name": "bob"},), "graded"),
        (True, ({"grader_name": "bob", "undone_at": PAST},), "second"),
        (True, ({"grader_name": "bob", "grader": "import"},), "second"),
        (True, ({"grader_name": "bob", "fence": 2},), "second"),
        (False, (), "graded"),
    ],
)
def test_an_audit_closes_when_as_many_have_judged_as_should(
    rows: Rows, again: bool, others: tuple[dict[str, object], ...], state: str
) -> None:
    run = rows.run()
    job, beside = rows.answered(run), rows.answered(run)
    rows.attempt(job, fence=2, outcome="rejected")
    for one, fence in ((job, 1), (job, 2), (beside, 1)):
        rows.audited(one, run, fence=fence, again=again)
    rows.judged(job)
    rows.judged(beside, grader_name="carl")
    for columns in others:
        rows.judged(job, **columns)
    asked = {"rows": [{"job_id": job, "fence": 1}]}
    rows.all(truths.CLOSE, grader="tier", **asked)
    assert rows.firsts("SELECT DISTINCT state FROM audits") == ["open"]
    rows.all(truths.CLOSE, grader="person", **asked)
    told = rows.all("SELECT job_id, fence, state FROM audits ORDER BY 1, 2")
    assert told == [(job, 1, state), (job, 2, "open"), (beside, 1, "open")]


def test_the_last_verdict_of_a_person_is_taken_back(rows: Rows) -> None:
    job = rows.answered(rows.run())
    rows.judged(job, grader_name="eve", undone_at=PAST)
    first = rows.judged(job)
    rows.attempt(job, fence=2, outcome="rejected")
    for columns in ({"grader_name": "bob"}, {"grader": "import"}, {"fence": 2, "undone_at": PAST}):
        rows.judged(job, **columns)
    assert rows.all(truths.UNDO, name="ada") == [(job, 1)]
    assert rows.all("SELECT id FROM truths WHERE undone_at >= now()") == [(first,)]
    assert rows.all(truths.UNDO, name="ada") == []


@pytest.mark.parametrize(
    ("again", "verdicts", "state"),
    [
        (False, [{}], "graded"),
        (True, [{}], "second"),
        (True, [{"grader": "import"}], "second"),
        (True, [{}, {"grader_name": "bob"}], "graded"),
        (True, [{}, {"grader_name": "bob", "undone_at": PAST}], "second"),
        (True, [{}, {"grader_name": "bob", "grader": "import"}], "second"),
        (True, [{}, {"grader_name": "bob", "fence": 2}], "second"),
        (False, [{"grader": "tier"}], "open"),
        (True, [{"undone_at": PAST}], "open"),
        (False, [{"fence": 2}], "open"),
        (True, [], "open"),
    ],
)
def test_an_audit_whose_verdict_was_taken_back_opens(
    rows: Rows, again: bool, verdicts: list[dict[str, object]], state: str
) -> None:
    run = rows.run()
    job, beside = rows.answered(run), rows.answered(run)
    rows.attempt(job, fence=2, outcome="rejected")
    for one, fence in ((job, 1), (job, 2), (beside, 1)):
        rows.audited(one, run, fence=fence, state="graded", again=again)
    for verdict in verdicts:
        rows.judged(job, **verdict)
    rows.judged(beside, grader_name="eve")
    rows.all(truths.REOPEN, job=job, fence=1)
    told = rows.all("SELECT job_id, fence, state FROM audits ORDER BY 1, 2")
    assert told == [(job, 1, state), (job, 2, "graded"), (beside, 1, "graded")]


def test_which_answer_a_row_of_a_file_means(rows: Rows) -> None:
    run, again = rows.run(), rows.run()
    job = rows.answered(run, fence=3, tier="opus")
    external = rows.one("SELECT external_id FROM messages")[0]
    (message,) = rows.one("SELECT id FROM messages")
    elsewhere = rows.answered(again, message=message)
    rows.attempt(elsewhere, fence=3, outcome="rejected")
    rows.answered(run, fence=5)
    rows.attempt(job, fence=1, outcome="rejected", tier="haiku")
    rows.attempt(job, fence=2, outcome="lost", tier="sonnet")
    rows.attempt(job, fence=4, outcome="accepted", tier="mini", stage="route")
    known = {"job": None, "run": None, "external_id": None, "tier": None}
    asked = [
        {"line": 1, "job": job},
        {"line": 2, "run": "run1", "external_id": external},
        {"line": 3, "job": job, "tier": "haiku"},
        {"line": 4, "job": job, "tier": "sonnet"},
        {"line": 5, "job": job, "tier": "mini"},
        {"line": 6, "run": "run1", "external_id": "another"},
        {"line": 7, "run": "another", "external_id": external},
        {"line": 8, "job": elsewhere, "run": "run1", "external_id": external},
    ]
    told = rows.all(truths.FIND, rows=[known | one for one in asked])
    assert sorted(told) == [(1, job, 3), (2, job, 3), (3, job, 1), (8, elsewhere, 1)]


NEAR: dict[str, tuple[dict[str, object], dict[str, object], bool]] = {
    "as it should be": ({}, {}, True),
    "without a certificate": ({"certificate_id": None}, {}, False),
    "not accepted": ({"outcome": "rejected"}, {}, False),
    "a shadow's": ({}, {"purpose": "shadow"}, False),
}


@pytest.mark.parametrize("near", NEAR)
def test_whom_a_certificate_hears(rows: Rows, near: str) -> None:
    attempt, audit, heard = NEAR[near]
    number = rows.certificate()
    run = rows.run()
    jobs = [rows.job(run, state="answered") for _ in range(3)]
    for job in jobs:
        rows.attempt(job, **{"outcome": "accepted", "certificate_id": number} | attempt)
        rows.audited(job, run, **audit)
        rows.judged(job, False)
    mine = [{"job_id": jobs[0], "fence": 1}]
    wanted = attempt.get("certificate_id", number)
    assert rows.all(vigils.FRESH, rows=mine) == ([(wanted, True)] if heard else [])
    assert rows.all(vigils.TOUCHED, rows=mine) == ([(wanted,)] if heard else [])
    assert rows.all(vigils.PASSED, rows=mine) == ([(wanted, 1)] if heard else [])
    assert rows.all(vigils.ALL, id=number) == ([(True,)] * 3 if heard else [])
    assert rows.all(vigils.ALL, id=number + 1) == []


def test_an_answer_is_heard_once_and_only_of_those_who_judge(rows: Rows) -> None:
    number, run = rows.certificate(), rows.run()
    jobs = [rows.job(run, state="answered") for _ in range(5)]
    once, twice, by_tier, undone, passed = jobs
    for job in jobs:
        rows.attempt(job, outcome="accepted", certificate_id=number)
        rows.attempt(job, fence=2, outcome="accepted", certificate_id=number)
        rows.audited(job, run, state="passed" if job in (by_tier, passed) else "open")
    rows.judged(once, True, grader="tier", grader_name="opus")
    rows.judged(once, False)
    rows.judged(once, True, grader_name="eve", undone_at=PAST)
    rows.judged(once, True, grader_name="eve", fence=2)
    rows.judged(twice)
    rows.judged(twice, False, grader_name="bob")
    rows.judged(by_tier, False, grader="tier", grader_name="opus")
    rows.judged(undone, False, undone_at=PAST)
    rows.judged(passed, False, grader="tier", grader_name="opus")
    rows.judged(passed, True)
    heard = {
        job: rows.all(vigils.FRESH, rows=[{"job_id": job, "fence": 1}])
        for job in (once, twice, by_tier, undone)
    }
    assert heard == {once: [(number, True)], twice: [], by_tier: [], undone: []}
    # What the tier found of one that it passed is heard where no person has looked at it.
    assert rows.all(vigils.ALL, id=number) == [(True,), (False,), (True,), (False,)]
    rows.all("UPDATE audits SET state = 'open'")
    assert rows.all(vigils.ALL, id=number) == [(True,), (False,), (False,)]


def test_what_is_kept_of_a_certificate_is_its_own(rows: Rows) -> None:
    mine, other = rows.certificate(), rows.certificate(state="amber")
    kept = {"audits": 3, "errors": 1, "wealth": [0.5], "detector": [0.25], "most": 0.5}
    for number in (mine, other):
        rows.all(vigils.KEEP, id=number, **kept)
    rows.insert("evidence", None, certificate_id=mine, day="2026-01-01", **kept | {"audits": 1})
    rows.insert("evidence", None, certificate_id=other, day="2999-01-01", **kept | {"audits": 9})
    assert rows.all(vigils.LAST, id=mine)[0][2] == 3
    rows.all(vigils.REST, id=mine)
    told = rows.all("SELECT certificate_id, audits, detector FROM evidence ORDER BY 1, 2")
    beside = [(other, 3, [0.25]), (other, 9, [0.25])]
    assert told == [(mine, 1, [0.25]), (mine, 3, [0.0]), *beside]
    rows.all(vigils.LIFT, id=mine)
    states = "SELECT state, changed_at > now() FROM certificates ORDER BY id"
    assert rows.all(states) == [("valid", False), ("amber", False)]
    rows.all(vigils.DOUBT, id=mine)
    assert rows.all(states) == [("amber", True), ("amber", False)]
    rows.all(vigils.LIFT, id=mine)
    assert rows.all(states) == [("valid", True), ("amber", False)]
    assert [row.id for row in rows.connection.execute(vigils.CERTIFICATE, {"id": mine})] == [mine]
    rows.all(vigils.FORGET, id=mine)
    assert rows.firsts("SELECT DISTINCT certificate_id FROM evidence") == [other]
