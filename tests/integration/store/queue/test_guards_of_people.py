"""Each condition of the statements behind queues for people: what needs one, and who has it before
them just now."""

from typing import Any

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.queue import reading_leases, silencing
from worker.store.reading import attention

ASKED = {"run": None, "reason": None, "decided": True, "before_run": None, "before_job": None,
         "limit": 9, "window": 9}  # fmt: skip
GROUPED = {"run": None, "decided": True, "window": 9}


def ended(rows: Rows, run: int, state: str, **columns: object) -> int:
    return rows.job(run, state=state, **{"reason": "schema"} | columns)


@pytest.mark.parametrize("state", attention.STATES)
def test_which_jobs_need_a_person(rows: Rows, state: str) -> None:
    run, other = rows.run(), rows.run()
    first, second = ended(rows, run, state), ended(rows, run, state, reason="refusal")
    ended(rows, run, "review" if state == "dead" else "dead")
    third = ended(rows, other, state)
    rows.insert("reviews", None, job_id=second, verdict="accept", reviewer="ada")

    def told(**asked: Any) -> list[int]:
        return [row[0] for row in rows.all(attention.LETTERS[state], **ASKED | asked)]

    assert told() == [third, second, first]
    assert told(run=run) == [second, first]
    assert told(reason="schema") == [third, first]
    assert told(decided=False) == [third, first]
    assert told(before_run=other, before_job=third) == [second, first]
    assert told(before_run=run, before_job=second) == [first]
    assert told(limit=1) == [third]
    assert told(window=2) == [third, second]
    grouped = [(*row[1:2], *row[3:5]) for row in rows.all(attention.CAUSES[state], **GROUPED)]
    assert grouped == [("run2", "schema", 1), ("run1", "refusal", 1), ("run1", "schema", 1)]
    undecided = rows.all(attention.CAUSES[state], **GROUPED | {"decided": False})
    assert [row[3] for row in undecided] == ["schema", "schema"]
    assert len(rows.all(attention.CAUSES[state], **GROUPED | {"run": other})) == 1


@pytest.mark.parametrize("state", attention.STATES)
def test_what_is_told_of_one_that_needs_a_person(rows: Rows, state: str) -> None:
    run = rows.run()
    job, beside = ended(rows, run, state), ended(rows, run, state)
    rows.attempt(beside, outcome="rejected")
    rows.insert("results", None, job_id=beside, fence=1, reply="r", tier="haiku", model="m",
                accepted=False, confidence="0.5")  # fmt: skip
    for reviewer, verdict in (("ada", "reject"), ("bob", "accept")):
        rows.insert("reviews", None, job_id=beside, verdict=verdict, reviewer=reviewer, reason="r")
    mine, near = rows.all(attention.LETTERS[state], **ASKED)[::-1]
    assert (mine[0], near[0]) == (job, beside)
    assert (mine[11:15], near[12:15]) == ((None, False, None, None), (True, "accept", "bob"))
    assert [row[4] for row in (mine, near)] == rows.firsts("SELECT external_id FROM messages")


@pytest.mark.parametrize("state", attention.STATES)
@pytest.mark.parametrize(
    ("lease", "read_by"),
    [
        ({}, "bob"),
        ({"kind": "audit"}, None),
        ({"fence": 1}, None),
        ({"until": "now() - interval '1 min'", "since": PAST}, None),
        ({"until": "now()", "since": PAST}, None),
    ],
)
def test_who_reads_one_just_now(
    rows: Rows, lease: dict[str, object], read_by: str | None, state: str
) -> None:
    run = rows.run()
    job, beside = ended(rows, run, state), ended(rows, run, state)
    leased(rows, job, **lease)
    told = rows.all(attention.LETTERS[state], **ASKED)
    assert [(row[0], row[15]) for row in told] == [(beside, None), (job, read_by)]


@pytest.mark.parametrize("state", attention.STATES)
def test_how_many_need_a_person(rows: Rows, state: str) -> None:
    run, other = rows.run(), rows.run()
    for one, jobs in ((run, 5), (other, 70)):
        for counted, more in ((state, 0), ("answered", 1000)):
            rows.insert("run_counts", None, run_id=one, state=counted, tier="", jobs=jobs + more)
        rows.insert("run_verdicts", None, run_id=one, verdict="accept", jobs=2)
    decided = 2 if state == "review" else 0
    assert rows.all(attention.TOTAL, state=state, run=run) == [(5 - decided,)]
    assert rows.all(attention.TOTAL, state=state, run=None) == [(75 - 2 * decided,)]


def leased(rows: Rows, job: int, **columns: object) -> None:
    known = {"kind": "review", "fence": 0, "holder": "bob/1", "reader": "bob", "since": "now()",
             "until": FUTURE}  # fmt: skip
    rows.insert("reading_leases", None, job_id=job, **known | columns)


OVER = {"since": "now() - interval '2 hours'", "until": PAST}
TAKEN = {"kind": "review", "job": 1, "fence": 0, "holder": "ada/1", "name": "ada", "lease": 60.0}


@pytest.mark.parametrize(
    ("lease", "given", "began_anew"),
    [
        ({}, False, False),
        (OVER, True, True),
        ({"since": PAST, "until": "now()"}, True, True),
        ({"holder": "ada/1", "since": PAST}, True, False),
        ({"holder": "ada/1"} | OVER, True, True),
        ({"fence": 1}, True, True),
        ({"kind": "audit"}, True, True),
        ({"job": 2}, True, True),
    ],
)
def test_an_item_is_given_to_one_at_a_time(
    rows: Rows, lease: dict[str, object], given: bool, began_anew: bool
) -> None:
    known = dict(lease)
    leased(rows, int(str(known.pop("job", 1))), **known)
    got = rows.all(reading_leases.TAKE, **TAKEN)
    assert bool(got) is given
    mine = "SELECT since = now(), until = now() + interval '60 s' FROM reading_leases"
    told = rows.all(f"{mine} WHERE kind = 'review' AND job_id = 1 AND fence = 0 AND reader = 'ada'")
    assert told == ([(began_anew, True)] if given else [])


def test_what_somebody_had_before_is_free_again(rows: Rows) -> None:
    leased(rows, 1, holder="ada/1")
    leased(rows, 2, holder="ada/1")
    leased(rows, 1, holder="ada/1", fence=1)
    leased(rows, 3)
    leased(rows, 4, kind="audit", holder="ada/1")
    left = "SELECT job_id FROM reading_leases"
    rows.all(reading_leases.LEAVE_OTHERS, **TAKEN)
    assert rows.firsts(left) == [1, 3, 4]


def test_whoever_leaves_gives_back_their_own(rows: Rows) -> None:
    leased(rows, 1, holder="ada/1")
    leased(rows, 2, holder="ada/1", until="now() + interval '2 hours'")
    leased(rows, 3)
    leased(rows, 4, kind="audit", holder="ada/1")
    left = "SELECT job_id FROM reading_leases"
    (until,) = rows.one("SELECT now() + interval '2 hours'")
    asked = {"kind": "review", "holder": "ada/1"}
    rows.all(reading_leases.LEAVE, **asked, until=until)
    assert rows.firsts(left) == [1, 3, 4]
    rows.all(reading_leases.LEAVE, **asked, until=None)
    assert rows.firsts(left) == [3, 4]


def test_a_job_with_its_verdict_is_before_nobody(rows: Rows) -> None:
    leased(rows, 1)
    leased(rows, 1, kind="audit")
    leased(rows, 2)
    rows.all(reading_leases.END, kind="review", job=1)
    assert rows.all("SELECT kind, job_id FROM reading_leases ORDER BY 2") == [
        ("audit", 1), ("review", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lease", "held"),
    [
        ({}, True),
        ({"kind": "audit"}, False),
        ({"fence": 1}, False),
        ({"holder": "ada/1"}, False),
        (OVER, False),
        ({"job": 2}, False),
    ],
)
def test_who_else_has_it(rows: Rows, lease: dict[str, object], held: bool) -> None:
    known = dict(lease)
    leased(rows, int(str(known.pop("job", 1))), **known)
    assert bool(rows.all(reading_leases.HELD, **TAKEN)) is held


def test_of_which_jobs_the_words_are_gone(rows: Rows) -> None:
    run = rows.run()
    erased = rows.message(erased_at=PAST)
    mine, kept = rows.job(run, erased), rows.job(run)
    rows.job(run, rows.message(erased_at=PAST))
    assert rows.firsts(silencing.ERASED, jobs=[mine, kept]) == [mine]
