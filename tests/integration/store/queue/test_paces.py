"""How fast live runs go is kept once every few seconds, whoever keeps house, and read by all."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from tests.support.promises import do, many, one
from worker.store.actions import holds
from worker.store.actions.caps import set_budget
from worker.store.actions.changes import set_priority
from worker.store.actions.selection import Selection
from worker.store.audit import Actor
from worker.store.new_runs import forget_run
from worker.store.queue.paces import note_paces, pace_samples
from worker.store.runs import RunRef

ADA = Actor("ada")


def run_with(engine: Engine, name: str, *, over: bool = False) -> int:
    """A run of which 10 were answered at haiku, 3 died at sonnet, 2 climbed and 5 are queued."""
    do(
        engine,
        "INSERT INTO runs (name, policy, policy_name, policy_version, state, finished_at)"
        " VALUES (:name, '{}', 'p', 'v', 'active', CASE WHEN :over THEN now() END)",
        name=name,
        over=over,
    )
    run_id: int = one(engine, "SELECT id FROM runs WHERE name = :name", name=name)[0]
    do(
        engine,
        "INSERT INTO run_counts (run_id, state, tier, jobs) VALUES (:id, 'answered', 'haiku', 10),"
        " (:id, 'dead', 'sonnet', 3), (:id, 'queued', '', 5), (:id, 'cancelled', '', 1)",
        id=run_id,
    )
    do(
        engine,
        "INSERT INTO run_escalations (run_id, from_tier, to_tier, reason, escalations)"
        " VALUES (:id, 'haiku', 'sonnet', 'schema', 2), (:id, 'sonnet', 'person', 'schema', 7)",
        id=run_id,
    )
    return run_id


def test_what_a_live_run_has_done_is_kept_by_queue(engine: Engine) -> None:
    live, over = run_with(engine, "live"), run_with(engine, "over", over=True)
    note_paces(engine)
    with engine.connect() as connection:
        found = pace_samples(connection, [live, over])
    (sample,) = found[live]
    assert sample.done == {"routing": 13, "haiku": 12, "sonnet": 3, "ended": 14}
    assert found[over] == []


def test_it_is_kept_once_for_all_workers(engine: Engine) -> None:
    live = run_with(engine, "live")
    note_paces(engine)
    do(engine, "UPDATE run_counts SET jobs = jobs + 1 WHERE state = 'answered'")
    note_paces(engine)
    assert one(engine, "SELECT count(*), max(done ->> 'haiku') FROM run_paces") == (1, "12")
    do(engine, "UPDATE run_paces SET at = at - interval '5 s', slot = (slot + 23) % 24")
    note_paces(engine)
    with engine.connect() as connection:
        samples = pace_samples(connection, [live])[live]
    assert [sample.done["haiku"] for sample in samples] == [12, 13]


def test_a_run_without_a_job_has_no_pace_so_it_can_be_taken_back(engine: Engine) -> None:
    # given a run that is being submitted, and of which no row is accepted
    run_id = run_with(engine, "empty")
    do(engine, "DELETE FROM run_counts")
    do(engine, "DELETE FROM run_escalations")
    # when somebody keeps house meanwhile
    note_paces(engine)
    with engine.begin() as connection:
        forget_run(connection, RunRef(id=run_id, name="empty", lane="realtime", priority=0))
    # then
    assert one(engine, "SELECT count(*) FROM runs") == (0,)


@pytest.mark.parametrize(
    ("lift", "kept"),
    [
        (lambda engine, run: holds.resume_run(engine, ADA, run), ["other"]),
        (lambda engine, run: set_budget(engine, ADA, run, Decimal(5)), ["other"]),
        (lambda engine, run: set_priority(engine, ADA, run, 7), []),
        (lambda engine, _run: holds.resume_queue(engine, ADA, "haiku"), []),
        (lambda engine, _run: holds.overrule_canary(engine, ADA, "haiku"), []),
        (lambda engine, _run: holds.pause_queue(engine, ADA, "opus", "lunch"), ["held", "other"]),
    ],
)
def test_how_a_run_went_while_it_was_held_back_is_forgotten_once_that_is_lifted(
    engine: Engine, lift: Callable[[Engine, Selection], object], kept: list[str]
) -> None:
    # given
    held = run_with(engine, "held")
    run_with(engine, "other")
    do(engine, "INSERT INTO budgets (scope, run_id, cap) VALUES ('run:held', :id, 1)", id=held)
    do(engine, "INSERT INTO canaries (tier, prompt_version, schema_version, model, bad)"
       " VALUES ('haiku', 'p', 's', 'm', 5)")  # fmt: skip
    holds.pause_queue(engine, ADA, "haiku", "lunch")
    note_paces(engine)
    # when
    lift(engine, Selection(run_id=held, run_name="held"))
    # then
    names = "SELECT r.name FROM run_paces AS p JOIN runs AS r ON r.id = p.run_id ORDER BY 1"
    assert [name for (name,) in many(engine, names)] == kept
