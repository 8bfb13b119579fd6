"""What workers, people and accidents may do to runs that are under way, one thing at a time."""

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from models.vocabulary import Grader, Verdict
from tests.support.promises import do, many, one
from tests.support.works import drain, hand_in
from worker.config.settings import Settings
from worker.domain.canary import words as canary_words
from worker.domain.filter_parsing import parse
from worker.lanes.realtime.runtime import Runtime
from worker.store.actions import changes, holds
from worker.store.actions.caps import set_budget
from worker.store.actions.reviews import Judged, give_verdict
from worker.store.actions.selection import Selection
from worker.store.actions.truths import Graded, give
from worker.store.audit import Actor
from worker.store.queue import halts, rate_holds
from worker.store.queue.run_ends import finish_runs

ADA = Actor("ada")
MORE = [f"Another complicated case, number {n}: please help me." for n in range(3)]
GIVE_UP = """
UPDATE deliveries SET state = 'dead', ended_at = now(), error = 'HTTP 500' WHERE job_id =
  (SELECT min(job_id) FROM deliveries WHERE state = 'waiting')
"""
UNJUDGED = """
SELECT job_id, fence FROM audits AS a WHERE NOT EXISTS (
  SELECT FROM truths WHERE (job_id, fence) = (a.job_id, a.fence)) ORDER BY job_id LIMIT 2
"""
TO_A_PERSON = """
UPDATE jobs SET state = 'review', reason = 'low_confidence'
WHERE id = (SELECT min(id) FROM jobs WHERE state = 'answered')
"""
DIE_ALL = """
UPDATE jobs SET state = 'dead', reason = 'schema', finished_at = now()
WHERE run_id = 2 AND finished_at IS NULL AND lease_until IS NULL
"""


def possible_changes(
    engine: Engine, settings: Settings, runtime: Runtime, draw: random.Random, run: str
) -> dict[str, Callable[[], Any]]:
    """What may happen, to the run `run` or to all."""
    run_id = one(engine, "SELECT id FROM runs WHERE name = :name", name=run)[0]
    of_run = Selection(run_id=run_id, run_name=run)
    half = replace(of_run, node=parse("external_id contains 1"))
    dead = Selection(node=parse("state = dead"))
    dying = "UPDATE jobs SET state = 'dead', reason = 'schema', finished_at = now() WHERE id = :id"
    open_one = "SELECT min(id) FROM jobs WHERE finished_at IS NULL AND lease_until IS NULL"
    spent = one(engine, "SELECT spent + reserved FROM budgets WHERE run_id = :id", id=run_id)[0]
    return {
        "stop by budget": lambda: _unless_over(engine, run_id, lambda: set_budget(
            engine, ADA, of_run, spent + Decimal("0.000001"))),
        "hold": lambda: rate_holds.note_hold(engine, ["sonnet"], 60, None),
        "fail a canary": lambda: _fail_canary(engine),
        "resume opus": lambda: holds.resume_queue(engine, ADA, "opus"),
        "decide": lambda: _decide(engine, draw.choice(tuple(Verdict))),
        "give up": lambda: do(engine, GIVE_UP),
        "judge": lambda: _judge(engine, draw.random() < 0.7),
        "work": lambda: drain(runtime, rounds=1),
        "work on": lambda: drain(runtime, rounds=2),
        "die": lambda: do(engine, dying, id=one(engine, open_one)[0]),
        "die all": lambda: _die_all(engine),
        "go to a person": lambda: do(engine, TO_A_PERSON),
        "retry": lambda: changes.apply(engine, ADA, changes.RETRY, dead),
        "cancel some": lambda: changes.apply(engine, ADA, changes.CANCEL, half),
        "cancel all": lambda: changes.apply(engine, ADA, changes.CANCEL, of_run),
        "pause": lambda: holds.pause_queue(engine, ADA, "sonnet", "later"),
        "resume": lambda: holds.resume_queue(engine, ADA, "sonnet"),
        "drain": lambda: holds.drain_queue(engine, ADA, "haiku", "later"),
        "pause a run": lambda: _unless_over(engine, run_id, lambda: holds.pause_run(
            engine, ADA, of_run, "later")),
        "resume a run": lambda: _unless_over(engine, run_id, lambda: holds.resume_run(
            engine, ADA, of_run)),
        "resume haiku": lambda: holds.resume_queue(engine, ADA, "haiku"),
        "hand in": lambda: hand_in(engine, settings, MORE, name=f"more-{draw.random()}"),
        "put first": lambda: _unless_over(engine, run_id, lambda: changes.set_priority(
            engine, ADA, of_run, draw.randrange(9))),
        "budget": lambda: _unless_over(engine, run_id, lambda: set_budget(
            engine, ADA, of_run, Decimal(draw.randrange(2, 9)))),
    }  # fmt: skip


def _fail_canary(engine: Engine) -> None:
    with engine.begin() as connection:
        halts.halt(connection, "opus", canary_words("opus", 0, 5, ["malformed"]))


def _decide(engine: Engine, verdict: Verdict) -> None:
    """A person's word on one that waits for it, or on one that has it already."""
    found = one(engine, "SELECT max(id) FROM jobs WHERE state = 'review' AND id % 3 > 0")[0]
    if found is not None:
        give_verdict(
            engine,
            ADA,
            Judged(job_id=found, verdict=verdict, reply="Another reply.", reason="a reason"),
        )


def _die_all(engine: Engine) -> None:
    do(engine, DIE_ALL)
    finish_runs(engine)


def _judge(engine: Engine, right: bool) -> None:
    """A person's word on two of the answers that chance chose."""
    for job, fence in many(engine, UNJUDGED):
        give(engine, ADA, Grader.PERSON, Graded(job, fence, right))


def _unless_over(engine: Engine, run_id: int, change: Callable[[], Any]) -> None:
    if one(engine, "SELECT finished_at FROM runs WHERE id = :id", id=run_id)[0] is None:
        change()
