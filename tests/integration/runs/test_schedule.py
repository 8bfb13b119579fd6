"""Nights: once each, however many schedulers; caught up once; failures seen; by hand."""

import datetime as dt
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.support.cli import say
from tests.support.places import ROOT
from tests.support.processes import clean_environ, process, rung
from tests.support.promises import do, one
from tests.support.waiting import eventually
from tests.support.works import hand_in, settings_for
from worker.config.settings import Settings
from worker.failpoints import EXIT_STATUS
from worker.runs.nights import Fired, fire_due
from worker.sandbox.simulator.state import State
from worker.sandbox.supervisor import scheduler_command, worker_command
from worker.store.engine import make_engine

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(6)]
TOML = """
[schedule.nightly]
cron = "0 2 * * *"
timezone = "UTC"
where = "state = review"
max_cost = 1
[timing]
schedule_s = 1
"""
FIRINGS = "SELECT night, state, missed, jobs, words, by FROM firings ORDER BY night"


@pytest.fixture(autouse=True)
def scheduled(configured: None, engine: Engine) -> None:
    """A schedule in rung.toml, and six finished jobs in review."""
    Path("rung.toml").write_text(TOML)
    hand_in(engine, settings_for("", ""), BODIES, name="day")
    do(engine, "UPDATE jobs SET state = 'review', tier = 'opus', cost = 0.01, finished_at = now()")
    do(engine, "UPDATE runs SET state = 'finished', finished_at = now()")


def nightly(**changes: Any) -> Settings:
    one_night = {"cron": "0 2 * * *", "timezone": "UTC", "where": "state = review"}
    return settings_for("", "", schedule={"nightly": {**one_night, **changes}})


def seen_since(engine: Engine, days: float) -> None:
    """A scheduler saw the schedule first so many days ago."""
    fire_due(engine, nightly())
    do(engine, "UPDATE schedules SET since = now() - :days * interval '1 day'", days=days)


def firings(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(FIRINGS)).all())


def count(engine: Engine, table: str) -> int:
    return int(one(engine, f"SELECT count(*) FROM {table}")[0])


def test_a_new_schedule_owes_nothing_for_the_past(engine: Engine) -> None:
    assert fire_due(engine, nightly()) == fire_due(engine, nightly()) == []
    assert (count(engine, "firings"), count(engine, "runs")) == (0, 1)


def test_a_night_happens_once_with_four_schedulers_at_once(
    engine: Engine, database_url: str
) -> None:
    # given
    seen_since(engine, 1.0)
    fired: list[list[Fired]] = []

    def scheduler() -> None:
        mine = make_engine(database_url, pool_size=1)
        fired.extend([fire_due(mine, nightly()), fire_due(mine, nightly())])
        mine.dispose()

    # when
    threads = [threading.Thread(target=scheduler) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # then
    (only,) = [done for found in fired for done in found]
    (row,) = firings(engine)
    assert (row.state, row.missed, row.jobs, row.by) == ("made", 0, 6, "schedule")
    run = one(engine, "SELECT * FROM runs WHERE id > 1")
    assert (run.name, run.name) == (f"nightly-{row.night}", only.night.run)
    assert (run.key, run.lane, run.kind) == (f"schedule nightly {row.night}", "batch", "reprocess")
    assert one(engine, "SELECT count(*) FROM jobs WHERE run_id > 1")[0] == 6


def test_missed_nights_are_caught_up_once_and_said(engine: Engine) -> None:
    # given
    seen_since(engine, 4.0)
    # when
    (fired,) = fire_due(engine, nightly())
    again = fire_due(engine, nightly())
    # then
    (row,) = firings(engine)
    assert (again, row.missed, count(engine, "runs")) == ([], 3, 2)
    assert "stands for 3 earlier nights that nobody fired" in row.words
    assert fired.night.words == row.words
    audit = one(engine, "SELECT target, detail FROM audit_events WHERE action = 'schedule'")
    assert (audit.target, audit.detail["words"]) == ("schedule nightly", row.words)


def test_a_failed_night_is_recorded_shown_and_noticed_and_done_again_by_hand(
    engine: Engine,
) -> None:
    # given: one job is not finished, so the reprocessing is refused
    seen_since(engine, 1.0)
    do(engine, "UPDATE jobs SET state = 'queued', tier = NULL, finished_at = NULL WHERE id = 1")
    settings = nightly(where="age < 7d")
    do(engine, "UPDATE schedules SET since = now() - interval '1 day'")
    # when
    (fired,) = fire_due(engine, settings)
    assert fire_due(engine, settings) == []
    # then
    (row,) = firings(engine)
    assert (row.state, "1 of the 6 chosen jobs are not finished" in row.words) == ("failed", True)
    assert str(fired.error) in row.words
    notice = one(engine, "SELECT kind, target, words FROM notices")
    assert tuple(notice[:2]) == ("night_run_failed", "schedule nightly")
    assert notice[2].endswith(". When that is fixed: rung schedule run nightly")
    shown = say("schedule")
    assert (shown.code, "FAILED: 1 of the 6" in shown.out) == (0, True)
    # and by hand, with the filter of rung.toml that can work; its night may be another one
    done = say("schedule", "run", "nightly", "--json")
    assert (done.code, done.document["outcome"], done.document["jobs"]) == (0, "made", 5)


def test_a_night_with_nothing_to_do_is_said(engine: Engine) -> None:
    seen_since(engine, 1.0)
    do(engine, "UPDATE jobs SET state = 'answered'")
    (fired,) = fire_due(engine, nightly())
    assert (fired.night.state, fired.night.run) == ("nothing", None)
    assert "nothing to do: no job is like that" in say("schedule").out


def test_run_by_hand_is_once_a_day_and_again_on_request(engine: Engine) -> None:
    first = say("schedule", "run", "nightly", "--json").document
    second = say("schedule", "run", "nightly", "--json").document
    shown = say("schedule", "run", "nightly")
    assert (first["outcome"], first["repeated"], second["repeated"]) == ("made", False, True)
    assert (second["run"], shown.code) == (first["run"], 0)
    assert f"made run {first['run']}" in shown.err
    do(engine, "UPDATE jobs SET state = 'review', tier = 'opus', finished_at = now()")
    third = say("schedule", "run", "nightly", "--again", "--json").document
    assert (third["outcome"], third["run"]) == ("made", f"{first['run']}-2")
    assert count(engine, "firings") == 1


def test_a_night_done_by_hand_before_it_was_due_is_not_done_again(engine: Engine) -> None:
    # given: yesterday's night was done by hand half an hour after midnight, and was due at two
    seen_since(engine, 2.0)
    assert say("schedule", "run", "nightly").code == 0
    do(
        engine,
        """
        UPDATE firings SET due_at = date_trunc('day', now()) - interval '23 hours 30 minutes',
          night = CAST(now() AS date) - 1
        """,
    )
    # when
    for _ in range(3):
        fire_due(engine, nightly())
    # then: only today's may follow, once it is due, and none counts as missed
    nights = firings(engine)
    assert (len(nights) <= 2, {row.missed for row in nights}) == (True, {0})


@pytest.mark.parametrize("place", ["in a night", "after a night's run"])
def test_a_scheduler_that_dies_in_a_night_leaves_it_to_the_next(
    engine: Engine, database_url: str, tmp_path: Path, place: str
) -> None:
    # given
    seen_since(engine, 1.0)
    environ = clean_environ(DATABASE_URL=database_url, RUNG_FAILPOINT=place)
    # when
    killed = rung("schedule", "run", "nightly", environ=environ, cwd=tmp_path)
    left = (killed.returncode, count(engine, "firings"), count(engine, "runs"))
    (fired,) = fire_due(engine, nightly())
    # then
    assert left == (EXIT_STATUS, 0, 1)
    assert (fired.night.state, fired.night.jobs, count(engine, "runs")) == ("made", 6, 2)


def test_exit_codes_for_other_schedulers(engine: Engine) -> None:
    unknown = say("schedule", "run", "nightyl")
    assert (unknown.code, "there are: nightly" in unknown.err) == (2, True)
    do(engine, "UPDATE jobs SET cost = 10")
    dear = say("schedule", "run", "nightly")
    assert (dear.code, "more than the $1" in dear.err) == (4, True)
    do(engine, "UPDATE jobs SET cost = 0.01")
    assert say("schedule", "run", "nightly").code == 0
    Path("rung.toml").write_text(TOML.replace("state = review", "stat = review"))
    typo = say("schedule", "run", "nightly")
    assert (typo.code, "did you mean state?" in typo.err) == (6, True)
    Path("rung.toml").write_text(TOML.replace("0 2 * * *", "0 */6 * * *"))
    often = say("config", "check")
    assert (often.code, "is due 4 times a day" in often.err) == (6, True)


def test_the_list_says_last_next_and_that_nobody_looks(engine: Engine) -> None:
    nobody = say("schedule")
    assert (nobody.code, "No scheduler has looked yet" in nobody.err) == (0, True)
    seen_since(engine, 1.0)
    (fired,) = fire_due(engine, nightly())
    do(engine, "UPDATE schedules SET seen_at = now() - interval '2 hours'")
    shown = say("schedule")
    (row,) = say("schedule", "list", "--json").document
    assert "No scheduler has looked since 2 h ago" in shown.err
    run = f"run nightly-{fired.night.night}, under way: 6 not yet routed"
    assert f"last   {fired.night.night}: {run}" in shown.out
    assert (row["last"]["run"], row["last"]["by_state"]) == (fired.night.run, {"queued": 6})
    following = dt.datetime.fromisoformat(row["next"])
    assert (following.hour, following > dt.datetime.now(dt.UTC)) == (2, True)
    do(engine, "DELETE FROM firings")
    assert "OVERDUE since" in say("schedule").out


@pytest.mark.slow
def test_two_beats_and_a_worker_fire_one_night(
    engine: Engine, database_url: str, redis_url: str, simulator: tuple[State, str], tmp_path: Path
) -> None:
    # given
    seen_since(engine, 1.0)
    environ = clean_environ(
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        ANTHROPIC_API_KEY="sk-test",
        ANTHROPIC_BASE_URL=simulator[1],
        RUNG_CONFIG=str(tmp_path / "rung.toml"),
        PYTHONPATH=str(ROOT),
    )

    def started(command: list[str], name: str) -> Any:
        return process(command, log=tmp_path / f"{name}.log", environ=environ, cwd=tmp_path)

    with (
        started(scheduler_command(), "beat-1"),
        started(scheduler_command(), "beat-2"),
        started(worker_command("w"), "worker"),
    ):
        # when: both have looked several times
        eventually(lambda: len(firings(engine)) == 1, within_s=60)
        first = one(engine, "SELECT seen_at FROM schedules")[0]
        eventually(
            lambda: (one(engine, "SELECT seen_at FROM schedules")[0] - first).total_seconds() > 3,
            within_s=30,
        )
    # then
    (row,) = firings(engine)
    assert (row.state, row.jobs) == ("made", 6)
    assert count(engine, "runs") == 2
    told = [
        json.loads(x) for x in (tmp_path / "worker.log").read_text().splitlines() if x[:1] == "{"
    ]
    assert [line["run"] for line in told if line["event"] == "schedule fired"] == [
        f"nightly-{row.night}"
    ]
