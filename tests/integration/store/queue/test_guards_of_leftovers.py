"""Conditions whose rows stand in no other of these tests: of budgets, verdicts, vigils, canaries,
holds, intakes and claims."""

from decimal import Decimal

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.actions import audits, truths
from worker.store.queue import budgets, claim, intake, leaving_batch, vigils
from worker.store.reading import queue_holds, receipts, screens, status


def test_verdicts_on_these_answers_alone_are_taken_back(rows: Rows) -> None:
    # given
    run = rows.run()
    mine, other = rows.answered(run), rows.answered(run)
    rows.attempt(mine, fence=2, outcome="rejected")
    wanted = rows.judged(mine)
    rows.judged(other)
    gone = rows.judged(mine, undone_at=PAST)
    for columns in ({"fence": 2}, {"grader_name": "bob"}, {"grader": "import"}):
        rows.judged(mine, **columns)
    # when
    found = rows.all(truths.UNDO_THESE, rows=[{"job_id": mine, "fence": 1}], name="ada")
    # then
    assert found == [(mine, 1)]
    undone = rows.firsts("SELECT id FROM truths WHERE undone_at IS NOT NULL")
    assert undone == [wanted, gone]


def test_a_run_goes_on_when_what_it_waits_for_is_left(rows: Rows) -> None:
    # given: 6 are left of each budget
    waits = {"fits": ("run budget", 6), "too much": ("run budget", "6.5"), "day": ("day budget", 1)}
    runs = {name: rows.run(waiting_for=what, waiting_usd=usd)
            for name, (what, usd) in waits.items()}  # fmt: skip
    for run in runs.values():
        rows.insert("budgets", None, scope=f"run:{run}", run_id=run, cap=10, overrun=1, spent=3,
                    reserved=2)  # fmt: skip
    # when
    change = [{"scope": f"run:{run}", "released": "1", "spent": "1"} for run in runs.values()]
    rows.all(budgets.SETTLE, rows=change)
    # then
    (left,) = {cap + overrun - spent - reserved for cap, overrun, spent, reserved
               in rows.all("SELECT cap, overrun, spent, reserved FROM budgets")}  # fmt: skip
    assert left == Decimal(6)
    told = dict(rows.all("SELECT id, waiting_for FROM runs"))
    assert [told[run] for run in runs.values()] == [None, "run budget", "day budget"]


def test_evidence_is_kept_of_the_last_day_that_a_certificate_has(rows: Rows) -> None:
    # given: a clock that was wrong
    mine, other = rows.certificate(), rows.certificate()
    kept = {"audits": 1, "errors": 1, "wealth": [0.5], "detector": [0.25], "most": 0.5}
    for number, day in ((mine, "2999-02-01"), (other, "2999-03-01")):
        rows.insert("evidence", None, certificate_id=number, day=day, **kept)
    # when
    rows.all(vigils.KEEP, id=mine, **kept | {"audits": 5})
    # then
    told = rows.all("SELECT certificate_id, day::text, audits FROM evidence ORDER BY day")
    assert told == [(mine, "2999-02-01", 5), (other, "2999-03-01", 1)]


def test_looks_at_shadows_are_drawn_for_their_run_alone(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    mine, theirs = rows.answered(run), rows.answered(other)
    for job, of in ((mine, run), (theirs, other)):
        rows.insert("shadows", None, job_id=job, run_id=of, probability="0.5")
    rows.all(audits.LOOKS_LATER, run=run)
    assert rows.firsts("SELECT job_id FROM audits") == [mine]


def test_how_long_a_breaker_is_open_and_since_when(rows: Rows) -> None:
    # given: of other kinds, and of other queues, there are later notices
    rows.tier("haiku", breaker="open", breaker_until=FUTURE)
    rows.tier("opus", breaker="half_open", breaker_until=PAST)
    later = "now() + interval '2 hours'"
    for kind, target, at in (("breaker_open", "haiku", PAST), ("held", "haiku", later),
                             ("breaker_open", "sonnet", later)):  # fmt: skip
        key = f"{kind}:{target}"
        rows.insert("notices", None, key=key, kind=kind, target=target, words="w", at=at)
    # then
    found = rows.connection.execute(queue_holds.HELD).mappings()
    told = {row["name"]: (row["breaker_at"], row["breaker_s"]) for row in found}
    (at,) = rows.firsts(f"SELECT {PAST}")
    assert told == {"haiku": (at, 3600), "opus": (None, None)}
    tiers = {row.name: row.breaker_at for row in rows.connection.execute(status.TIERS)}
    assert tiers["haiku"] == at


def test_what_waits_has_waited_since_its_own_last_attempt(rows: Rows) -> None:
    run = rows.run()
    job, other = rows.routed(run, available_at=FUTURE), rows.job(run)
    rows.attempt(job, outcome="rejected", finished_at=PAST)
    rows.attempt(other, outcome="rejected", finished_at="now()")
    assert rows.all(screens.OLDEST, queues=["haiku"]) == [("haiku", None, 3600)]


def test_a_call_has_the_prices_of_its_version(rows: Rows) -> None:
    for version in ("a", "b"):
        rows.insert("prices", None, version=version, rates=f'{{"of": "{version}"}}')
    job = rows.routed(rows.run())
    rows.attempt(job)
    rows.call(job, price_version="b")
    (found,) = rows.connection.execute(receipts.CALLS, {"job": job}).mappings()
    assert found["price"] == {"of": "b"}


def test_the_lane_of_a_run_that_is_over_stays(rows: Rows) -> None:
    mine, over = rows.run(lane="batch"), rows.run(lane="batch", finished_at=PAST)
    for run in (mine, over):
        rows.all(leaving_batch.END_LANE, run=run)
    assert rows.all("SELECT id, lane FROM runs ORDER BY id") == [
        (mine, "realtime"),
        (over, "batch"),
    ]


def test_ids_that_follow_one_another_are_told_by_the_first(rows: Rows) -> None:
    ((first, others),) = rows.all(intake.RESERVE, rows=3)
    ((after, _),) = rows.all(intake.RESERVE, rows=1)
    assert (others, after) == (None, first + 3)


def test_what_a_row_says_besides_is_read_for_jobs_that_need_it(rows: Rows) -> None:
    run = rows.run()
    jobs = [rows.routed(run, rows.message(metadata='{"a": 1}')) for _ in range(2)]
    asked = {"queue": "haiku", "gate": "haiku", "probing": False, "prompt": "p", "model": "m"}
    values = {"ids": jobs, "read": jobs[:1], "limit": None, **asked}
    found = rows.connection.execute(claim.LOCK_READY, values).mappings()
    assert {row["id"]: row["metadata"] for row in found} == {jobs[0]: None, jobs[1]: {"a": 1}}
