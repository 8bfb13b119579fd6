"""A worker that consumes nothing although work waits for it is named, and ends itself."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from celery import Celery
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.limiting import Clock
from tests.support.processes import clean_environ, process
from tests.support.promises import BODY, do, one
from tests.support.waiting import eventually
from tests.support.works import drain, hand_in, settings_for, working
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.errors import ConfigurationError
from worker.lanes.realtime.runtime import Runtime
from worker.lanes.rounds import Rounds
from worker.lanes.upkeep.watchdog import EXIT_STATUS, HANGING_AFTER_S, LOOKS, Watchdog
from worker.sandbox.simulator.state import State
from worker.store.queue.dispatch import dispatch

AFTER_S = 120.0
STEP_S = AFTER_S / LOOKS


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1], policy={"preset": "single:haiku"})


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    with working(settings) as made:
        yield made


class Watched:
    """A watchdog whose clock the test moves, and what it did."""

    def __init__(self, runtime: Runtime, after_s: float = AFTER_S) -> None:
        self.ended: list[int] = []
        self.clock = Clock()
        self.rounds = Rounds(self.clock)
        self.dog = Watchdog(
            runtime.engine,
            runtime.worker_id,
            ["routing", "haiku"],
            runtime.in_hand,
            after_s,
            hanging=self.rounds.hanging,
            end=self.ended.append,
            clock=self.clock,
        )

    def after(self, seconds: float) -> list[int]:
        """Looks as often as housekeeping would; what it ended with, if it did."""
        for _ in range(round(seconds / STEP_S)):
            self.clock.now += STEP_S
            self.dog.look()
        return self.ended


def lost_delivery(engine: Engine, runtime: Runtime, settings: Settings) -> tuple[int, ...]:
    """A job was dispatched half a minute ago, and nobody has seen it since."""
    hand_in(engine, settings, BODY)
    (chunk,) = dispatch(runtime.engine, chunk=25, redispatch_s=60)
    do(engine, "UPDATE dispatches SET dispatched_at = now() - interval '30 s'")
    return chunk.ids


def test_a_worker_that_nothing_reaches_names_itself_and_ends(
    engine: Engine,
    settings: Settings,
    runtime: Runtime,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given work that waits and is never delivered
    watched = Watched(runtime)
    lost_delivery(engine, runtime, settings)
    # When two minutes go by, and not sooner
    assert watched.after(AFTER_S - STEP_S) == []
    assert watched.after(STEP_S) == [EXIT_STATUS]
    # Then it ends, and `workers`, the audit and the status say which and why
    words = "it consumed nothing for 120 s while jobs waited: 1 in routing"
    assert one(engine, "SELECT id, note, stopping FROM workers") == (runtime.worker_id, words, True)
    assert one(engine, "SELECT action, target, detail->>'reason' FROM audit_events") == (
        "watchdog",
        runtime.worker_id,
        words,
    )
    monkeypatch.setenv("DATABASE_URL", database_url)
    assert words in " ".join(say("status").err.split())


def test_a_delivery_proves_that_it_is_well(
    engine: Engine, settings: Settings, runtime: Runtime
) -> None:
    watched = Watched(runtime)
    ids = lost_delivery(engine, runtime, settings)
    assert watched.after(AFTER_S - STEP_S) == []
    runtime.work("routing", ids)
    do(engine, "INSERT INTO dispatches SELECT id, queue, now() - interval '30 s' FROM jobs")
    assert watched.after(AFTER_S) == []
    with runtime.in_hand.holding("haiku", []):
        assert watched.after(2 * AFTER_S) == []
    assert watched.after(AFTER_S - STEP_S) == []
    assert watched.after(STEP_S) == [EXIT_STATUS]


def test_idle_is_not_starved(engine: Engine, settings: Settings, runtime: Runtime) -> None:
    hand_in(engine, settings, BODY)
    drain(runtime)
    assert Watched(runtime).after(10 * AFTER_S) == []


def test_what_another_worker_has_in_hand_is_not_missed(
    engine: Engine, settings: Settings, runtime: Runtime
) -> None:
    # Given a chunk in the hand of a worker that waits for its rate limit
    watched = Watched(runtime)
    lost_delivery(engine, runtime, settings)
    do(
        engine,
        "INSERT INTO workers (id, host, pid, version, capacity, in_hand)"
        """ VALUES ('other', 'h', 1, '0', '{"routing": 64}', '{"routing": 1}')""",
    )
    assert watched.after(10 * AFTER_S) == []
    # When that one dies
    do(engine, "UPDATE workers SET seen_at = now() - interval '1 minute' WHERE id = 'other'")
    # Then the work waits for us
    assert watched.after(AFTER_S) == [EXIT_STATUS]


def test_a_worker_in_which_a_step_hangs_ends(
    engine: Engine, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(runtime)
    with watched.rounds.step("read batches"):
        watched.clock.now += HANGING_AFTER_S - 1
        watched.dog.look()
        assert watched.ended == []
        watched.clock.now += 1
        watched.dog.look()
    assert watched.ended == [EXIT_STATUS]
    assert caplog.records[-1].why == "a step of its own hung: read batches for 5 min"  # type: ignore[attr-defined]


def test_a_process_that_was_frozen_judges_nothing_by_that_time(
    engine: Engine, settings: Settings, runtime: Runtime
) -> None:
    watched = Watched(runtime)
    lost_delivery(engine, runtime, settings)
    watched.clock.now += 3600
    watched.dog.look()
    assert watched.ended == []


def test_one_that_may_starve_for_a_short_time_alone_waits_less_for_a_job(
    engine: Engine, settings: Settings, runtime: Runtime
) -> None:
    watched = Watched(runtime, after_s=2 * STEP_S)
    lost_delivery(engine, runtime, settings)
    do(engine, "UPDATE dispatches SET dispatched_at = now() - interval '7 s'")
    assert EXIT_STATUS in watched.after(20 * STEP_S)


def test_it_waits_for_longer_than_a_lost_delivery_needs(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"redispatch_s \(60\) must be less"):
        load_settings({"RUNG_TIMING__WATCHDOG_S": "30"}, tmp_path)


def test_a_real_worker_whose_consumer_is_gone_ends_itself(
    engine: Engine,
    database_url: str,
    redis_url: str,
    simulator: tuple[State, str],
    tmp_path: Path,
) -> None:
    # Given a real worker that beats, and whose consumer hears nothing any more
    environ = clean_environ(
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        ANTHROPIC_API_KEY="sk-test",
        ANTHROPIC_BASE_URL=simulator[1],
        RUNG_TIMING__REDISPATCH_S="1",
        RUNG_TIMING__WATCHDOG_S="3",
    )
    command = [sys.executable, "-m", "celery", "-A", "worker.app", "worker", "-n", "deaf@h"]
    command += ["--without-gossip", "--without-mingle"]
    log = tmp_path / "worker.log"
    settings = settings_for(database_url, simulator[1])
    remote = Celery(broker=redis_url)
    remote.conf.broker_transport_options = {"global_keyprefix": "rung:"}
    with process(command, log=log, environ=environ, cwd=tmp_path) as worker, remote:
        eventually(lambda: one(engine, "SELECT count(*) FROM workers")[0], within_s=60)
        for queue in ("routing", *settings.tiers):
            # Its first beat may come before it listens to commands: one sent until then is lost.
            cancel = partial(
                remote.control.cancel_consumer, queue, destination=["deaf@h"], reply=True, timeout=2
            )
            assert "no longer consuming" in str(eventually(cancel, within_s=60))
        # When a backlog comes
        hand_in(engine, settings, BODY * 3)
        # Then it ends with its own status, and says why
        assert eventually(worker.poll, within_s=60) == EXIT_STATUS
    assert "3 in routing" in one(engine, "SELECT note FROM workers")[0]
    assert '"event": "watchdog ends this worker"' in log.read_text("utf-8")
