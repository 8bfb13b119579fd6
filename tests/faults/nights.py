"""The batch lane, killed at every point of submit, poll and record: row 3, at half price."""

from tests.faults.broker import JOBS
from tests.faults.scenario import Scenario, Story
from tests.support.house import House
from worker.store.actions import changes
from worker.store.actions.selection import whole
from worker.store.audit import Actor
from worker.store.reading.bill import bill_of
from worker.store.runs import find_run

POINTS = (
    "batch intended",
    "batch created",
    "batch submitted",
    "batch looked",
    "batch half read",
    "batch read",
)
DONE = "SELECT job_id || '-' || fence || '-' || purpose FROM calls WHERE state = 'done'"
NIGHT = {"batch__slice": 8, "batch__gather_s": 0, "batch__poll_s": 0.2, "batch__adopt_after_s": 600}
"""Slices small enough that some wait while others run; an intent is looked for throughout."""
SOON = NIGHT | {"batch__adopt_after_s": 3}
"""What Claude certainly never saw is sent again after this."""


def at_half_price(home: House) -> None:
    """Every item of every batch was made once, is in the ledger once, and is billed at half the
    price of the realtime lane; there is nothing else on the bill."""
    assert home.sql("SELECT DISTINCT lane FROM calls") == [("batch",)]
    home.until("NOT EXISTS (SELECT FROM message_batches WHERE recorded_at IS NULL)")
    created = home.one("SELECT count(DISTINCT external_id) FROM message_batches")
    assert created == len(home.state.batches), "a batch was created and forgotten"
    repeated = {key: n for key, n in home.state.counts.batch_items.items() if n > 1}
    assert repeated == {}, "an item was paid twice"
    assert sorted(key for (key,) in home.sql(DONE)) == sorted(home.state.counts.batch_items)
    for run in home.runs:
        with home.engine.connect() as connection:
            bill = bill_of(connection, find_run(connection, run.name), home.priced())
        assert bill.batch_saved == bill.total


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


def adopter_dies(home: House) -> None:
    """The reply to a create is lost, and whoever adopts the orphan dies right after."""
    home.moods({"match": {"purpose": "create", "first": 1}, "do": {"create": "drop"}})
    home.hand_in(JOBS, policy="route", lane="batch")
    home.died(home.start(failpoint="batch adopted"))
    home.at_work(home.start())
    home.settle()
    at_half_price(home)


def canceller_dies(home: House) -> None:
    """A run is cancelled while Claude works on it; whoever cancels there dies right after."""
    home.state.latency_scale = 1_000
    run = home.hand_in(JOBS, policy="single:haiku", lane="batch")
    dying = home.start(failpoint="batch cancelled")
    home.until("EXISTS (SELECT FROM message_batches WHERE state = 'submitted')")
    changes.apply(home.engine, Actor("a test"), changes.CANCEL, whole(run))
    home.died(dying)
    home.at_work(home.start())
    home.until("NOT EXISTS (SELECT FROM message_batches WHERE recorded_at IS NULL)")
    home.settle()
    assert all(batch.cancelled for batch in home.state.batches.values())
    assert home.sql("SELECT DISTINCT spent, reserved FROM budgets") == [(0, 0)]
    assert not home.state.counts.batch_items


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
    Scenario("a night whose replies are lost", 3, replies_lost, settings=NIGHT, quick=True),
    Scenario("a night whose adopter dies", 3, adopter_dies, settings=NIGHT),
    Scenario(
        "a cancelled night dies as it cancels at Claude",
        3,
        canceller_dies,
        ends=("cancelled",),
        settings=NIGHT,
    ),
    Scenario("a night with two workers", 3, two_at_once, settings=SOON),
)
