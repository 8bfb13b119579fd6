"""Row 3, in order: workers that are asked to stop, once and twice, and what hangs meanwhile."""

import signal
import time

from tests.faults.broker import at_work, pause
from tests.faults.scenario import Scenario, Story
from tests.faults.workers import SLOW
from tests.support.house import House
from tests.support.household import CAPACITY
from tests.support.proxy import Toxic

PATIENT = {
    "timing__call_deadline_s": 60,
    "timing__lease_s": 90,
    "timing__stop_timeout_s": 100,
    "timing__visibility_timeout_s": 200,
}
"""Calls that outlast any shutdown, and leases that outlast the calls."""
UNHURRIED = {"timing__stop_timeout_s": 60, "timing__visibility_timeout_s": 100}


def stopped(home: House) -> None:
    """SIGTERM: what is in flight is finished, nothing is wasted."""
    home.moods({"match": {"purpose": "answer"}, "do": {"slow": 0.5}})
    at_work(home)
    first = home.workers[0]
    home.until("EXISTS (SELECT FROM calls WHERE state = 'sent')")
    first.signal(signal.SIGTERM)
    home.fault()
    assert first.wait(20) == 0
    assert home.one("SELECT count(*) FROM attempts WHERE outcome = 'started'") == 0
    home.settle()


def hurried(first: signal.Signals, second: signal.Signals, call_s: float) -> Story:
    """Asked to stop, and a moment later to stop at once: it ends within 10 seconds, records what
    came back by then, and leaves no lease behind."""

    def story(home: House) -> None:
        home.moods({"match": {"purpose": "answer"}, "do": {"slow": call_s}})
        at_work(home)
        worker = home.workers[0]
        home.until("EXISTS (SELECT FROM calls WHERE state = 'sent' AND purpose = 'answer')")
        worker.signal(first)
        pause(home, 0.5)
        worker.signal(second)
        home.fault()
        asked = time.monotonic()
        worker.wait(20)
        assert time.monotonic() - asked < 10
        assert "NotImplementedError" not in worker.log.read_text()
        assert home.one("SELECT count(*) FROM attempts WHERE outcome = 'started'") == 0
        assert home.one("SELECT count(*) FROM jobs WHERE lease_until IS NOT NULL") == 0
        home.moods()
        home.settle()

    return story


def stopped_without(line: str, kind: Toxic, code: int) -> Story:
    """Asked to stop while a server is away, or hangs: it ends within 10 seconds, and says how."""

    def story(home: House) -> None:
        home.moods(SLOW)
        at_work(home)
        worker = home.workers[0]
        home.until("EXISTS (SELECT FROM calls WHERE state = 'sent' AND purpose = 'answer')")
        with home.toxic(line, kind):
            worker.signal(signal.SIGTERM)
            asked = time.monotonic()
            worker.wait(20)
            assert time.monotonic() - asked < 10
        assert worker.ended == code, worker.log.read_text()[-2000:]
        home.moods()
        home.settle()

    return story


def stopped_then_killed(home: House) -> None:
    home.moods(SLOW)
    at_work(home)
    first = home.workers[0]
    home.until("EXISTS (SELECT FROM calls WHERE state = 'sent')")
    first.signal(signal.SIGTERM)
    pause(home, 0.3)
    first.kill()
    home.fault()
    home.moods()
    home.settle()


SCENARIOS = (
    Scenario("asked to stop", 3, stopped, quick=True),
    Scenario(
        "interrupted twice, calls come back",
        3,
        hurried(signal.SIGINT, signal.SIGINT, 1.5),
        quick=True,
    ),
    Scenario(
        "interrupted twice, calls hang",
        3,
        hurried(signal.SIGINT, signal.SIGINT, 30),
        wasted=CAPACITY,
        settings=PATIENT,
    ),
    Scenario(
        "asked to stop, then to quit",
        3,
        hurried(signal.SIGTERM, signal.SIGQUIT, 30),
        wasted=CAPACITY,
        settings=PATIENT,
        quick=True,
    ),
    Scenario(
        "asked to stop, postgres away",
        3,
        stopped_without("postgres", "reset", 5),
        wasted=CAPACITY,
        settings=UNHURRIED,
    ),
    Scenario(
        "asked to stop, postgres mute",
        3,
        stopped_without("postgres", "mute", 5),
        wasted=CAPACITY,
        settings=UNHURRIED,
        quick=True,
    ),
    Scenario(
        "asked to stop, redis mute",
        3,
        stopped_without("redis", "mute", 0),
        settings=UNHURRIED,
        quick=True,
    ),
    Scenario("asked to stop, then killed", 3, stopped_then_killed, wasted=CAPACITY),
)
