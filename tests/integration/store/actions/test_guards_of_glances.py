"""A quick look at what a filter chooses: it looks at so many of what could be meant, and no more,
and each row is just beside that."""

import pytest

from tests.support.near_misses import Rows
from worker.domain.filter_parsing import parse
from worker.store.actions import glances
from worker.store.actions.changes import CANCEL, RETRY, Change
from worker.store.actions.glances import Glance, GlancedRuns, glance, glance_runs
from worker.store.actions.selection import Selection


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glances, "OPEN_LOOKED_AT", 4)
    monkeypatch.setattr(glances, "DEAD_LOOKED_AT", 2)
    monkeypatch.setattr(glances, "RUNS_LOOKED_AT", 4)


def look(rows: Rows, change: Change, where: str, run: int | None = None) -> Glance | None:
    return glance(rows.connection, change, Selection(node=parse(where), run_id=run))


def test_of_runs_under_way_the_newest_are_looked_at(rows: Rows) -> None:
    old, new = rows.run(), rows.run()
    for difficulty in ("SIMPLE", "MODERATE", "MODERATE"):
        rows.routed(old, difficulty=difficulty)
    rows.routed(new, difficulty="SIMPLE")
    # given: nobody can mean what is over, nor those of a run that has none open
    rows.job(rows.run(state="cancelled"), state="cancelled")
    over = rows.run(state="finished")
    for _ in range(5):
        rows.job(over, state="answered")
    # then: no more than are looked at
    assert look(rows, CANCEL, "difficulty = SIMPLE") is None
    # given: one more, of those whose run is looked at last
    rows.routed(old, difficulty="MODERATE")
    # then
    assert look(rows, CANCEL, "difficulty = SIMPLE") == Glance(found=1, looked_at=4, able=5)
    assert look(rows, CANCEL, "difficulty = MODERATE") == Glance(found=3, looked_at=4, able=5)
    assert look(rows, CANCEL, "difficulty = SIMPLE", run=old) is None


def test_a_run_with_few_jobs_is_not_filled_up_with_those_of_runs_before_it(rows: Rows) -> None:
    old, over, new = rows.run(), rows.run(state="finished"), rows.run()
    for _ in range(4):
        rows.routed(old, difficulty="SIMPLE")
        rows.job(over, state="answered", difficulty="SIMPLE")
    rows.routed(new, difficulty="SIMPLE")
    assert look(rows, CANCEL, "difficulty = SIMPLE") == Glance(found=4, looked_at=4, able=5)
    # then: of the new one all was looked at, and none is meant
    meant = glance_runs(rows.connection, Selection(node=parse("difficulty = MODERATE")))
    assert meant == GlancedRuns([], [old])


def test_what_has_ended_in_a_run_is_passed_and_not_meant(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    for _ in range(5):
        rows.job(other)
    rows.job(run)
    for state in ("answered", "review", "dead"):
        rows.job(run, state=state)
    rows.job(run)
    found = Glance(found=1, looked_at=4, able=2)
    assert look(rows, CANCEL, "state in (queued, dead)", run=run) == found


def test_of_dead_letters_the_newest_are_looked_at(rows: Rows) -> None:
    old, new = rows.run(), rows.run()
    for reason in ("schema", "refused"):
        rows.job(old, state="dead", reason=reason)
    rows.job(old, state="review", reason="schema")
    assert look(rows, RETRY, "reason = schema") is None
    for reason in ("refused", "schema"):
        rows.job(new, state="dead", reason=reason)
    assert look(rows, RETRY, "reason = schema") == Glance(found=1, looked_at=2, able=4)
    assert look(rows, RETRY, "reason = refused", run=old) is None
    rows.job(old, state="dead", reason="refused")
    # then: two of the newest of that run, the last of both reasons not among them
    assert look(rows, RETRY, "reason = refused", run=old) == Glance(2, looked_at=2, able=3)
    assert look(rows, RETRY, "reason = schema", run=old) == Glance(0, looked_at=2, able=3)


def test_jobs_that_are_named_are_counted_at_once(rows: Rows) -> None:
    run = rows.run()
    jobs = [rows.job(run) for _ in range(6)]
    assert look(rows, CANCEL, f"job = {jobs[0]}") is None
    assert look(rows, CANCEL, f"state = queued and job in ({jobs[0]}, {jobs[1]})") is None
    assert look(rows, CANCEL, f"job > {jobs[0]}") is not None
    assert look(rows, CANCEL, f"state = queued or job = {jobs[0]}") is not None


def test_which_runs_are_meant_is_asked_of_the_newest_of_each(rows: Rows) -> None:
    def runs(where: str, run: int | None = None) -> GlancedRuns:
        return glance_runs(rows.connection, Selection(node=parse(where), run_id=run))

    early, late, small = rows.run(), rows.run(), rows.run()
    for one, difficulties in ((early, "SMM"), (late, "MS"), (small, "M")):
        for letter in difficulties:
            rows.routed(one, difficulty="SIMPLE" if letter == "S" else "MODERATE")
    over = rows.run(state="finished")
    rows.job(over, state="answered", difficulty="SIMPLE")
    # then: the newest of each is looked at, and of a run of one that is all
    assert runs("difficulty = SIMPLE") == GlancedRuns([late], [early, small])
    assert runs("difficulty = MODERATE") == GlancedRuns([early, small], [late])
    assert runs(f"job = {rows.job(small)}") == GlancedRuns([small], ())
    # given: few enough for all to be looked at
    assert runs("difficulty = SIMPLE", run=early) == GlancedRuns([early], ())
    # given: what was looked at has ended
    rows.job(late, state="answered", difficulty="SIMPLE")
    assert runs("difficulty = SIMPLE") == GlancedRuns([], [early, late, small])
