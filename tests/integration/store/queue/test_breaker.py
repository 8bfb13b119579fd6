"""The breaker of a queue on real Postgres: it opens, lets single probes through, closes."""

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.processes import RUNG, clean_environ, process
from tests.support.promises import BODY, ME, checked, do, one, requests
from tests.support.waiting import eventually
from tests.support.works import drain, hand_in, make_due, presence_beat, settings_for, working
from worker.config.settings import Settings
from worker.domain.breaker import BreakerRule, Pulse
from worker.lanes.realtime.runtime import Runtime
from worker.sandbox.simulator.state import State
from worker.store.actions import changes, holds
from worker.store.actions.selection import whole
from worker.store.queue.breakers import half_open, tell
from worker.store.queue.dispatch import dispatch

DOWN = [{"match": {"purpose": "answer"}, "do": {"status": 529}}]
BREAKER = "SELECT breaker, breaker_reason, breaker_until > now() FROM tiers WHERE name = 'haiku'"


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1], policy={"preset": "single:haiku"})


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    with working(settings) as made:
        yield made


def time_passes(engine: Engine) -> None:
    """The breaker has been open for long enough, and deferred jobs are due."""
    do(engine, "UPDATE tiers SET breaker_until = now() WHERE breaker = 'open'")
    make_due(engine)


def test_a_storm_of_529_opens_it_and_costs_no_attempt(
    engine: Engine, settings: Settings, runtime: Runtime, simulator: tuple[State, str]
) -> None:
    # Given a Claude that is overloaded
    simulator[0].moods.replace(DOWN)
    hand_in(engine, settings, BODY * 30)
    # When a backlog meets it
    drain(runtime)
    # Then the breaker is open, with its reason and an end
    state, reason, ahead = one(engine, BREAKER)
    assert (state, ahead) == ("open", True)
    assert reason.endswith("calls in a row failed, last with 529 overloaded_error")
    # And nothing more is dispatched or claimed, no attempt was used up, nothing is dead
    sent = requests(simulator)
    make_due(engine)
    presence_beat(runtime)
    assert dispatch(engine, chunk=25, redispatch_s=60) == []
    assert requests(simulator) == sent
    assert tuple(one(engine, "SELECT sum(failures), bool_and(state = 'routed') FROM jobs")) == (
        0,
        True,
    )
    assert one(engine, "SELECT action, target, actor FROM audit_events") == (
        "breaker open",
        "haiku",
        "rung",
    )
    assert one(engine, "SELECT kind, target FROM notices") == ("breaker_open", "haiku")
    checked(engine, simulator)


def test_single_probes_close_it_and_the_backlog_goes_on(
    engine: Engine, settings: Settings, runtime: Runtime, simulator: tuple[State, str]
) -> None:
    # Given an open breaker, and a Claude that is well again
    simulator[0].moods.replace(DOWN)
    hand_in(engine, settings, BODY * 30)
    drain(runtime)
    simulator[0].moods.replace([])
    # When its time is over
    time_passes(engine)
    half_open(engine)
    assert one(engine, BREAKER)[0] == "half_open"
    drain(runtime)
    # Then it closed again, and everything is answered
    assert one(engine, "SELECT breaker, breaker_reason, trips FROM tiers WHERE name = 'haiku'") == (
        "closed",
        None,
        0,
    )
    assert one(engine, "SELECT state, count(*) FROM jobs GROUP BY 1") == ("answered", 30)
    assert one(engine, "SELECT count(*) FROM audit_events WHERE action = 'breaker closed'")[0] == 1
    checked(engine, simulator)


def test_a_probe_that_fails_opens_it_for_longer(
    engine: Engine, settings: Settings, runtime: Runtime, simulator: tuple[State, str]
) -> None:
    simulator[0].moods.replace(DOWN)
    hand_in(engine, settings, BODY * 30)
    drain(runtime)
    before = requests(simulator)
    time_passes(engine)
    drain(runtime)
    assert requests(simulator) == before + 1
    # The breaker knew before the probe's lease was gone: nobody could send another in between.
    assert one(
        engine, "SELECT max(a.finished_at) > max(e.at) FROM attempts AS a, audit_events AS e"
    )[0]
    row = one(engine, "SELECT breaker, trips, breaker_until > now() + interval '12 s' FROM tiers")
    assert tuple(row) == ("open", 2, True)
    assert one(engine, "SELECT count(*) FROM notices")[0] == 1
    checked(engine, simulator)


def test_half_open_lets_one_through_whoever_claims(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # Given a half-open breaker, twelve ready jobs and three workers
    with ExitStack() as stack:
        workers = [stack.enter_context(working(settings)) for _ in range(3)]
        simulator[0].moods.replace(DOWN)
        hand_in(engine, settings, BODY * 30)
        drain(workers[0])
        time_passes(engine)
        ids = list(one(engine, "SELECT array_agg(id) FROM jobs")[0])
        # When all claim at once, again and again
        granted: list[int] = []

        def claim(worker: Runtime) -> None:
            for _ in range(20):
                taken = worker.claims.take("haiku", ids, worker.planner)
                granted.extend(claimed.candidate.job_id for claimed in taken.granted)

        threads = [threading.Thread(target=claim, args=(worker,)) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # Then one was claimed
        assert len(granted) == 1
        assert one(engine, "SELECT count(*) FROM jobs WHERE lease_until IS NOT NULL")[0] == 1


def test_429_alone_never_opens_it(
    engine: Engine, settings: Settings, runtime: Runtime, simulator: tuple[State, str]
) -> None:
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": {"status": 429}}])
    hand_in(engine, settings, BODY * 30)
    drain(runtime)
    assert requests(simulator) >= 30
    assert one(engine, "SELECT count(*) FROM tiers")[0] == 0


def test_status_shows_it_and_resume_closes_it(
    engine: Engine, settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    # Given an open breaker
    tell(engine, {"haiku": Pulse(0, 12, "timeout")}, BreakerRule())
    (line,) = [q for q in say("status", "--json").document["queues"] if q["queue"] == "haiku"]
    assert (line["breaker"], line["breaker_reason"]) == (
        "open",
        "12 calls in a row failed, last with timeout",
    )
    said = say("status")
    why = r"haiku is left alone since [\w: ]+ \(its breaker is open\), because 12 calls in a row"
    assert re.search(why, said.err)
    assert "breaker open" in said.out
    # When a person closes it
    assert say("resume", "haiku").code == 0
    # Then it is closed, and the audit says who did it
    assert one(engine, "SELECT breaker, breaker_reason, trouble FROM tiers") == ("closed", None, 0)
    assert one(engine, "SELECT target FROM audit_events WHERE action = 'resume'")[0] == "haiku"


def test_whoever_watches_a_run_hears_why_it_stands_still(
    engine: Engine, settings: Settings, database_url: str, tmp_path: Path
) -> None:
    # Given a person who watches a run
    run = hand_in(engine, settings, BODY)
    command = [*RUNG, "status", run.name, "--watch"]
    log = tmp_path / "watch.log"
    environ = clean_environ(DATABASE_URL=database_url)
    with process(command, log=log, environ=environ, cwd=tmp_path) as watching:
        # When everything is paused, and a breaker opens
        holds.pause_queue(engine, ME, "everything", "402 billing_error")
        tell(engine, {"haiku": Pulse(0, 12, "timeout")}, BreakerRule())
        # Then both are said, with what goes on with it
        told = (
            ": 402 billing_error (go on with: rung resume everything)",
            "Haiku is left alone since ",
            "(its breaker is open), because 12 calls in a row failed, last with timeout",
        )
        eventually(lambda: all(words in log.read_text("utf-8") for words in told))
        changes.apply(engine, ME, changes.CANCEL, whole(run))
        eventually(lambda: watching.poll() is not None)
    assert log.read_text("utf-8").count("Everything is paused") == 1
