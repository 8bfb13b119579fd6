"""Rows 3, 4, 5 and 11: what worker processes and their hosts can do."""

import time

from tests.faults.broker import JOBS, QUEUES, at_work, dies_at, pause
from tests.faults.scenario import GOOD, Scenario, Story
from tests.support.house import House
from tests.support.household import CAPACITY, TIMING

LEASE_S = float(TIMING["lease_s"])
SLOW = {"match": {"purpose": "answer"}, "do": {"slow": 1.5}}
"""Answers that take most of a call's deadline, so that a fault meets calls in flight."""


def killed(times: int, *, workers: int = 1, slow: bool = False) -> Story:
    """`kill -9` while calls are in flight, so many times; each time another worker starts."""

    def story(home: House) -> None:
        if slow:
            home.moods(SLOW)
        at_work(home, workers)
        for _ in range(times):
            home.until("EXISTS (SELECT FROM calls WHERE state = 'sent')")
            home.kill()
            home.at_work(home.start())
        home.moods()
        home.settle()

    return story


def host_gone(home: House) -> None:
    """Every worker at once, and Redis with them."""
    at_work(home, 2)
    home.kill()
    home.kill()
    with home.redis_client() as client:
        client.flushall()
    home.start()
    home.settle()


def frozen(seconds: float, *, others: int) -> Story:
    """A worker that stands still with calls in flight, then goes on."""

    def story(home: House) -> None:
        home.moods({"match": {"purpose": "answer"}, "do": {"slow": 0.5}})
        at_work(home, 1)
        home.until("EXISTS (SELECT FROM calls WHERE state = 'sent' AND purpose = 'answer')")
        with home.frozen(home.workers[0]):
            for _ in range(others):
                home.at_work(home.start())
            pause(home, seconds)
        home.settle()

    return story


def frozen_into_failure(home: House) -> None:
    """It wakes to a failed call; its failure must not count against the claim of another."""
    home.moods({"match": {"purpose": "answer"}, "do": {"slow": 0.5, "status": 500}})
    at_work(home, 1, jobs=3)
    home.until("EXISTS (SELECT FROM calls WHERE state = 'sent' AND purpose = 'answer')")
    with home.frozen(home.workers[0]):
        home.moods()
        home.at_work(home.start())
        pause(home, LEASE_S + 2)
    home.settle()
    assert home.one("SELECT max(failures) FROM jobs") <= 1


def deaf(home: House) -> None:
    """A worker that no longer consumes a queue, beside one that does."""
    from celery import Celery

    at_work(home, 2)
    with Celery("remote", broker=home.redis_server.url) as app:
        app.conf.broker_transport_options = {"global_keyprefix": "rung:"}
        for queue in ("routing", "haiku"):
            app.control.cancel_consumer(queue, destination=[f"w0@{home.root.name}"])
    home.fault()
    home.hand_in(JOBS)
    home.settle()


def deaf_and_alone(home: House) -> None:
    """The only worker no longer consumes anything: it says so and ends itself, and whoever starts
    it again has it back at work."""
    from celery import Celery

    at_work(home)
    home.settle()
    with Celery("remote", broker=home.redis_server.url) as app:
        app.conf.broker_transport_options = {"global_keyprefix": "rung:"}
        for queue in QUEUES:
            app.control.cancel_consumer(queue, destination=[f"w0@{home.root.name}"])
    home.hand_in(JOBS)
    home.fault()
    home.workers[0].wait(30)
    assert home.one("SELECT count(*) FROM jobs WHERE finished_at IS NULL") == JOBS
    home.settle()


def lost_queue(home: House) -> None:
    """Nobody consumes haiku for a while: jobs wait, and are answered when somebody does."""
    home.at_work(home.start(queues="routing,sonnet,opus"))
    home.hand_in(JOBS)
    home.until("NOT EXISTS (SELECT FROM jobs WHERE state = 'queued')")
    home.fault()
    assert home.one("SELECT count(*) FROM results") == 0
    home.start(queues="haiku")
    home.settle()


def poison(failpoint: str) -> Story:
    """One job whose worker dies each time that it is worked on; then a healthy backlog."""

    def story(home: House) -> None:
        home.hand_in(1, policy="single:haiku")
        home.at_work(home.start())
        home.until("EXISTS (SELECT FROM attempts WHERE stage = 'answer')")
        home.settle()
        home.workers[0].kill()
        home.hand_in(1, policy="single:sonnet", words="poison")
        for _ in range(3):
            started = len(home.workers)
            # The first passage of the place is the start, which asks nothing; then the answer.
            asking = home.one(
                "SELECT EXISTS (SELECT FROM jobs WHERE state = 'queued' AND finished_at IS NULL)"
            )
            doomed = home.start(failpoint=f"{failpoint}:{2 if asking else 1}")
            home.died(doomed)
            assert len(home.workers) == started + 1
            home.sql("UPDATE jobs SET lease_until = now() WHERE lease_until IS NOT NULL")
            home.at_work(home.start(queues="opus"))
            home.until("NOT EXISTS (SELECT FROM attempts WHERE outcome = 'started')")
            home.workers[-1].kill()
        home.hand_in(5)
        home.settle()
        assert home.states()["dead"] == 1
        assert "worker died" in home.one("SELECT reason FROM jobs WHERE state = 'dead'")

    return story


def two_die_together(home: House) -> None:
    home.hand_in(JOBS)
    doomed = [home.start(failpoint="after claim:2"), home.start(failpoint="before record:2")]
    deadline = time.monotonic() + 30
    while any(worker.poll() is None for worker in doomed) and time.monotonic() < deadline:
        pause(home, 0.1)
    home.fault(2)
    home.start()
    home.settle()


SCENARIOS = (
    Scenario("killed", 3, killed(1), wasted=CAPACITY, quick=True),
    Scenario("killed with slow calls", 3, killed(1, slow=True), wasted=CAPACITY),
    Scenario("killed three times", 3, killed(3), (*GOOD,), wasted=3 * CAPACITY),
    Scenario("killed beside another", 3, killed(1, workers=2, slow=True), wasted=CAPACITY),
    Scenario("killed twice beside another", 3, killed(2, workers=2), wasted=2 * CAPACITY),
    Scenario("host gone, redis with it", 3, host_gone, wasted=2 * CAPACITY),
    Scenario("dies after claim", 3, dies_at("after claim"), wasted=CAPACITY, quick=True),
    Scenario("dies before send", 3, dies_at("before send"), wasted=CAPACITY),
    Scenario("dies after send", 3, dies_at("after send"), wasted=CAPACITY, quick=True),
    Scenario("dies before record", 3, dies_at("before record"), wasted=CAPACITY),
    Scenario("dies after record", 3, dies_at("after record"), wasted=CAPACITY, quick=True),
    Scenario("dies before ack", 3, dies_at("before ack"), wasted=CAPACITY),
    Scenario("two die at different places", 3, two_die_together, wasted=2 * CAPACITY),
    Scenario("frozen past its lease", 4, frozen(LEASE_S + 2, others=0), wasted=CAPACITY),
    Scenario(
        "frozen past its lease beside another",
        4,
        frozen(LEASE_S + 2, others=1),
        wasted=CAPACITY,
        quick=True,
    ),
    Scenario("frozen within its lease", 4, frozen(1.5, others=1), wasted=CAPACITY),
    Scenario("frozen into a failure", 4, frozen_into_failure, wasted=CAPACITY),
    Scenario("deaf to its queues", 5, deaf),
    Scenario("deaf and alone", 5, deaf_and_alone, settings={"timing__watchdog_s": 3}),
    Scenario("nobody consumes a queue", 5, lost_queue),
    Scenario("poison after claim", 11, poison("after claim"), (*GOOD, "dead"), wasted=3),
    Scenario("poison before record", 11, poison("before record"), (*GOOD, "dead"), wasted=3),
)
