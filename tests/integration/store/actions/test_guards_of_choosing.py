"""Each condition of what a reprocessing takes, by rows of which each misses one."""

import datetime as dt
from decimal import Decimal

import pytest

from models.vocabulary import RunKind
from tests.support.near_misses import PAST, Rows
from worker.domain.filter_parsing import parse
from worker.store.actions.choosing import Choice, Chosen, copy_jobs, look_at
from worker.store.actions.recent_costs import recent_costs
from worker.store.runs import RunRef

REVIEWED = Choice(parse("state = review"))


def looked(rows: Rows, choice: Choice = REVIEWED) -> Chosen:
    return look_at(rows.connection, choice, "ladder")


def copied(rows: Rows, choice: Choice = REVIEWED) -> list[int]:
    """Origins of the jobs that a new run gets."""
    run = rows.run()
    copy_jobs(rows.connection, choice, RunRef(id=run, name="new", lane="realtime", priority=0))
    return rows.firsts("SELECT origin_id FROM jobs WHERE run_id = :run", run=run)


def test_the_latest_of_each_message_is_taken_and_what_was_answered_since_is_not(
    rows: Rows,
) -> None:
    first, second, asking = rows.run(), rows.run(), rows.run(kind=RunKind.JUDGE)
    kept, twice, again = rows.message(), rows.message(), rows.message()
    stays = rows.job(first, kept, state="review")
    rows.job(first, twice, state="review")
    latest = rows.job(second, twice, state="review")
    rows.job(first, again, state="review")
    rows.job(second, again, state="answered")
    # A later job that was cancelled says nothing, nor does one that only asks to know more, nor
    # an earlier one, nor that of another message.
    rows.job(second, kept, state="cancelled")
    rows.job(asking, kept, state="answered")
    gone = rows.message(erased_at=PAST)
    rows.job(first, gone, state="review")
    rows.job(second, gone, state="answered")
    found = looked(rows)
    assert (found.jobs, found.superseded, found.erased) == (2, 2, 1)
    assert found.runs == (first, second)
    assert copied(rows) == [stays, latest]


def test_what_has_no_text_and_what_is_open_is_not_copied(rows: Rows) -> None:
    run = rows.run()
    rows.job(run, rows.message(erased_at=PAST), state="review")
    stays = rows.job(run, state="review")
    rows.job(run)
    assert copied(rows, Choice(run_id=run)) == [stays]
    found = looked(rows, Choice(run_id=run))
    assert (found.jobs, found.unfinished, found.erased, found.everything) == (2, 1, 1, False)


def test_a_run_that_is_named_is_taken_whatever_came_later(rows: Rows) -> None:
    run, later = rows.run(), rows.run()
    message = rows.message()
    first = rows.job(run, message, state="answered")
    rows.job(later, message, state="answered")
    assert copied(rows, Choice(run_id=run)) == [first]


def test_answers_of_runs_that_only_ask_are_nobodys(rows: Rows) -> None:
    rows.job(rows.run(kind=RunKind.JUDGE), state="review")
    assert copied(rows) == []


@pytest.mark.parametrize("since", [dt.timedelta(hours=2), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)])
def test_only_what_came_in_since(rows: Rows, since: dt.timedelta | dt.datetime) -> None:
    run = rows.run()
    rows.job(run, state="review", created_at="now() - interval '2 years'")
    young = rows.job(run, state="review")
    assert copied(rows, Choice(REVIEWED.node, since=since)) == [young]


def test_young_jobs_are_not_looked_for_in_runs_that_ended_before(rows: Rows) -> None:
    # Only an intake that somebody cancelled goes on after the end of its run.
    long_ago, since = "now() - interval '3 hours'", dt.timedelta(hours=2)
    rows.job(rows.run(state="finished", finished_at=long_ago), state="review")
    found = [
        rows.job(rows.run(state=state, finished_at=ended), state="review")
        for state, ended in (("active", None), ("finished", PAST), ("cancelled", long_ago))
    ]
    assert looked(rows, Choice(REVIEWED.node, since=since)).jobs == 3
    assert copied(rows, Choice(REVIEWED.node, since=since)) == found


def test_what_was_simulated_is_told_by_the_runs_of_what_is_taken(rows: Rows) -> None:
    spent = {"tier": "haiku", "purpose": "answer", "model": "m", "lane": "realtime"}
    real, other = rows.run(), rows.run()
    rows.job(real, state="review")
    rows.job(other, state="answered")
    for run, simulated, calls in ((real, False, 1), (real, True, 0), (other, True, 1)):
        rows.insert("run_spend", None, run_id=run, state="done", simulated=simulated, calls=calls,
                    **spent)  # fmt: skip
    assert not looked(rows).simulated
    assert looked(rows, Choice(run_id=other)).simulated


def test_a_filter_leaves_nothing_out_where_only_what_counts_is_looked_at(rows: Rows) -> None:
    run, later = rows.run(), rows.run()
    message = rows.message()
    rows.job(run, message, state="answered")
    rows.job(later, message, state="review")
    rows.job(run, rows.message(erased_at=PAST), state="answered")
    rows.job(rows.run(kind=RunKind.JUDGE), state="answered")
    assert looked(rows).everything
    rows.job(run, state="answered")
    assert not looked(rows).everything
    none = Choice(parse("state = dead"))
    assert not looked(rows, none).everything


def test_costs_are_of_the_policy_at_realtime_prices_and_of_what_cost_anything(rows: Rows) -> None:
    run, other = rows.run(), rows.run(policy_name="other")
    for cost, lane in ((1, "realtime"), (1, "batch"), (0, "realtime")):
        rows.job(run, state="review", cost=cost, lane=lane)
    rows.job(other, state="review", cost=50)
    found = looked(rows)
    assert found.jobs == 4
    assert (found.costs.jobs, found.costs.mean) == (2, Decimal("1.5"))
    assert round(found.costs.spread, 4) == Decimal("0.7071")


def test_recent_costs_are_of_jobs_that_ended_and_cost_anything(rows: Rows) -> None:
    run, other = rows.run(policy_name="own"), rows.run(policy_name="other")
    rows.job(run, state="answered", cost=1)
    rows.job(run, state="dead", cost=0)
    rows.job(run, cost=9)
    rows.job(other, state="answered", cost=50)
    found = recent_costs(rows.connection, "own")
    assert (found.jobs, found.mean) == (1, 1)
