"""A worker without Celery: the real runtime and the real SQL, with deliveries made by the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, text

from models.vocabulary import Lane
from tests.support.receipts import receipt
from worker.config.policies import policy_named
from worker.config.settings import Settings, default_tiers
from worker.domain.policy import Policy
from worker.domain.policy_documents import from_document
from worker.domain.prompts import Prompts
from worker.domain.validation import BUILTIN
from worker.intake import Record
from worker.lanes.realtime.runtime import Runtime
from worker.runs.replay import replay
from worker.store.new_runs import NewRun, create_run
from worker.store.queue.copy_rows import packed_rows
from worker.store.queue.dispatch import dispatch
from worker.store.queue.intake import add_in
from worker.store.queue.presence import Presence, beat
from worker.store.queue.run_ends import finish_runs
from worker.store.reading.replay import decided_jobs
from worker.store.runs import RunRef, find_run


def settings_for(database_url: str, simulator_url: str, **changes: Any) -> Settings:
    """Settings of a worker that is wired to the test's servers. Its tiers have no rate limits, so
    it needs no Redis, and canaries are off, unless a test says otherwise."""
    unlimited = {
        name: tier.model_copy(update={"rpm": None, "itpm": None, "otpm": None})
        for name, tier in default_tiers().items()
    }
    return Settings.model_validate(
        {
            "database_url": database_url,
            "redis_url": "redis://127.0.0.1:1/0",
            "anthropic_api_key": SecretStr("sk-test"),
            "anthropic_base_url": simulator_url,
            "tiers": unlimited,
            "canary": {"enabled": False},
            **changes,
        }
    )


@contextmanager
def working(settings: Settings) -> Iterator[Runtime]:
    """A started runtime, known to dispatch as a live worker of every queue."""
    runtime = Runtime(settings)
    runtime.start()
    capacity = {name: tier.max_in_flight for name, tier in settings.tiers.items()}
    beat(runtime.engine, Presence(runtime.worker_id, {**capacity, "routing": 64}), {})
    try:
        yield runtime
    finally:
        runtime.stop()


def hand_in(
    engine: Engine,
    settings: Settings,
    bodies: list[str],
    *,
    policy: str | Policy | None = None,
    cap: Decimal | None = None,
    name: str = "run",
    lane: Lane = Lane.REALTIME,
    prompts: Prompts | None = None,
    **fields: Any,
) -> RunRef:
    """A run with one message for each body; `prompts` are those that it keeps."""
    chosen = policy if isinstance(policy, Policy) else policy_named(settings, policy)
    with engine.begin() as connection:
        run = create_run(
            connection, NewRun(name=name, policy=chosen, lane=lane, budget_cap=cap, prompts=prompts)
        )
        records = [
            Record(line=n + 1, external_id=f"{name}-{n}", body=body, **fields)
            for n, body in enumerate(bodies)
        ]
        add_in(connection, run, packed_rows(records, None), False, 0)
        connection.execute(text("UPDATE runs SET accepting = false WHERE id = :id"), {"id": run.id})
    return run


def unexplained(engine: Engine, run: RunRef) -> list[str]:
    """Decisions of a run that come out otherwise when they are made again from the record, and
    receipts whose sum is not the job's cost."""
    with engine.connect() as connection:
        policy = from_document(find_run(connection, run.name).policy)
        ids = connection.execute(text("SELECT id FROM jobs WHERE run_id = :id"), {"id": run.id})
        receipts = [receipt(connection, job_id) for job_id in ids.scalars().all()]
    again = replay(decided_jobs(engine, run.id), policy, BUILTIN)
    found = [f"job {d.job}: recorded {d.recorded}, now {d.recomputed}" for d in again.differences]
    return found + [
        f"job {one['job']}: the receipt's sum is {one['total_usd']}, its cost {one['cost_usd']}"
        for one in receipts
        if one["total_usd"] != one["cost_usd"]
    ]


def drain(runtime: Runtime, *, rounds: int = 50) -> int:
    """Dispatches and works until nothing is ready. Returns how many chunks there were."""
    chunks = 0
    for _ in range(rounds):
        presence_beat(runtime)
        ready = dispatch(runtime.engine, chunk=25, redispatch_s=60)
        if not ready:
            break
        for chunk in ready:
            runtime.work(chunk.queue, chunk.ids)
        chunks += len(ready)
    finish_runs(runtime.engine)
    return chunks


def presence_beat(runtime: Runtime) -> None:
    """Keeps the worker alive in dispatch's eyes, however long the test takes."""
    with runtime.engine.begin() as connection:
        connection.execute(text("UPDATE workers SET seen_at = now()"))


def make_due(engine: Engine) -> None:
    """Lets time pass for deferred jobs: everything that waits is ready now."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE jobs SET available_at = now()"
                " WHERE lease_until IS NULL AND finished_at IS NULL"
            )
        )
