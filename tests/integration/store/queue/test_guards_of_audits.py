"""Each condition of the statements around audits: what chance draws, who is given what to
judge, and how it is counted."""

from decimal import Decimal

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.actions import audits as later
from worker.store.queue import audits as drawing
from worker.store.reading import audits as reading

ALL, NONE = Decimal(1), Decimal("0.00000001")
"""Shares: of which every job is drawn, and of which as good as none."""


def drawn(rows: Rows) -> list[object]:
    return rows.all("SELECT job_id, fence, purpose, again FROM audits ORDER BY 1, 2")


def test_chance_draws_the_results_of_these_jobs_at_their_share(rows: Rows) -> None:
    run = rows.run()
    mine, beside, rare = (rows.answered(run, fence=n) for n in (1, 1, 2))
    open_one = rows.routed(run)
    asked = [{"job_id": job, "run_id": run, "share": 1} for job in (mine, open_one)]
    asked.append({"job_id": rare, "run_id": run, "share": str(NONE)})
    rows.all(drawing.DRAW, rows=asked, again=1)
    assert drawn(rows) == [(mine, 1, "audit", True)]
    rows.all(drawing.DRAW, rows=[asked[0] | {"job_id": beside}], again=0)
    assert drawn(rows)[-1] == (beside, 1, "audit", False)


def test_of_a_shadow_everything_that_was_said_is_looked_at(rows: Rows) -> None:
    run = rows.run()
    mine, rare, beside = rows.routed(run), rows.routed(run), rows.routed(run)
    for job in (mine, rare, beside):
        rows.attempt(job, fence=1, outcome="rejected")
        rows.attempt(job, fence=2, outcome="accepted", tier="opus")
        rows.attempt(job, fence=3, outcome="lost")
        rows.attempt(job, fence=4, outcome="accepted", stage="route")
    asked = [{"job_id": mine, "run_id": run, "shadow": 1}]
    asked.append({"job_id": rare, "run_id": run, "shadow": str(NONE)})
    rows.all(drawing.DRAW_SHADOWS, rows=asked)
    assert rows.firsts("SELECT job_id FROM shadows") == [mine]
    rows.insert("shadows", None, job_id=beside, run_id=run, probability=1)
    rows.all(drawing.LOOK_AT_ALL, rows=asked)
    assert drawn(rows) == [(mine, 1, "shadow", False), (mine, 2, "shadow", False)]


def test_a_share_that_is_raised_draws_of_that_run_alone(rows: Rows) -> None:
    run, other = rows.run(audit_share="0.1"), rows.run(audit_share="0.2")
    seen, mine, theirs = rows.answered(run), rows.answered(run), rows.answered(other)
    for job, of, purpose in ((seen, run, "shadow"), (theirs, other, "audit")):
        rows.audited(job, of, purpose=purpose)
    was = rows.answered(run)
    rows.audited(was, run)
    rows.answered(other)
    values = {"run": run, "share": ALL, "again": 0}
    assert rows.all(later.SHARE, run=run) == [(Decimal("0.1"),)]
    rows.all(later.RAISE, run=run, share=Decimal("0.9"))
    assert [float(one[0]) for one in rows.all("SELECT audit_share FROM runs ORDER BY id")] == [
        0.9, 0.2,
    ]  # fmt: skip
    rows.all(later.REWEIGH, run=run, share=Decimal("0.9"))
    chances = "SELECT job_id, probability::float8, purpose FROM audits ORDER BY 1"
    assert rows.all(chances) == [
        (seen, 0.5, "shadow"), (theirs, 0.5, "audit"), (was, 0.9, "audit"),
    ]  # fmt: skip
    rows.all(later.DRAW_LATER, **values | {"share": NONE})
    assert len(drawn(rows)) == 3
    rows.answered(run, message=rows.message(erased_at=PAST))
    rows.all(later.DRAW_LATER, **values | {"share": ALL})
    assert rows.all(chances) == [
        (seen, 1.0, "audit"), (mine, 1.0, "audit"), (theirs, 0.5, "audit"), (was, 0.9, "audit"),
    ]  # fmt: skip


def test_shadows_that_are_raised_are_of_that_run_and_have_ended(rows: Rows) -> None:
    run, other = rows.run(shadow_share="0.1"), rows.run(shadow_share="0.2")
    mine, theirs = rows.answered(run), rows.answered(other)
    waiting, rare = rows.routed(run), rows.run()
    rows.answered(rare)
    rows.answered(run, message=rows.message(erased_at=PAST))
    at_people = rows.job(run, state="review")
    rows.attempt(at_people, outcome="rejected")
    rows.attempt(at_people, fence=2, outcome="lost")
    rows.attempt(at_people, fence=3, outcome="accepted", stage="route")
    rows.attempt(waiting, outcome="rejected")
    assert rows.all(later.SHADOW_SHARE, run=run) == [(Decimal("0.1"),)]
    rows.all(later.RAISE_SHADOWS, run=run, share="0.9")
    assert [float(one[0]) for one in rows.all("SELECT shadow_share FROM runs ORDER BY id")] == [
        0.9, 0.2, 0.0,
    ]  # fmt: skip
    rows.insert("shadows", None, job_id=theirs, run_id=other, probability="0.5")
    rows.audited(theirs, other, purpose="shadow")
    rows.all(later.SHADOWS_LATER, run=rare, share=NONE)
    rows.all(later.SHADOWS_LATER, run=run, share=ALL)
    assert rows.firsts("SELECT job_id FROM shadows") == sorted([mine, theirs, at_people])
    rows.audited(waiting, run)
    rows.all(later.LOOKS_LATER, run=run)
    assert {(job, fence, why) for job, fence, why, _ in drawn(rows)} == {
        (theirs, 1, "shadow"), (waiting, 1, "audit"), (mine, 1, "shadow"), (at_people, 1, "shadow"),
    }  # fmt: skip
    rows.all(later.REWEIGH_SHADOWS, run=run, share="0.25")
    rows.all(later.REWEIGH_LOOKS, run=run, share="0.25")
    for table in ("shadows", "audits"):
        told = rows.all(f"SELECT job_id, probability::float8 FROM {table}")
        expected = {mine: 0.25, theirs: 0.5, at_people: 0.25}
        assert dict(told) == expected | ({waiting: 0.5} if table == "audits" else {})


QUEUED = {"judge": "ada", "run": None, "limit": None, "holder": None}


def test_what_a_judge_is_given(rows: Rows) -> None:
    run = rows.run()
    erased = rows.message(erased_at=PAST)
    first, second, mine, taken_back, bobs = (rows.answered(run) for _ in range(5))
    by_tier, done = rows.answered(run), rows.answered(run)
    rows.audited(first, run)
    for job in (second, mine, taken_back, bobs, by_tier):
        rows.audited(job, run, state="second")
    rows.audited(done, run, state="graded")
    rows.audited(rows.answered(run, message=erased), run)
    rows.judged(mine)
    rows.judged(mine, fence=1, grader_name="bob")
    rows.judged(taken_back, undone_at=PAST)
    rows.judged(bobs, grader_name="bob")
    rows.judged(by_tier, grader="tier")
    assert rows.firsts(reading.QUEUE, **QUEUED) == [first, second, taken_back, bobs, by_tier]


def test_a_verdict_on_another_answer_of_the_job_is_another(rows: Rows) -> None:
    run = rows.run()
    job = rows.answered(run, fence=2)
    rows.attempt(job, fence=1, outcome="rejected")
    rows.call(job, output='{"reply": "said first"}', state="done", finished_at="now()")
    rows.audited(job, run, fence=1)
    rows.audited(job, run, fence=2)
    rows.judged(job, fence=2)
    (row,) = rows.all(reading.QUEUE, **QUEUED)
    assert (row[:2], row[5:7]) == ((job, 1), (None, '{"reply": "said first"}'))


def test_an_answer_that_was_climbed_past_is_what_the_model_said(rows: Rows) -> None:
    run = rows.run()
    climbed, silent = rows.routed(run), rows.routed(run)
    for job in (climbed, silent):
        rows.attempt(job, outcome="rejected")
        rows.attempt(job, fence=2, outcome="rejected")
        rows.audited(job, run)
        rows.call(job, purpose="classify", output="a label", state="done", finished_at="now()")
        rows.call(job, fence=2, output="another", state="done", finished_at="now()")
    rows.call(climbed, output="said", state="done", finished_at="now()")
    kept = rows.answered(run)
    rows.audited(kept, run)
    rows.call(kept, output="raw", state="done", finished_at="now()")
    told = {row[0]: row[5:7] for row in rows.all(reading.QUEUE, **QUEUED)}
    assert told == {climbed: (None, "said"), kept: (f"reply {kept}", None)}


def test_a_queue_of_a_run_holds_its_shadows_too_and_names_none_of_them(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    shadow = rows.run(parent_id=run, kind="shadow")
    again = rows.run(parent_id=run, kind="reprocess")
    for one in (run, other, shadow, again):
        rows.audited(rows.answered(one), one)
    told = rows.all(reading.QUEUE, **QUEUED | {"run": run})
    assert [row[2] for row in told] == ["run1", "run1"]
    assert sorted(row[2] for row in rows.all(reading.QUEUE, **QUEUED)) == [
        "run1", "run1", "run2", "run4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lease", "free"),
    [
        ({}, False),
        ({"kind": "review"}, True),
        ({"fence": 2}, True),
        ({"until": PAST, "since": "now() - interval '2 hours'"}, True),
        ({"holder": "me"}, True),
    ],
)
def test_what_another_reads_is_given_to_nobody(
    rows: Rows, lease: dict[str, object], free: bool
) -> None:
    run = rows.run()
    mine, other = rows.answered(run), rows.answered(run)
    for job in (mine, other):
        rows.audited(job, run)
    known = {"kind": "audit", "fence": 1, "holder": "bob", "reader": "bob", "since": "now()",
             "until": FUTURE}  # fmt: skip
    rows.insert("reading_leases", None, job_id=mine, **known | lease)
    asked = QUEUED | {"holder": "me"}
    assert rows.firsts(reading.QUEUE, **asked) == ([mine] if free else []) + [other]
    assert rows.firsts(reading.QUEUE, **QUEUED) == [mine, other]


NAMES = ("drawn", "judging", "passed", "open", "right", "wrong", "unsure", "twice", "disagree")
STORY: dict[str, tuple[str, tuple[tuple[str, bool | None], ...]]] = {
    "open": ("open", ()),
    "judging": ("judging", ()),
    "passed": ("passed", ()),
    "passed, and looked at": ("passed", (("ada", True),)),
    "right": ("graded", (("ada", True),)),
    "wrong": ("graded", (("ada", False),)),
    "unsure": ("graded", (("ada", None),)),
    "both right": ("graded", (("ada", True), ("bob", True))),
    "both wrong": ("graded", (("ada", False), ("bob", False))),
    "disagree": ("graded", (("ada", True), ("bob", False))),
    "wrong, and one unsure": ("graded", (("ada", False), ("bob", None))),
    "one unsure": ("graded", (("ada", True), ("bob", None))),
}
"""The state of an audit, and who said what of it."""
TOLD = {
    "open": {"open"}, "judging": {"judging"}, "passed": {"passed"},
    "passed, and looked at": {"right"}, "right": {"right"}, "wrong": {"wrong"},
    "unsure": {"unsure"}, "both right": {"right", "twice"}, "both wrong": {"wrong", "twice"},
    "disagree": {"wrong", "twice", "disagree"}, "one unsure": {"unsure", "twice"},
    "wrong, and one unsure": {"unsure", "twice"},
}  # fmt: skip


@pytest.mark.parametrize("story", STORY)
def test_how_audits_are_counted(rows: Rows, story: str) -> None:
    state, said = STORY[story]
    run, other = rows.run(), rows.run()
    job, beside, climbed = rows.answered(run), rows.answered(other), rows.answered(run, fence=2)
    rows.audited(job, run, state=state)
    rows.audited(beside, other, state="judging")
    rows.attempt(job, fence=2, outcome="rejected")
    for name, right in said:
        rows.judged(job, right, grader_name=name)
    # None of these is a person's verdict on this answer that stands.
    rows.judged(job, False, grader="tier", grader_name="opus")
    rows.judged(job, False, grader_name="eve", undone_at=PAST)
    rows.judged(job, False, grader_name="eve", fence=2)
    rows.judged(climbed, False, grader_name="eve", fence=2)
    rows.judged(rows.answered(run), False, grader_name="eve")
    expected = tuple(int(name in TOLD[story] | {"drawn"}) for name in NAMES)
    assert rows.all(reading.COUNTS, run=run) == [("run1", *expected)]
    assert [row[0] for row in rows.all(reading.COUNTS, run=None)] == ["run2", "run1"]
    newest = rows.all(reading.NEWEST, runs=5, most=5)
    assert newest == [("run2", 1, 1, *[0] * 7), ("run1", *expected)]
    assert rows.all(reading.WAITING) == [(int(state == "open"),)]


def test_a_page_counts_runs_that_have_audits_and_few_of_each(rows: Rows) -> None:
    with_two, _, with_one = rows.run(), rows.run(), rows.run()
    for run, many in ((with_two, 2), (with_one, 1)):
        for _ in range(many):
            rows.audited(rows.answered(run), run)
    assert [row[:2] for row in rows.all(reading.NEWEST, runs=2, most=1)] == [
        ("run3", 1), ("run1", 1),
    ]  # fmt: skip
