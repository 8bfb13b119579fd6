"""Deciding, tried out: a policy of one's own, moods of the simulator, and a run worked off whose
record must explain itself."""

from typing import Any

from sqlalchemy import Engine

from tests.support.works import drain, hand_in, make_due, working
from worker.config.settings import Settings
from worker.config.validators import load_validators
from worker.domain.policy_documents import from_document
from worker.runs.replay import replay
from worker.sandbox.simulator.state import State
from worker.store.reading.replay import decided_jobs
from worker.store.runs import find_run

GOOD = {
    "reply": "Your card was sent on Monday and arrives within five working days.",
    "grounds": "the knowledge says so",
    "confidence": 0.9,
}
Simulator = tuple[State, str]


def own(settings: Settings, **policy: Any) -> Settings:
    """With one policy more, called `mine`."""
    return settings.model_copy(update={"policies": {"mine": policy}})


def work_off(
    engine: Engine, settings: Settings, bodies: list[str], policy: str | None = None, **fields: Any
) -> None:
    """Works until nothing is open, and holds replay and the ledger to the outcome."""
    run = hand_in(engine, settings, bodies, policy=policy, **fields)
    with working(settings) as runtime:
        runtime.remember_prompts()
        for _ in range(3):
            drain(runtime)
            make_due(engine)
    with engine.connect() as connection:
        frozen = from_document(find_run(connection, run.name).policy)
    again = replay(decided_jobs(engine, run.id), frozen, load_validators(settings))
    assert (again.jobs, again.differences) == (len(bodies), [])


def moods(simulator: Simulator, *rules: dict[str, Any]) -> None:
    simulator[0].moods.replace(rules)


def answering(do: dict[str, Any], **match: Any) -> dict[str, Any]:
    return {"match": {"purpose": "answer", **match}, "do": do}
