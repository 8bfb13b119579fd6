"""Runs that were answered and judged, written straight into the record: no model, no worker.

Answers are marked as real where a test needs what only real answers may do: they are made up, in a
database that lives as long as the test.
"""

import random
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Engine, text

from models.vocabulary import Grader
from tests.support.promises import ME, do
from tests.support.works import hand_in, settings_for
from worker.domain.policy import Policy
from worker.store.actions.audits import raise_share
from worker.store.actions.truths import Graded, store
from worker.store.runs import RunRef

LADDER = ("haiku", "sonnet", "opus")
COSTS = {"haiku": "0.000245", "sonnet": "0.0049", "opus": "0.0098"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What a made-up run was like. `right` is how often an answer that haiku is sure of is right;
    the others climb, to sonnet and half of those to opus."""

    messages: int = 400
    sure: float = 0.8
    right: float = 0.99
    share: str = "1"
    seed: int = 1
    simulated: bool = False
    model: str = "claude-haiku-5-5"


def answered_run(
    engine: Engine,
    database_url: str,
    traffic: Traffic,
    *,
    name: str = "monday",
    policy: str | Policy | None = None,
    judged: bool = True,
) -> RunRef:
    """A finished run with results, audits drawn, and a verdict on each of them."""
    settings = settings_for(database_url, "http://127.0.0.1:1")
    bodies = [f"{name}: where is my parcel number {n}?" for n in range(traffic.messages)]
    run = hand_in(engine, settings, bodies, policy=policy, name=name, channel="mail")
    chance = random.Random(traffic.seed)
    truth: dict[tuple[int, int], bool] = {}
    with engine.begin() as connection:
        ids = connection.execute(JOBS, {"run": run.id}).scalars().all()
        for job in ids:
            _answer(connection, job, traffic, chance, truth)
        connection.execute(FINISH, {"run": run.id})
    raise_share(engine, ME, run, Decimal(traffic.share))
    if judged:
        judge_all(engine, truth)
    return run


def judge_all(engine: Engine, truth: dict[tuple[int, int], bool]) -> None:
    """A verdict on everything that was drawn."""
    with engine.begin() as connection:
        drawn = connection.execute(text("SELECT job_id, fence FROM audits")).all()
        known = [Graded(j, f, truth[j, f]) for j, f in drawn if (j, f) in truth]
        store(connection, Grader.PERSON, "ada", known)
    do(engine, "UPDATE audits SET state = 'graded'")


def _answer(connection, job, traffic, chance, truth) -> None:  # type: ignore[no-untyped-def]
    sure = chance.random() < traffic.sure
    difficulty = "SIMPLE" if sure else "COMPLEX"
    steps = ["haiku"] if sure else ["haiku", "sonnet"] + ["opus"] * (chance.random() < 0.5)
    for number, tier in enumerate(steps, start=1):
        last = number == len(steps)
        confidence = chance.randrange(16, 21) / 20 if last else chance.randrange(4, 13) / 20
        right = chance.random() < traffic.right
        truth[job, number] = right
        values = {
            "job": job,
            "fence": number,
            "tier": tier,
            "model": traffic.model if tier == "haiku" else f"claude-{tier}-5-5",
            "outcome": "accepted" if last else "rejected",
            "reasons": [] if last else ["low_confidence"],
            "confidence": confidence,
            "cost": COSTS[tier],
            "simulated": traffic.simulated,
            "decision": "accept" if last else f"climb:{LADDER[number]}",
        }
        connection.execute(ATTEMPT, values)
        connection.execute(CALL, values)
        if not last:
            step = {"job": job, "fence": number, "from": tier, "to": steps[number]}
            connection.execute(STEP, step)
        if last:
            connection.execute(RESULT, values)
            connection.execute(ANSWERED, values | {"difficulty": difficulty, "climbs": number - 1})


JOBS = text("SELECT id FROM jobs WHERE run_id = :run ORDER BY id")
FINISH = text("UPDATE runs SET state = 'finished', finished_at = now() WHERE id = :run")
ATTEMPT = text("""
INSERT INTO attempts (job_id, fence, stage, tier, model, lane, outcome, reasons, confidence,
  threshold, decision, policy_version, prompt_version, schema_version, cost, budget_day,
  available_at, finished_at)
SELECT :job, :fence, 'answer', :tier, :model, 'realtime', :outcome, :reasons, :confidence, 0.7,
  :decision, r.policy_version, 'p1', 's1', CAST(:cost AS numeric), current_date, now(), now()
FROM jobs AS j JOIN runs AS r ON r.id = j.run_id WHERE j.id = :job
""")
CALL = text("""
INSERT INTO calls (job_id, fence, purpose, state, tier, model, lane, cost, simulated)
VALUES (:job, :fence, 'answer', 'done', :tier, :model, 'realtime', CAST(:cost AS numeric),
  :simulated)
""")
STEP = text("""
INSERT INTO escalations (job_id, fence, from_tier, to_tier, reason)
VALUES (:job, :fence, :from, :to, 'low_confidence')
""")
RESULT = text("""
INSERT INTO results (job_id, fence, reply, tier, model, accepted, confidence, simulated)
VALUES (:job, :fence, 'It is on its way.', :tier, :model, true, :confidence, :simulated)
""")
ANSWERED = text("""
UPDATE jobs SET state = 'answered', tier = :tier, fence = :fence, rung = :climbs, attempts = :fence,
  difficulty = :difficulty, escalations = :climbs, finished_at = now(),
  cost = (SELECT sum(cost) FROM attempts WHERE job_id = :job)
WHERE id = :job
""")
