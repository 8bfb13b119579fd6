"""Changes by people, whichever door they came through: what a copy once forgot."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from tests.support.promises import do, one
from tests.support.works import hand_in, settings_for
from worker.domain.filter_parsing import parse
from worker.errors import RungError, UsageError
from worker.runs.actions import perform
from worker.runs.orders import Order, choose
from worker.store.actions import caps, changes, foresight, holds
from worker.store.actions.selection import Selection, whole
from worker.store.audit import Actor
from worker.store.runs import RunRef

ADA = Actor("ada")
BODIES = [f"Where is my card number {n}?" for n in range(6)]
KILL = """
UPDATE jobs SET state = 'dead', reason = 'schema', failures = 3, finished_at = now(), tier = 'haiku'
WHERE run_id = 1
"""


@pytest.fixture
def run(engine: Engine) -> RunRef:
    """A run of six open jobs with a budget of a dollar."""
    return hand_in(engine, settings_for("", ""), BODIES, name="day", cap=Decimal(1))


def ordered(engine: Engine, action: str, run: str | None, where: str | None, to: str) -> Order:
    with engine.connect() as connection:
        return Order(action=action, chosen=choose(connection, action, run, where), to=to)


RAISES: dict[str, Callable[[Engine, RunRef], object]] = {
    "rung resume --budget": lambda e, run: holds.resume_run(e, ADA, whole(run), Decimal(5)),
    "a page or rung budget": lambda e, _: perform(e, ADA, ordered(e, "budget", "day", None, "5")),
    "by a filter": lambda e, _: perform(e, ADA, ordered(e, "budget", None, "state = queued", "5")),
}


@pytest.mark.parametrize("door", RAISES)
def test_a_raised_cap_is_warned_about_anew(engine: Engine, run: RunRef, door: str) -> None:
    # given
    do(engine, "UPDATE budgets SET warned_percent = 100, spent = 1 WHERE run_id = 1")
    do(engine, "UPDATE runs SET waiting_for = 'run budget'")
    do(engine, "UPDATE jobs SET available_at = now() + interval '1 hour'")
    # when
    RAISES[door](engine, run)
    # then
    budget = one(engine, "SELECT cap, warned_percent FROM budgets WHERE run_id = 1")
    assert tuple(budget) == (5, 0)
    state = one(engine, "SELECT budget_cap, waiting_for FROM runs")
    assert tuple(state) == (5, None)
    assert one(engine, "SELECT count(*) FROM jobs WHERE available_at <= now()")[0] == 6


def test_a_cap_below_what_is_used_changes_nothing(engine: Engine, run: RunRef) -> None:
    # given
    do(engine, "UPDATE budgets SET spent = 0.5 WHERE run_id = 1")
    do(engine, "UPDATE runs SET state = 'paused'")
    # when
    with pytest.raises(UsageError, match=r"spent or reserved \$0.5000 already"):
        holds.resume_run(engine, ADA, whole(run), Decimal("0.2"))
    # then
    assert tuple(one(engine, "SELECT state, budget_cap FROM runs")) == ("paused", 1)
    assert one(engine, "SELECT count(*) FROM audit_events")[0] == 0


@pytest.mark.parametrize("where", [None, "state = dead"])
def test_a_retry_leaves_what_was_erased(engine: Engine, run: RunRef, where: str | None) -> None:
    # given: a finished run whose dead letters' messages were erased, but for two
    do(engine, KILL)
    do(engine, "UPDATE messages SET erased_at = now() WHERE id > 2")
    do(engine, "UPDATE runs SET state = 'finished', finished_at = now()")
    chosen = Selection(node=parse(where)) if where is not None else whole(run)
    with engine.connect() as connection:
        counted = foresight.foresee(connection, changes.RETRY, chosen).jobs
    # when
    done = changes.apply(engine, ADA, changes.RETRY, chosen)
    # then
    assert (counted, done.affected) == (2, 2)
    assert one(engine, "SELECT array_agg(id ORDER BY id) FROM jobs WHERE state = 'dead'")[0] == [
        3, 4, 5, 6
    ]  # fmt: skip
    # when: nothing is left that could be opened
    do(engine, KILL)
    do(engine, "UPDATE messages SET erased_at = now()")
    do(engine, "UPDATE runs SET state = 'finished', finished_at = now()")
    again = changes.apply(engine, ADA, changes.RETRY, chosen)
    # then: the run stays over
    assert (again.affected, one(engine, "SELECT state FROM runs")[0]) == (0, "finished")


def test_a_run_is_changed_in_groups_and_each_of_them_counts(
    engine: Engine, run: RunRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "GROUP", 2)
    do(engine, KILL)
    do(engine, "UPDATE runs SET state = 'finished', finished_at = now()")
    assert changes.apply(engine, ADA, changes.RETRY, whole(run)).affected == 6
    assert changes.apply(engine, ADA, changes.CANCEL, whole(run)).affected == 6
    assert one(engine, "SELECT array_agg(affected ORDER BY id) FROM audit_events")[0] == [6, 6]


def test_what_an_interrupted_cancel_left_can_be_cancelled(engine: Engine, run: RunRef) -> None:
    do(engine, "UPDATE runs SET state = 'cancelled', finished_at = now()")
    assert changes.apply(engine, ADA, changes.CANCEL, whole(run)).affected == 6


def test_nothing_is_changed_in_a_run_that_is_over(engine: Engine, run: RunRef) -> None:
    do(engine, "UPDATE runs SET state = 'finished', finished_at = now()")
    for change in (
        lambda: caps.set_budget(engine, ADA, whole(run), Decimal(9)),
        lambda: changes.set_priority(engine, ADA, whole(run), 9),
    ):
        with pytest.raises(RungError, match="Run day is finished: there is nothing left"):
            change()
    assert tuple(one(engine, "SELECT priority, budget_cap FROM runs")) == (0, 1)
