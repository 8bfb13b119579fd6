"""What a preview refuses and counts, by orders of which each is just beside what may be done."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from tests.support.near_misses import Rows
from worker.config.settings import Settings
from worker.errors import RungError
from worker.runs.orders import Order, choose
from worker.runs.preview_shapes import Preview
from worker.runs.previews import preview
from worker.store.actions.changes import MAX_PRIORITY

SETTINGS = Settings()


@pytest.fixture
def rows(engine: Engine) -> Iterator[Rows]:
    with engine.connect() as connection, connection.begin():
        yield Rows(connection)


def look(
    rows: Rows,
    action: str,
    run: str | None = None,
    *,
    queue: str | None = None,
    where: str | None = None,
    to: str | None = None,
) -> Preview:
    if queue is not None:
        return preview(rows.connection, SETTINGS, Order(action=action, queue=queue))
    chosen = choose(rows.connection, action, run, where)
    return preview(rows.connection, SETTINGS, Order(action=action, chosen=chosen, to=to))


@pytest.mark.parametrize(
    ("action", "run", "where", "words"),
    [
        ("retry", "gone", None, "is cancelled; its jobs cannot be retried"),
        ("pause", "held", None, "is paused, so it cannot be paused"),
        ("pause", "over", None, "there is nothing left to pause"),
        ("resume", "over", None, "there is nothing left to resume"),
        ("pause", None, "state = queued", "is not for jobs that a filter chooses"),
        ("drain", "held", None, "a run is paused"),
    ],
)
def test_what_makes_no_sense_is_said(
    rows: Rows, action: str, run: str | None, where: str | None, words: str
) -> None:
    rows.run(name="gone", state="cancelled", finished_at="now()")
    rows.run(name="over", state="finished", finished_at="now()")
    rows.job(rows.run(name="held", state="paused"))
    with pytest.raises(RungError, match=words):
        look(rows, action, run, where=where)


def test_what_an_interrupted_cancel_left_can_be_cancelled_again(rows: Rows) -> None:
    run = rows.run(name="half", state="cancelled", finished_at="now()")
    rows.job(run)
    rows.job(run, state="answered")
    assert look(rows, "cancel", "half").count == 1
    rows.run(name="whole", state="cancelled", finished_at="now()")
    with pytest.raises(RungError, match="nothing left to cancel"):
        look(rows, "cancel", "whole")


def test_what_is_open_is_what_a_pause_and_its_end_are_about(rows: Rows) -> None:
    for name, state in (("on", "active"), ("held", "paused")):
        run = rows.run(name=name, state=state)
        rows.job(run)
        rows.routed(run)
        rows.job(run, state="dead")
    assert (look(rows, "pause", "on").count, look(rows, "resume", "held").count) == (2, 2)


def test_a_queue_is_counted_alone_and_everything_as_a_whole(rows: Rows) -> None:
    run = rows.run()
    rows.routed(run)
    rows.job(run)
    rows.job(run)
    assert look(rows, "pause", queue="haiku").count == 1
    assert look(rows, "pause", queue="everything").count == 3


@pytest.mark.parametrize(
    ("to", "refused"), [("1.49", True), ("1.5", False), ("1.2", True), ("", False)]
)
def test_a_budget_covers_what_is_spent_and_what_is_reserved(
    rows: Rows, to: str, refused: bool
) -> None:
    run = rows.run(name="day")
    rows.connection.exec_driver_sql("DELETE FROM budgets WHERE run_id IS NOT NULL")
    rows.insert("budgets", None, scope=f"run:{run}", run_id=run, cap=9, spent=1, reserved="0.5")
    rows.job(run)
    if refused:
        with pytest.raises(RungError, match=r"\$1\.50"):
            look(rows, "budget", "day", to=to)
    else:
        assert look(rows, "budget", "day", to=to).count == 1
    asked = look(rows, "budget", "day").ask
    assert asked is not None
    assert "$1.50" in asked.hint


def test_a_priority_is_suggested_above_the_others_and_never_beyond_the_highest(rows: Rows) -> None:
    rows.job(rows.run(name="mine", priority=2))
    rows.job(rows.run(name="high", priority=MAX_PRIORITY))
    ask = look(rows, "priority", "mine").ask
    assert ask is not None
    assert ask.value == str(MAX_PRIORITY)


def test_who_goes_before_whom_is_said_of_others_only(rows: Rows) -> None:
    for name, priority in (("mine", 0), ("low", 1), ("same", 5), ("high", 9)):
        rows.job(rows.run(name=name, priority=priority))
    words = " ".join(look(rows, "priority", "mine", to="5").words)
    assert "It will be served before low." in words
    assert "high will still be served first." in words


def test_a_run_that_waits_for_money_needs_money(rows: Rows) -> None:
    wait = {"stop": "run budget", "least": "0.5", "most": "0.5"}
    waits = {"waiting_for": "run budget", "waiting_usd": "0.5",
             "policy": json.dumps({"ladder": ["haiku"]}),
             "tier_waits": json.dumps({"": wait, "haiku": wait})}  # fmt: skip
    run = rows.run(name="poor", **waits)
    rows.connection.exec_driver_sql("DELETE FROM budgets WHERE run_id IS NOT NULL")
    rows.insert("budgets", None, scope=f"run:{run}", run_id=run, cap=1, spent="0.9")
    rows.job(run)
    rows.job(rows.run(name="rich"))
    needs = re.compile(
        r"likely to cost about \S+\. Raise its budget: rung resume poor --budget ([\d.]+)"
    )
    found = needs.search(" ".join(look(rows, "resume", "poor").words))
    assert found is not None
    assert "udget" not in " ".join(look(rows, "resume", "rich").words)
    assert not needs.search(" ".join(look(rows, "resume", "poor", to="5").words))
    asked = look(rows, "budget", "poor").ask
    assert asked is not None
    assert 0 <= Decimal(asked.value) - Decimal(found[1]) < Decimal("0.01"), "one sum everywhere"
    goes_on = "It waits for budget now, and goes on at once."
    assert goes_on in look(rows, "budget", "poor", to="5").words
    assert goes_on not in look(rows, "budget", "rich", to="5").words


def test_a_run_that_is_still_handed_in_says_so_when_it_is_cancelled(rows: Rows) -> None:
    rows.job(rows.run(name="coming", accepting=True))
    rows.job(rows.run(name="here"))
    words = "It is still being submitted: what comes in before is cancelled too."
    assert words in look(rows, "cancel", "coming").words
    assert words not in look(rows, "cancel", "here").words


def test_a_budget_is_enough_for_what_is_spent_and_what_is_still_to_come(rows: Rows) -> None:
    past, run = rows.run(name="past"), rows.run(name="day")
    for _ in range(60):
        rows.job(past, state="answered", cost=1)
    rows.job(run)
    rows.connection.exec_driver_sql("DELETE FROM budgets WHERE run_id IS NOT NULL")
    rows.insert("budgets", None, scope=f"run:{run}", run_id=run, cap=9, spent=5, reserved=0)
    said = {to: " ".join(look(rows, "budget", "day", to=to).words) for to in ("5.5", "6.5")}
    assert "That may not be enough for all of it: about $6.00 is." in said["5.5"]
    assert "enough" not in said["6.5"]


def test_a_tier_that_has_not_answered_yet_is_not_taken_for_free(rows: Rows) -> None:
    past, run = rows.run(name="past"), rows.run(name="day")
    for _ in range(60):
        rows.job(past, state="answered", cost=1)
    rows.job(run, state="answered", tier="haiku")
    rows.job(run, state="routed", tier="opus")
    rows.connection.exec_driver_sql("DELETE FROM budgets WHERE run_id IS NOT NULL")
    rows.insert("budgets", None, scope=f"run:{run}", run_id=run, cap=9, spent=5, reserved=0)
    asked = look(rows, "budget", "day").ask
    assert asked is not None
    assert "About $6.00 would be enough for all of it." in asked.hint


@pytest.mark.parametrize(
    ("deadline", "state", "warns"),
    [
        ("now() - interval '1 minute'", "dead", True),
        ("now() + interval '1 minute'", "dead", False),
        (None, "dead", False),
        ("now() - interval '1 minute'", "answered", False),
    ],
)
def test_what_would_die_of_its_deadline_again_is_not_just_tried_again(
    rows: Rows, deadline: str | None, state: str, warns: bool
) -> None:
    run = rows.run(name="day", deadline=deadline, state="finished", finished_at="now()")
    rows.job(run, state=state, finished_at="now()")
    found = look(rows, "retry", "day")
    assert ("rung reprocess --run day --where 'state = dead'" in found.beware) is warns
