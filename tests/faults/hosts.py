"""Row 19: workers on hosts of their own, and what can happen to a host and to its cable."""

from collections.abc import Callable

import pytest

from tests.faults.broker import pause
from tests.faults.scenario import Scenario, Story
from tests.support.hosts import Host, host, why_none
from tests.support.house import House
from tests.support.household import CAPACITY

JOBS = 60
LOWER, UPPER = "routing,haiku", "sonnet,opus"
UNSURE = {"match": {"purpose": "answer", "model": "haiku"}, "do": {"merge": {"confidence": 0.1}}}
"""Everything climbs from haiku, so every job needs both hosts."""
LINK_DOWN_S, SLOW_S = 60.0, 0.1
FAR_AWAY = {
    "timing__call_deadline_s": 6,
    "timing__lease_s": 12,
    "timing__stop_timeout_s": 16,
    "timing__visibility_timeout_s": 36,
    "timing__redispatch_s": 6,
}
"""Still fifteen times faster than the default: each way to Postgres takes a tenth of a second, and
a call needs a few of them within its lease, also where a machine is busy."""
Between = Callable[[House, Host, Host], None]
"""What happens to two hosts at work: that of the lower queues, and that of the upper ones."""


def on_two_hosts(happens: Between, jobs: int = JOBS) -> Story:
    """Postgres, Redis and Claude are here; the queues are shared out between two hosts."""

    def story(home: House) -> None:
        if why := why_none():
            pytest.skip(f"NO HOSTS OF THEIR OWN, SO NOTHING WAS TRIED BETWEEN THEM: {why}")
        home.moods(UNSURE)
        with host(home.lines) as lower, host(home.lines) as upper:
            try:
                home.at_work(home.start(queues=LOWER, host=lower))
                home.at_work(home.start(queues=UPPER, host=upper))
                home.hand_in(jobs)
                home.until("EXISTS (SELECT FROM calls WHERE state = 'sent' AND tier = 'sonnet')")
                happens(home, lower, upper)
                home.settle()
                home.check()
            finally:
                for worker in home.workers:
                    worker.kill()

    return story


def cable_pulled(home: House, lower: Host, upper: Host) -> None:
    """For a minute nothing reaches the upper host; the lower one goes on."""
    with upper.cut_off():
        pause(home, LINK_DOWN_S)
        waiting = "SELECT count(*) FROM jobs WHERE tier = 'haiku' AND lease_until IS NOT NULL"
        assert home.one(waiting) == 0, "the lower host has done what it could"
    home.fault()


def host_killed(home: House, lower: Host, upper: Host) -> None:
    """Everything on the upper host ends at once; another one takes its place."""
    with host(home.lines) as spare:
        home.workers[1].kill()
        home.fault()
        home.at_work(home.start(queues=UPPER, host=spare))
        home.settle()
        home.workers[2].kill()


def slow_and_lossy(home: House, lower: Host, upper: Host) -> None:
    """100 ms each way, and one chunk in a hundred waits for its retransmission."""
    for line in (*lower.lines.values(), *upper.lines.values()):
        line.set("lossy", delay_s=SLOW_S)
    home.settle(within_s=240)
    assert any(line.injected for line in upper.lines.values())
    home.fault()


SCENARIOS = (
    Scenario("a host's cable pulled for a minute", 19, on_two_hosts(cable_pulled), wasted=CAPACITY),
    Scenario("a host killed, another in its place", 19, on_two_hosts(host_killed), wasted=CAPACITY),
    Scenario(
        "hosts far away, on a lossy line",
        19,
        on_two_hosts(slow_and_lossy, JOBS // 2),
        wasted=CAPACITY,
        settings=FAR_AWAY,
    ),
)
