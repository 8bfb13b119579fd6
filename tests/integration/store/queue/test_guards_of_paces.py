"""Each condition of the statements about how fast live runs go: what is kept of each, read, and
forgotten."""

from typing import Any

import pytest

from tests.support.near_misses import PAST, Rows
from worker.store.queue import paces

ASKED = {"every": 4.5, "slots": 24, "step": 5.0, "runs": 9}
LATELY = "now() - interval '5 seconds'"


def counted(rows: Rows, run: int, **jobs: int) -> None:
    """Jobs by their state and tier, as `answered_haiku`; `queued` has no tier."""
    for where, number in jobs.items():
        state, _, tier = where.partition("_")
        rows.insert("run_counts", None, run_id=run, state=state, tier=tier, jobs=number)


def climbed(rows: Rows, run: int, number: int, to: str = "sonnet") -> None:
    rows.insert("run_escalations", None, run_id=run, from_tier="haiku", to_tier=to,
                reason="schema", escalations=number)  # fmt: skip


def noted(rows: Rows, **asked: Any) -> dict[int, dict[str, int]]:
    rows.all("DELETE FROM run_paces WHERE at = now()")
    rows.all(paces.NOTE, **ASKED | asked)
    return dict(rows.all("SELECT run_id, done FROM run_paces WHERE at = now()"))


def test_what_each_live_run_has_done_at_each_queue(rows: Rows) -> None:
    # given
    one, other, over = rows.run(), rows.run(priority=1), rows.run(finished_at=PAST)
    rows.run()
    waits = rows.run()
    counted(rows, waits, queued=9)
    counted(rows, one, answered_haiku=10, review_sonnet=2, dead_sonnet=3, routed_haiku=7,
            dead=1, queued=5, cancelled_haiku=4)  # fmt: skip
    climbed(rows, one, 5)
    climbed(rows, one, 90, to="person")
    counted(rows, other, answered_haiku=20)
    climbed(rows, other, 6)
    counted(rows, over, answered_haiku=300)
    climbed(rows, over, 700)
    rows.insert("run_paces", None, run_id=over, slot=1, at=LATELY, done="{}")
    # then
    done = {
        one: {"routing": 23, "haiku": 15, "sonnet": 5, "ended": 20},
        other: {"routing": 20, "haiku": 26, "ended": 20},
        waits: {},
    }
    assert noted(rows) == done
    assert noted(rows, runs=1) == {other: done[other]}
    assert noted(rows, runs=2).keys() == {other, one}


def test_nothing_is_kept_where_somebody_did_so_just_now(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    counted(rows, run, answered_haiku=1)
    rows.insert("run_paces", None, run_id=other, slot=1, at=LATELY, done="{}")
    assert noted(rows, every=5.5) == {}
    assert noted(rows) == {run: {"routing": 1, "haiku": 1, "ended": 1}}


def test_what_was_kept_in_the_slot_before_is_written_over(rows: Rows) -> None:
    run = rows.run()
    counted(rows, run, answered_haiku=1)
    rows.insert("run_paces", None, run_id=run, slot=0, at=LATELY, done='{"haiku": 9}')
    assert noted(rows, slots=1) == {run: {"routing": 1, "haiku": 1, "ended": 1}}
    assert len(rows.all("SELECT FROM run_paces")) == 1


@pytest.mark.parametrize(("ago", "read", "kept"), [(100, 1, 1), (140, 0, 1), (700, 0, 0)])
def test_what_is_old_is_not_read_and_then_forgotten(
    rows: Rows, ago: int, read: int, kept: int
) -> None:
    run, other = rows.run(finished_at=PAST), rows.run()
    at = f"now() - interval '{ago} s'"
    rows.insert("run_paces", None, run_id=run, slot=1, at=at, done="{}")
    rows.insert("run_paces", None, run_id=other, slot=1, at="now()", done="{}")
    assert len(rows.all(paces.SAMPLES, runs=[run], kept=125)) == read
    rows.all(paces.FORGET, after=600)
    assert len(rows.all("SELECT 1 FROM run_paces WHERE run_id = :run", run=run)) == kept


def test_what_was_kept_is_read_in_the_order_of_time(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    for each, slot, at in ((other, 1, LATELY), (run, 2, "now()"), (run, 3, LATELY)):
        rows.insert("run_paces", None, run_id=each, slot=slot, at=at, done=f'{{"haiku": {slot}}}')
    found = rows.all(paces.SAMPLES, runs=[other, run], kept=125)
    assert [(row[0], row[2]["haiku"]) for row in found] == [(run, 3), (run, 2), (other, 1)]
