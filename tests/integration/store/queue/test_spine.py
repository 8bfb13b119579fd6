"""A backlog goes in, answers come out: the whole protocol on real Postgres, without Celery."""

from sqlalchemy import Engine, text

from tests.support.works import drain, hand_in, settings_for, working
from worker.sandbox.simulator.state import State

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(60)]


def test_every_message_is_answered_once(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    state, url = simulator
    settings = settings_for(database_url, url)
    run = hand_in(engine, settings, BODIES)

    with working(settings) as runtime:
        drain(runtime)

    with engine.connect() as connection:
        states = dict(connection.execute(text("SELECT state, count(*) FROM jobs GROUP BY 1")).all())
        counted = dict(
            connection.execute(
                text("SELECT state, sum(jobs) FROM run_counts GROUP BY 1 HAVING sum(jobs) <> 0")
            ).all()
        )
        results = connection.execute(text("SELECT count(*) FROM results WHERE accepted")).scalar()
        calls = connection.execute(text("SELECT count(*) FROM calls")).scalar()
        spent, ledger, jobs = connection.execute(
            text(
                "SELECT (SELECT spent FROM budgets WHERE run_id = :run),"
                " (SELECT sum(cost) FROM calls), (SELECT sum(cost) FROM jobs)"
            ),
            {"run": run.id},
        ).one()
        reserved = connection.execute(text("SELECT sum(reserved) FROM budgets")).scalar()
        finished = connection.execute(text("SELECT state FROM runs")).scalar()
    assert sum(states.values()) == len(BODIES)
    assert set(states) <= {"answered", "review"}
    assert counted == states
    assert results == states["answered"]
    assert calls == state.counts.by_path["/v1/messages"]
    assert spent == ledger == jobs
    assert ledger > 0
    assert reserved == 0
    assert finished == "finished"
