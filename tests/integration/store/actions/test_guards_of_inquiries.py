"""Each condition of what is handed to a stronger tier and taken back, by rows that miss one."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.near_misses import PAST, Rows
from worker.store.actions import inquiries
from worker.store.runs import RunRef

PASSES = Decimal("0.25")


def drawn(rows: Rows, run: int, message: int | None = None, **columns: Any) -> int:
    """An accepted answer that was drawn for an audit."""
    job = rows.answered(run, message, tier=columns.get("tier", "haiku"))
    rows.audited(job, run, **columns)
    return job


def audits(rows: Rows) -> dict[tuple[int, int], tuple[str, Decimal]]:
    """How each stands, by job and fence."""
    found = rows.all("SELECT job_id, fence, state, people_share FROM audits")
    return {(job, fence): (state, share) for job, fence, state, share in found}


def test_what_waits_for_a_verdict_below_the_judge_is_handed_over(rows: Rows) -> None:
    # given
    run = rows.run()
    wanted = [drawn(rows, run), drawn(rows, run, tier="sonnet")]
    undone = drawn(rows, run)
    rows.judged(undone, undone_at="now()")
    # Judged, but not what was drawn of it.
    climbed = rows.answered(run)
    rows.attempt(climbed, fence=2, outcome="accepted")
    rows.audited(climbed, run, fence=2)
    rows.judged(climbed)
    # and what is not handed over
    drawn(rows, rows.run())
    for state in ("second", "graded", "judging", "passed"):
        drawn(rows, run, state=state)
    drawn(rows, run, purpose="shadow")
    drawn(rows, run, tier="opus")
    rows.judged(drawn(rows, run), None)
    drawn(rows, run, rows.message(erased_at=PAST))
    before = audits(rows)
    # when
    found = inquiries.hand_over(rows.connection, run, ["haiku", "sonnet"], PASSES)
    # then
    assert sorted(found) == sorted([*wanted, undone, climbed])
    handed = {(job, 2 if job == climbed else 1): ("judging", PASSES) for job in found}
    assert audits(rows) == before | handed


def test_a_run_that_asks_gets_a_job_for_each(rows: Rows) -> None:
    # given
    run = rows.run()
    asking = RunRef(id=rows.run(kind="judge"), name="asking", lane="batch", priority=3)
    one, other = rows.answered(run), rows.answered(run)
    rows.answered(run)
    # when
    inquiries.ask_about(rows.connection, asking, "opus", [other, one])
    # then
    made = rows.all(
        "SELECT k.origin_id, k.state, k.tier, k.lane, k.priority, k.message_id = j.message_id"
        " FROM jobs AS k JOIN jobs AS j ON j.id = k.origin_id WHERE k.run_id = :run ORDER BY k.id",
        run=asking.id,
    )
    assert made == [(job, "routed", "opus", "batch", 3, True) for job in (one, other)]


def shadowed(rows: Rows, run: int, message: int | None = None) -> int:
    job = rows.job(run, message, state="answered")
    rows.insert("shadows", None, job_id=job, run_id=run, probability="0.5")
    return job


def test_the_shadows_that_a_tier_did_not_judge_are_asked_about(rows: Rows) -> None:
    # given
    run = rows.run()
    never, elsewhere, routed = (shadowed(rows, run) for _ in range(3))
    rows.attempt(elsewhere, outcome="accepted", tier="haiku")
    rows.attempt(routed, outcome="accepted", tier="opus", stage="route")
    ended = ("routed", "deferred", "failed", "lost", "superseded", "withheld")
    without = {outcome: shadowed(rows, run) for outcome in ended}
    for outcome, job in without.items():
        rows.attempt(job, outcome=outcome, tier="opus")
    judged = ("accepted", "rejected", "refused", "truncated", "empty", "malformed")
    for outcome in judged:
        rows.attempt(shadowed(rows, run), outcome=outcome, tier="opus")
    # Of no shadow, of another run, of an erased message.
    rows.job(run, state="answered")
    shadowed(rows, rows.run())
    shadowed(rows, run, rows.message(erased_at=PAST))
    # when
    found = inquiries.unasked(rows.connection, run, "opus")
    # then
    assert found == sorted([never, elsewhere, routed, *without.values()])


@pytest.mark.parametrize(
    ("kind", "of_run", "tier", "asked"),
    [
        ("shadow", "own", "opus", True),
        ("shadow", "own", "sonnet", False),
        ("judge", "own", "opus", False),
        ("shadow", "other", "opus", False),
        ("shadow", None, "opus", False),
    ],
)
def test_what_a_run_was_made_for_since_is_not_asked_again(
    rows: Rows, kind: str, of_run: str | None, tier: str, asked: bool
) -> None:
    # given a shadow, and a job that may ask about it
    runs = {"own": rows.run(), "other": rows.run()}
    parent = runs[of_run] if of_run else None
    shadow, beside = shadowed(rows, runs["own"]), shadowed(rows, runs["own"])
    message = rows.one("SELECT message_id FROM jobs WHERE id = :job", job=shadow)[0]
    asking = rows.run(kind=kind, parent_id=parent)
    rows.job(asking, message, origin_id=shadow, tier=tier, state="routed")
    # and a run that asks about neither, but of another job of the same message
    shadowing = rows.run(kind="shadow", parent_id=runs["own"])
    again = rows.job(runs["other"], message, state="answered")
    rows.job(shadowing, message, origin_id=again, tier="opus", state="routed")
    # when
    found = inquiries.unasked(rows.connection, runs["own"], "opus")
    # then
    assert found == ([beside] if asked else [shadow, beside])


def test_people_look_at_all_that_a_tier_was_to_judge(rows: Rows) -> None:
    # given
    run, other = rows.run(), rows.run()
    back = {state: drawn(rows, run, state=state) for state in ("judging", "passed")}
    handed = {state: drawn(rows, run, state=state, people_share=PASSES)
              for state in ("open", "second", "graded")}  # fmt: skip
    for state in ("open", "second", "graded"):
        drawn(rows, run, state=state)
    drawn(rows, other, state="judging", people_share=PASSES)
    before = audits(rows)
    # when
    number = inquiries.give_back(rows.connection, run)
    # then
    assert number == 5
    opened = {(job, 1): ("open", Decimal(1)) for job in back.values()}
    all_seen = {(job, 1): (state, Decimal(1)) for state, job in handed.items()}
    assert audits(rows) == before | opened | all_seen


def test_what_is_given_back_is_no_evidence_any_more(rows: Rows) -> None:
    # given a passed audit that counted for a certificate, and one that counts for another
    run, number, untouched = rows.run(), rows.certificate(), rows.certificate()
    for certificate, state in ((number, "passed"), (untouched, "graded")):
        job = rows.answered(run, certificate_id=certificate)
        rows.audited(job, run, state=state)
        rows.judged(job, grader="tier", grader_name="opus")
    # when
    assert inquiries.give_back(rows.connection, run) == 1
    # then
    watched = rows.all("SELECT certificate_id, audits, errors FROM evidence ORDER BY 1")
    assert watched == [(number, 0, 0)]
