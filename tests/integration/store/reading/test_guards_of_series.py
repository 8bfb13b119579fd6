"""Each condition of the statements behind metrics, minutes, prompts, doubts and connections."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.queue import minutes as noting
from worker.store.reading import connections, doubts, metrics, minutes, prompts, series

LONG_AGO = "now() - interval '2 days'"


def lines(rows: Rows, kind: type[Any]) -> list[Any]:
    return metrics.series(rows.connection, kind)


@pytest.fixture
def certificates(rows: Rows) -> dict[str, int]:
    rows.forget("certificates")
    return {
        f"{state} {when}": rows.certificate(
            state=state, changed_at=at, voided_by="a test" if state == "void" else None
        )
        for state in ("valid", "amber", "void")
        for when, at in (("now", PAST), ("old", LONG_AGO))
    }


def test_certificates_that_are_void_are_counted_for_a_day(
    rows: Rows, certificates: dict[str, int]
) -> None:
    found = {one.state: one.certificates for one in lines(rows, series.CertificateCount)}
    assert found == {"valid": 2, "amber": 2, "void": 1}
    doubtful = [certificates[name] for name in ("amber now", "amber old", "void now")]
    assert rows.firsts(doubts.DOUBTFUL) == doubtful


def test_steps_are_as_old_as_they_were_last_done(rows: Rows) -> None:
    rows.forget("step_rounds")
    rows.insert("step_rounds", None, step="a", every_s=10, done_at=PAST)
    assert [(one.step, one.age_s) for one in lines(rows, series.StepAge)] == [("a", 3600)]


def test_series_by_run_are_of_those_under_way(rows: Rows) -> None:
    # given
    live = [rows.run(state="paused", deadline=FUTURE, priority=2), rows.run()]
    over = rows.run(state="finished", finished_at="now()", priority=3)
    for number, run in enumerate((*live, over), 1):
        rows.insert("budgets", None, scope=f"run:{run}", run_id=run, cap=number, spent=number)
        for state, jobs in (("queued", 1), ("submitted", 2), ("answered", 50)):
            rows.insert("run_counts", None, run_id=run, state=state, tier="", jobs=number * jobs)
    # then
    states = {one.state: one.runs for one in lines(rows, series.LiveRunCount)}
    assert states == {"paused": 1, "active": 1}
    found = [(one.name, one.cap, one.paused, one.open) for one in lines(rows, series.LiveRunLine)]
    assert found == [("run1", 1, True, 3), ("run2", 2, False, 6)]


def test_the_budget_of_the_day_is_todays(rows: Rows) -> None:
    rows.forget("budgets")
    for number, when in enumerate((FUTURE, "now()", LONG_AGO)):
        at = "now() + interval '1 day'" if when == FUTURE else when
        (day,) = rows.firsts(f"SELECT (({at}) AT TIME ZONE 'UTC')::date")
        rows.insert("budgets", None, scope=f"day:{day}", day=day, cap=number)
    assert [one.cap for one in lines(rows, series.DayBudgetLine)] == [1]


def test_batches_are_those_that_are_not_over(rows: Rows) -> None:
    rows.forget("message_batches")
    for state in ("intended", "submitted", "ended", "recorded", "failed"):
        for requests, made in ((2, PAST), (3, "now()")):
            rows.batch(state=state, requests=requests, created_at=made)
    found = [(one.state, one.batches, one.requests, one.oldest_s)
             for one in lines(rows, series.BatchCount)]  # fmt: skip
    assert found == [(state, 2, 5, 3600) for state in ("ended", "intended", "submitted")]


def test_minutes_are_noted_once_and_forgotten_in_time(rows: Rows) -> None:
    # given
    for table in ("minutes", "job_totals"):
        rows.forget(table)
    for number, state in enumerate(("answered", "review", "dead", "cancelled", "queued", "routed",
                                    "submitted")):  # fmt: skip
        rows.insert("job_totals", None, slot=0, state=state, tier="", jobs=10**number)
    old = rows.firsts("SELECT date_trunc('minute', now()) - interval '1 hour' * n"
                      " FROM unnest(ARRAY[2, 24, 26]) AS n")  # fmt: skip
    for at in old:
        rows.insert(
            "minutes", None, at=at, ended=1, waiting=1, at_claude=1, failed_calls=0, spent=0
        )
    # then
    assert rows.all(noting.KNOWN) == [(False,)]
    rows.all(noting.NOTE), rows.all(noting.NOTE)
    assert rows.all(noting.KNOWN) == [(True,)]
    rows.all(noting.FORGET)
    counts = (1_111, 110_000, 1_000_000)
    known = rows.all("SELECT ended, waiting, at_claude FROM minutes ORDER BY at")
    assert known == [(1, 1, 1), (1, 1, 1), counts]
    assert rows.all(minutes.COUNTED)[0][2:5] == counts
    noted = rows.connection.execute(minutes.NOTED, {"minutes": 9}).mappings()
    assert [row["ended"] for row in noted] == [1_111]


def test_what_a_prompt_was_used_for(rows: Rows) -> None:
    # given
    rows.forget("prompts")
    for version, base in (("one", None), ("other", None), ("one more", None), ("paged", "one")):
        rows.insert("prompts", None, version=version, purpose="answer", text=version, base=base,
                    created_at=FUTURE if version == "other" else "now()")  # fmt: skip
    answering = [rows.run(prompts='{"answer": "one", "judge": "other"}', policy_name=name)
                 for name in ("a", "b")]  # fmt: skip
    judging = rows.run(kind="judge", prompts='{"answer": "one", "judge": "other"}')
    tokens = {"input_tokens": 1, "cache_write_5m_tokens": 10, "cache_write_1h_tokens": 100}
    for times, run in enumerate((*answering, judging), 1):
        for purpose, state in (("answer", "done"), ("answer", "failed"), ("check", "done")):
            rows.insert("run_spend", None, run_id=run, state=state, calls=times, purpose=purpose,
                        simulated=False, tier="haiku", model="m", lane="realtime", cost=times,
                        **{name: times * many for name, many in tokens.items()})  # fmt: skip
    # when
    found = prompts.prompt_uses(rows.connection)
    # then
    used = [(one.version, one.part, one.policies, one.runs, one.newest_run, one.calls,
             one.input_tokens) for one in found]  # fmt: skip
    assert used == [
        ("other", "judge", ["ladder"], 1, "run3", 3, 333),
        ("one", "answer", ["a", "b"], 2, "run2", 3, 333),
        ("one more", "answer", [], 0, None, 0, 0),
    ]
    assert prompts.prompt_text(rows.connection, "ot") == "other"


@pytest.fixture
def elsewhere(rows: Rows) -> Iterator[None]:
    """A connection to another database."""
    engine = create_engine(rows.connection.engine.url.set(database="postgres"))
    with engine.connect():
        yield
    engine.dispose()


def clients(rows: Rows, which: str = "true") -> int:
    """Postgres shows a transaction the same ones to its end."""
    found: int = rows.firsts("SELECT count(*) FROM pg_stat_activity"
                             f" WHERE backend_type = 'client backend' AND {which}")[0]  # fmt: skip
    return found


@pytest.mark.usefixtures("elsewhere")
def test_connections_are_counted_against_the_tightest_limit(rows: Rows) -> None:
    # given
    for name, seen in (("a", "now()"), ("b", "now() - interval '29 seconds'"), ("c", PAST)):
        rows.insert("workers", None, id=name, host="h", pid=1, version="1", capacity="{}",
                    seen_at=seen)  # fmt: skip
    most, spared, mine = rows.all(
        "SELECT current_setting('max_connections')::int,"
        " current_setting('superuser_reserved_connections')::int, current_database()"
    )[0]
    # and another role, and another database, which allow fewer than any
    rows.all("CREATE ROLE beside CONNECTION LIMIT 0")
    rows.all("GRANT SELECT ON workers TO beside")
    rows.all("GRANT pg_read_all_stats TO beside")
    rows.all("ALTER DATABASE postgres CONNECTION LIMIT 0")
    # then
    found = connections.connections(rows.connection)
    assert (found.limit, found.used, found.workers) == (most - spared, clients(rows), 2)
    # and a limit of the database is the tightest
    rows.all(f"ALTER DATABASE {mine} CONNECTION LIMIT 3")
    found = connections.connections(rows.connection)
    assert (found.limit, found.used) == (3, clients(rows, "datname = current_database()"))
    # and one of the role, which has none open
    rows.all(f"ALTER DATABASE {mine} CONNECTION LIMIT -1")
    rows.all("SET LOCAL ROLE beside")
    found = connections.connections(rows.connection)
    assert (found.limit, found.used) == (0, 0)
