"""The batch lane, killed at every point of submit, poll and record: row 3, at half price."""

from tests.faults.broker import JOBS
from tests.faults.scenario import Scenario, Story
from tests.support.house import House

POINTS = ("batch intended", "batch created", "batch looked", "batch half read", "batch read")
NIGHT = {"batch__slice": 8, "batch__gather_s": 0, "batch__poll_s": 0.2, "batch__adopt_after_s": 600}
"""Slices small enough that some wait while others run; an intent is looked for throughout."""
SOON = NIGHT | {"batch__adopt_after_s": 3}
"""What Claude certainly never saw is sent again after this."""


def at_half_price(home: House) -> None:
    """Every call is a batch item, and every item of every batch was made once."""
    assert home.sql("SELECT DISTINCT lane FROM calls") == [("batch",)]
    home.until("NOT EXISTS (SELECT FROM message_batches WHERE recorded_at IS NULL)")
    created = home.one("SELECT count(DISTINCT external_id) FROM message_batches")
    assert created == len(home.state.batches), "a batch was created and forgotten"
    repeated = {key: n for key, n in home.state.counts.batch_items.items() if n > 1}
    assert repeated == {}, "an item was paid twice"


def dies_at(point: str, times: int, policy: str = "ladder") -> Story:
    """The worker that tends the batches dies there, so many times, and another goes on."""

    def story(home: House) -> None:
        home.hand_in(JOBS, policy=policy, lane="batch")
        for _ in range(times):
            home.died(home.start(failpoint=point))
        home.at_work(home.start())
        home.settle()
        at_half_price(home)

    return story


def replies_lost(home: House) -> None:
    """Claude takes the first two batches, and the replies are lost; then a worker dies as well."""
    home.moods({"match": {"purpose": "create", "first": 2}, "do": {"create": "drop"}})
    home.hand_in(JOBS, policy="route", lane="batch")
    home.died(home.start(failpoint="batch looked"))
    home.at_work(home.start())
    home.settle()
    at_half_price(home)


def two_at_once(home: House) -> None:
    """Two workers tend batches; one of them is killed with batches under way."""
    home.hand_in(JOBS, policy="ladder", lane="batch")
    home.at_work(home.start())
    home.at_work(home.start())
    home.until("EXISTS (SELECT FROM message_batches WHERE state = 'submitted')")
    home.kill()
    home.settle()
    at_half_price(home)


SCENARIOS = (
    *(
        Scenario(
            f"a night dies at {point}",
            3,
            dies_at(point, 1),
            settings=SOON if point == "batch intended" else NIGHT,
            quick=point in ("batch created", "batch half read"),
        )
        for point in POINTS
    ),
    *(
        Scenario(
            f"a night dies twice at {point}",
            3,
            dies_at(point, 2, "escalate"),
            settings=SOON if point == "batch intended" else NIGHT,
        )
        for point in POINTS
    ),
    Scenario("a night whose replies are lost", 3, replies_lost, settings=NIGHT),
    Scenario("a night with two workers", 3, two_at_once, settings=NIGHT),
)
