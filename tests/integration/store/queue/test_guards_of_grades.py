"""Each condition of the statements about grades: what each tier said of a message, what is known of
its truth, and what shadows and pairs say of the ladder."""

from typing import Any

import pytest

from tests.support.near_misses import Rows
from worker.store.queue import judgements
from worker.store.reading import blind_pairs, graded, shadow_facts

SEEN = ("job_id", "fence", "audit", "passed", "said", "judges", "any_right", "people", "graders",
        "result", "length", "simulated")  # fmt: skip


def scene(rows: Rows, *, shadows: bool) -> dict[str, int]:
    """Answers of a realtime run and of one in batches, or of their shadows; and others beside."""
    of = (rows.run(audit_share=0.25), rows.run(lane="batch", audit_share=0.75), rows.run())
    runs = of
    if shadows:
        runs = tuple(rows.run(kind="shadow", parent_id=one, audit_share=0.5) for one in of)
    named = {"first": of[0], "second": of[1]}

    def job(name: str, run: int, **columns: Any) -> int:
        origin = {}
        if shadows:
            named[f"about {name}"] = rows.answered(of[0])
            origin = {"origin_id": named[f"about {name}"]}
        named[name] = rows.job(run, **{"state": "answered"} | origin | columns)
        named.setdefault(f"about {name}", named[name])
        return named[name]

    def result(of_job: int, fence: int, reply: str) -> None:
        rows.insert("results", None, job_id=of_job, fence=fence, reply=reply, tier="haiku",
                    model="m", accepted=True, simulated=fence == 2)  # fmt: skip

    a, b, c = job("a", runs[0]), job("b", runs[1]), job("c", runs[0])
    rows.attempt(a, fence=1, outcome="rejected", cost=0.01)
    rows.attempt(a, fence=2, tier="sonnet", outcome="accepted", lane="batch", cost=0.02)
    rows.attempt(a, fence=3, tier="sonnet", outcome="lost")
    rows.attempt(a, fence=4, tier="sonnet", stage="route", outcome="accepted")
    rows.attempt(b, fence=1, outcome="accepted", lane="batch", cost=0.04)
    rows.attempt(c, fence=1, outcome="accepted", cost=0.03)
    result(a, 2, "long reply")
    result(b, 1, "reply")
    rows.audited(a, runs[0], fence=2)
    for who, right in (("ada", True), ("bob", False)):
        rows.judged(a, right, fence=2, grader_name=who)
    rows.judged(a, fence=2, grader="tier")
    rows.judged(b)
    rows.judged(b, False, grader="tier")
    rows.judged(b, False, grader_name="bob", undone_at="now()")
    rows.judged(c, False)
    rows.judged(c, grader="import", grader_name="carl")
    for name, run, columns in (
        ("other", runs[2], {}),
        ("d", runs[0], {}),
        ("open", runs[0], {"state": "routed", "tier": "haiku"}),
    ):
        rows.attempt(job(name, run, **columns), outcome="accepted")
    rows.audited(named["other"], runs[2])
    if shadows:
        beside = rows.run(kind="reprocess", parent_id=of[0])
        rows.attempt(job("reprocessed", beside), outcome="accepted")
    return named | {"third": of[2]}


def told(rows: Rows, statement: Any, **values: Any) -> dict[tuple[int, str], Any]:
    found = rows.connection.execute(statement, values).mappings()
    return {(row["about"], row["tier"]): row for row in found}


@pytest.mark.parametrize("shadows", [False, True])
def test_what_each_tier_said_and_what_is_known_of_it(rows: Rows, shadows: bool) -> None:
    # given
    named = scene(rows, shadows=shadows)
    everything = graded.SHADOWED if shadows else graded.ANSWERS
    of_jobs = graded.SHADOWED_OF_JOBS if shadows else graded.ANSWERS_OF_JOBS
    a, b, c = named["a"], named["b"], named["c"]
    keys = [(named["about a"], "haiku"), (named["about a"], "sonnet"),
            (named["about b"], "haiku"), (named["about c"], "haiku")]  # fmt: skip
    # when
    runs = [named["first"], named["second"]]
    found = told(rows, everything, runs=runs)
    names = ("a", "b", "c", "open", *(("other", "reprocessed") if shadows else ()))
    chosen = {"ids": [named[f"about {name}"] for name in names]}
    some = told(rows, of_jobs, **(chosen | {"runs": runs} if shadows else chosen))
    # then what is asked for by jobs is the same
    assert found.pop((named["about d"], "haiku"))["fence"] == 1
    assert some == found
    (beside,) = told(rows, everything, runs=[named["third"]]).values()
    assert beside["audit_share"] == 0
    if shadows:
        assert found.pop((named["about open"], "haiku"))["fence"] == 1
    assert sorted(found) == sorted(keys)
    assert [tuple(found[key][name] for name in SEEN) for key in keys] == [
        (a, 1, None, False, False, 0, None, None, None, False, None, None),
        (a, 2, "open", True, True, 2, True, False, "person", True, 10, True),
        (b, 1, None, False, True, 1, True, True, "person", True, 5, False),
        (c, 1, None, False, False, 1, False, False, "person", False, None, None),
    ]
    of_run = [(float(found[key]["audit_share"]), float(found[key]["cost"])) for key in keys]
    assert of_run == [(0.25, 0.01), (0.25, 0.04), (0.75, 0.04), (0.25, 0.03)]


def test_the_messages_of_runs_that_have_an_end(rows: Rows) -> None:
    drawn, passed_by, other = rows.run(audit_share=1), rows.run(), rows.run()
    jobs = [rows.answered(drawn), rows.answered(passed_by)]
    waiting = rows.job(drawn, state="routed", tier="haiku")
    beside = rows.answered(other)
    seen = "id, run, external_id, sampled"
    for statement, values in (
        (graded.MESSAGES, {"runs": [drawn, passed_by]}),
        (graded.MESSAGES_OF_JOBS, {"ids": [*jobs, waiting]}),
    ):
        found = rows.connection.execute(statement, values).mappings()
        assert [tuple(row[name] for name in seen.split(", ")) for row in found] == rows.all(
            "SELECT j.id, r.name, m.external_id, r.id = :drawn FROM jobs AS j JOIN runs AS r"
            " ON r.id = j.run_id JOIN messages AS m ON m.id = j.message_id"
            " WHERE j.id = ANY(:ids) ORDER BY j.id", ids=jobs, drawn=drawn)  # fmt: skip
    assert rows.all(graded.SIZE, runs=[drawn, passed_by]) == [(2,)]
    assert beside not in jobs


def test_a_tiers_verdict_stands_for_the_answer_that_is_the_result(rows: Rows) -> None:
    # given
    run = rows.run()
    jobs = [rows.answered(run) for _ in range(6)]
    shares = (1e-8, 1, 1e-8, 1e-8, 1e-8, 1e-8)
    states = ("judging", "judging", "judging", "open", "graded", "judging")
    for job, share, state in zip(jobs, shares, states, strict=True):
        rows.audited(job, run, people_share=share, state=state)
    right = (True, True, None, True, True)
    said = [
        {"job": job, "judge": "opus", "right": one} for job, one in zip(jobs, right, strict=False)
    ]
    # when
    rows.all(judgements.SAY, rows=said[:3])
    found = rows.all(judgements.PASS_ON, rows=said)
    # then
    assert rows.all("SELECT job_id, is_right FROM truths ORDER BY 1") == [
        (jobs[0], True), (jobs[1], True), (jobs[2], None)
    ]  # fmt: skip
    assert sorted((job, state) for job, _, state in found) == [
        (jobs[0], "passed"), (jobs[1], "open"), (jobs[2], "open")
    ]  # fmt: skip


def both(rows: Rows, a: int, b: int, **message: Any) -> tuple[int, int]:
    """Two answers to a message."""
    of = rows.message(**message)
    return rows.answered(a, of), rows.answered(b, of)


def in_review(rows: Rows, job: int) -> None:
    rows.all("UPDATE jobs SET state = 'review' WHERE id = :job", job=job)


def test_a_pair_is_shown_to_whoever_has_not_judged_it(rows: Rows) -> None:
    # given pairs that are none
    a, b, c = rows.run(), rows.run(), rows.run()
    both(rows, a, c)
    both(rows, c, b)
    both(rows, a, b, erased_at="now()")
    in_review(rows, both(rows, a, b)[0])
    in_review(rows, both(rows, a, b)[1])
    rows.judged(both(rows, a, b)[0])
    rows.judged(both(rows, a, b)[1])
    alike = both(rows, a, b)
    rows.all("UPDATE results SET reply = 'alike' WHERE job_id = ANY(:ids)", ids=list(alike))
    asked = {"a": a, "b": b, "judge": "ada"}
    assert rows.all(blind_pairs.NEXT, **asked) == []
    # when there is one, which others have judged
    good = both(rows, a, b)
    rows.judged(good[0], grader_name="bob")
    rows.judged(good[0], grader="import")
    rows.judged(good[1], undone_at="now()")
    # then
    ((job_a, _, reply_a, job_b, _, reply_b, _, _, left),) = rows.all(blind_pairs.NEXT, **asked)
    assert ((job_a, job_b), left) == (good, 1)
    assert (reply_a, reply_b) == (f"reply {job_a}", f"reply {job_b}")


def test_verdicts_on_pairs_are_counted_by_the_latest(rows: Rows) -> None:
    a, b, c = rows.run(), rows.run(), rows.run()
    said = ((True, True), *[(True, False)] * 3, (False, True), (False, False),
            (True, None), (None, True), (False, None), (None, False))  # fmt: skip
    for of_a, of_b in (*said, (True, True)):
        pair = both(rows, a, b)
        for job, right in zip(pair, (of_a, of_b), strict=True):
            if right is not None:
                rows.judged(job, right)
                rows.judged(job, not right, grader_name="bob", undone_at="now()")
                rows.judged(job, not right, grader="import")
    for pair in (both(rows, a, c), both(rows, c, b), both(rows, a, b), both(rows, a, b)):
        for job in pair:
            rows.judged(job)
    in_review(rows, pair[0])
    in_review(rows, both(rows, a, b)[1])
    last = rows.one("SELECT max(j.id) FROM jobs AS j")[0]
    for job in (last, last - 1):
        rows.judged(job)
    assert rows.all(blind_pairs.VERDICTS, a=a, b=b) == [(8, 3, 1, 3)]


def test_whether_any_run_has_shadows(rows: Rows) -> None:
    without, beside = rows.run(), rows.run(shadow_share=0.5)
    assert rows.all(shadow_facts.ANY, runs=[without]) == [(False,)]
    assert rows.all(shadow_facts.ANY, runs=[beside]) == [(True,)]


def test_of_shadows_and_what_they_are_of_what_people_called_right(rows: Rows) -> None:
    # given
    run, other = rows.run(), rows.run()
    shadow = rows.run(kind="shadow", parent_id=run)
    asked = rows.answered(run)
    rows.insert("shadows", None, job_id=asked, run_id=run, probability=0.5)
    of_it = rows.job(shadow, state="answered")
    for job, fence, columns in (
        (asked, 2, {"outcome": "rejected"}), (asked, 3, {"outcome": "lost"}),
        (asked, 4, {"outcome": "accepted", "stage": "route"}), (asked, 5, {"outcome": "accepted"}),
        (asked, 6, {"outcome": "accepted"}), (asked, 7, {"outcome": "accepted"}),
        (of_it, 1, {"outcome": "accepted", "tier": "sonnet"}),
        (of_it, 9, {"outcome": "accepted", "tier": "sonnet"}),
    ):  # fmt: skip
        rows.attempt(job, fence=fence, **columns)
    for fence in (1, 2, 3, 4):
        rows.judged(asked, fence=fence)
    rows.judged(asked, False, fence=5, undone_at="now()")
    rows.judged(asked, False, fence=6, grader="tier")
    rows.judged(asked, False, fence=7)
    rows.judged(of_it, None)
    # and what is of no shadow
    elsewhere = rows.answered(other)
    rows.insert("shadows", None, job_id=elsewhere, run_id=other, probability=0.5)
    for run_id in (rows.run(kind="shadow", parent_id=other), rows.run(parent_id=run), run):
        rows.judged(rows.answered(run_id))
    rows.judged(elsewhere)
    # then
    assert sorted(rows.all(shadow_facts.RIGHT, runs=[run])) == [("haiku", 3, 1), ("sonnet", 1, 0)]


def test_a_lower_start_by_what_shadows_brought_and_what_they_cost(rows: Rows) -> None:
    # given
    mine = {"accept": {"confidence": "self", "threshold": 0.95, "thresholds": {"haiku": 0.6}}}
    off = {"accept": {"confidence": "off", "threshold": 0.95}}
    asking = rows.run(policy=as_policy(mine))
    batch = rows.run(policy=as_policy(off), lane="batch")

    def shadow(of: int, by: int, difficulty: str, start: float, **answer: Any) -> None:
        origin = rows.job(of, state="answered", difficulty=difficulty)
        rows.attempt(origin, fence=1, outcome="lost", cost=5)
        rows.attempt(origin, fence=2, outcome="accepted", stage="route", cost=6)
        rows.attempt(origin, fence=3, tier="sonnet", outcome="rejected", cost=start)
        rows.attempt(origin, fence=4, tier="opus", outcome="accepted", cost=7)
        job = rows.job(by, state="answered", origin_id=origin)
        rows.attempt(job, fence=1, tier="opus", outcome="rejected", cost=8)
        rows.attempt(job, fence=2, **{"outcome": "accepted"} | answer)
        rows.attempt(job, fence=3, outcome="lost", cost=9)
        rows.attempt(job, fence=4, outcome="accepted", stage="route", cost=10)

    shadows = [rows.run(kind="shadow", parent_id=one) for one in (asking, batch)]
    shadow(asking, shadows[0], "easy", 0.5, confidence=0.7, cost=0.1)
    shadow(asking, shadows[0], "easy", 0.5, confidence=0.5, cost=0.1)
    shadow(asking, shadows[0], "easy", 0.5, confidence=0.9, cost=0.1, outcome="rejected")
    shadow(batch, shadows[1], "hard", 0.25, cost=0.1)
    # and shadows of another run, and what is no shadow
    shadow(asking, rows.run(kind="shadow", parent_id=rows.run()), "easy", 0.5, confidence=0.7)
    shadow(asking, rows.run(parent_id=asking), "easy", 0.5, confidence=0.7)
    # then
    found = rows.all(shadow_facts.LOWER, runs=[asking, batch])
    assert [(*row[:5], float(row[5]), float(row[6])) for row in found] == [
        ("sonnet", "haiku", "easy", 3, 1, 0.6, 1.5),
        ("sonnet", "haiku", "hard", 1, 1, 0.1, 0.25),
    ]


def as_policy(document: dict[str, Any]) -> str:
    import json

    return json.dumps(document)
