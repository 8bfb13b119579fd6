"""Each condition of what an action touches, by rows of which each misses one."""

from models.jobs import Job
from tests.support.near_misses import PAST, Rows
from tests.support.planning import captured
from worker.domain.filter_parsing import parse
from worker.store.actions.changes import CANCEL, RETRY, Change, meant, runs_of
from worker.store.actions.foresight import foresee
from worker.store.actions.selection import Selection, database_now


def touched(rows: Rows, change: Change, chosen: Selection) -> list[int]:
    return sorted(rows.connection.execute(meant(change, chosen, Job.id)).scalars())


def test_only_dead_letters_of_runs_that_were_not_cancelled_are_retried(rows: Rows) -> None:
    run, gone = rows.run(), rows.run(state="cancelled", finished_at=PAST)
    wanted = rows.job(run, state="dead")
    rows.job(run, state="review")
    rows.job(run, rows.message(erased_at=PAST), state="dead")
    rows.job(gone, state="dead")
    rows.job(rows.run(), rows.message(), state="answered")
    assert touched(rows, RETRY, Selection(node=parse("state = dead"))) == [wanted]
    assert touched(rows, RETRY, Selection(run_id=gone)) == []
    assert touched(rows, CANCEL, Selection(run_id=run)) == []


def test_of_one_cause_and_up_to_a_moment(rows: Rows) -> None:
    run, now = rows.run(), database_now(rows.connection)
    wanted = rows.job(run, state="dead", reason="schema")
    rows.job(run, state="dead", reason="400")
    rows.job(run, state="dead", reason="schema", finished_at="now() + interval '1 s'")
    rows.job(rows.run(), state="dead", reason="schema")
    chosen = Selection(run_id=run, cause="schema", until=now)
    assert touched(rows, RETRY, chosen) == [wanted]


def test_runs_that_are_meant_are_under_way_and_have_open_jobs(rows: Rows) -> None:
    run, over, done = rows.run(), rows.run(finished_at=PAST), rows.run()
    rows.job(run)
    rows.job(over)
    rows.job(done, state="answered")
    everything = Selection(node=parse("attempts < 9"))
    assert runs_of(rows.connection, everything) == [run]
    assert runs_of(rows.connection, Selection(run_id=over)) == [over]


def test_what_a_filter_chooses_is_foreseen_with_its_runs_and_looked_at_once(rows: Rows) -> None:
    run, other, over = rows.run(), rows.run(policy_name="other"), rows.run(finished_at=PAST)
    for of in (run, run, other, over):
        rows.job(of)
    rows.job(run, lane="batch")
    for cost in (1, 3) * 20:
        rows.job(over, state="answered", cost=cost)
    sent = captured(rows.connection, lambda c: foresee(c, CANCEL, OPEN_ONES))
    assert len([one for one, _ in sent if "finished_at IS NULL" in one]) == 1
    found = foresee(rows.connection, CANCEL, OPEN_ONES)
    assert (found.jobs, found.runs) == (5, [run, other])
    # Four and a half at two dollars each.
    assert found.expected is not None
    assert found.expected.usd == 9


OPEN_ONES = Selection(node=parse("attempts < 9"))
