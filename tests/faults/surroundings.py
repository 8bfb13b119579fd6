"""Rows 14, 15 and 16: clocks, versions and housekeepers around a worker."""

from tests.faults.broker import JOBS, at_work, publish
from tests.faults.scenario import Scenario, Story
from tests.faults.workers import SLOW
from tests.support.house import House
from tests.support.household import CAPACITY


def wrong_clock(hours: float) -> Story:
    """A worker whose clock is wrong, beside one whose clock is right; one of them is killed."""

    def story(home: House) -> None:
        home.at_work(home.start(clock_s=hours * 3600))
        home.fault()
        home.hand_in(JOBS)
        home.until("EXISTS (SELECT FROM results)")
        home.at_work(home.start())
        home.settle()
        home.hand_in(JOBS)
        home.until("EXISTS (SELECT FROM calls WHERE state = 'sent')")
        home.kill()
        home.at_work(home.start(clock_s=hours * 3600))
        home.settle()

    return story


def database_clock(hours: int) -> Story:
    """The database's clock steps: for whoever is in the middle, every time moved by as much."""

    def story(home: House) -> None:
        home.moods({"match": {"purpose": "answer"}, "do": {"slow": 0.5}})
        at_work(home)
        home.until("EXISTS (SELECT FROM calls WHERE state = 'sent' AND purpose = 'answer')")
        home.sql(
            "UPDATE dispatches SET dispatched_at = dispatched_at - make_interval(hours => :hours)",
            hours=hours,
        )
        for column in ("lease_until", "available_at"):
            home.sql(
                f"UPDATE jobs SET {column} = {column} - make_interval(hours => :hours)"
                f" WHERE {column} IS NOT NULL AND finished_at IS NULL",
                hours=hours,
            )
        home.fault()
        home.settle()

    return story


def other_version(home: House) -> None:
    """A newer Rung's payload is left alone, and its jobs are dispatched again."""
    at_work(home)
    ids = [row[0] for row in home.sql("SELECT id FROM jobs")]
    publish(home, {"v": 2, "queue": "haiku", "ids": ids}, "haiku")
    publish(home, {"v": 1, "queue": "haiku", "ids": ids, "more": True}, "haiku")
    publish(home, {"v": 1}, "routing", "rung.route")
    home.settle()


def newer_schema(home: House) -> None:
    """A column more and an index more, beside workers that know nothing of them."""
    at_work(home)
    home.sql("ALTER TABLE jobs ADD COLUMN of_tomorrow text")
    home.sql("ALTER TABLE calls ADD COLUMN of_tomorrow int NOT NULL DEFAULT 7")
    home.sql("CREATE INDEX of_tomorrow ON attempts (policy_version)")
    home.fault()
    home.hand_in(JOBS)
    home.settle()


def older_schema(home: House) -> None:
    """A worker refuses a schema that it does not know; with the right one it works."""
    (version,) = home.sql("SELECT version_num FROM alembic_version")[0]
    home.sql("UPDATE alembic_version SET version_num = '0000'")
    home.hand_in(5)
    refused = home.start()
    assert refused.wait(30) == 6
    home.fault()
    assert home.one("SELECT count(*) FROM attempts") == 0
    home.sql("UPDATE alembic_version SET version_num = :version", version=version)
    home.settle()


def many_housekeepers(home: House) -> None:
    """Four copies dispatch, rescue and finish at once, and one of the workers dies."""
    at_work(home, 4)
    home.kill()
    home.settle()


def dies_in_rescue(home: House) -> None:
    """Rescue stops half-way: nothing of it happened, and the next one does it."""
    home.moods(SLOW)
    at_work(home)
    home.until("EXISTS (SELECT FROM calls WHERE state = 'sent')")
    home.kill()
    doomed = home.start(failpoint="rescue half-way")
    home.died(doomed)
    home.moods()
    home.start()
    home.settle()


SCENARIOS = (
    Scenario("a worker's clock an hour ahead", 14, wrong_clock(1), wasted=CAPACITY),
    Scenario("a worker's clock an hour behind", 14, wrong_clock(-1), wasted=CAPACITY),
    Scenario("the database's clock an hour ahead", 14, database_clock(1), wasted=CAPACITY),
    Scenario("payloads of another version", 15, other_version),
    Scenario("a newer schema beside", 15, newer_schema),
    Scenario("an unknown schema", 15, older_schema, quick=True),
    Scenario("four housekeepers", 16, many_housekeepers, wasted=CAPACITY),
    Scenario("rescue dies half-way", 16, dies_in_rescue, wasted=CAPACITY),
)
