"""The checker itself: it accepts what the system really does, and finds every corruption."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from sqlalchemy import Connection, Engine, text

from tests.support import servers as serving
from tests.support.checker import Checker, ledger_against, text_outside
from tests.support.checks import ALWAYS, AT_REST
from tests.support.counter_checks import COUNTED
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.sandbox.simulator.server import running
from worker.sandbox.simulator.state import State
from worker.store.engine import make_engine

MOODS = [
    {"match": {"purpose": "answer", "contains": "dead"}, "do": {"status": 422}},
    {"match": {"purpose": "answer", "contains": "unsure"}, "do": {"merge": {"confidence": 0.1}}},
    {"match": {"purpose": "answer", "contains": "cut"}, "do": {"cut": True}},
]
BODIES = [f"Where is my card, please? It was due on day {n}." for n in range(6)]
BODIES += ["A dead letter, I am afraid.", "I am unsure of all of it.", "My card was cut up."]


@dataclass(frozen=True, slots=True)
class Drained:
    """A database in which a run has ended in every terminal way but cancelling."""

    engine: Engine
    asked: Counter[str]


@pytest.fixture(scope="module")
def drained(servers: serving.Servers) -> Iterator[Drained]:
    state = State(latency_scale=0)
    state.moods.replace(MOODS)
    with serving.cloned(servers, "checker") as url, running(state) as claude:
        engine = make_engine(url)
        settings = settings_for(url, claude)
        hand_in(engine, settings, BODIES)
        with working(settings) as runtime:
            for _ in range(5):
                drain(runtime)
                make_due(engine)
        yield Drained(engine, state.counts.by_call)
        engine.dispose()


def names(found: list[str]) -> set[str]:
    return {line.partition(": ")[0] for line in found}


def corrupt(connection: Connection, *statements: str) -> None:
    """Runs statements with every trigger and foreign key off. The caller rolls back."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    for statement in statements:
        connection.execute(text(statement))
    connection.execute(text("SET LOCAL session_replication_role = origin"))


ANY_ANSWER = "(SELECT min(job_id) FROM results WHERE accepted)"
CLIMBED = "(SELECT min(job_id) FROM escalations WHERE to_tier = 'sonnet')"
NO_CHECK = "ALTER TABLE {} DROP CONSTRAINT {}"

CORRUPTIONS: dict[str, tuple[str, ...]] = {
    "a terminal job is let go": (
        f"INSERT INTO dispatches (job_id, queue) VALUES ({ANY_ANSWER}, 'haiku')",
    ),
    "a finished run has no open job": (
        f"UPDATE jobs SET state = 'routed', finished_at = NULL WHERE id = {ANY_ANSWER}",
    ),
    "a lease has its attempt": (
        f"UPDATE jobs SET state = 'routed', finished_at = NULL, lease_until = now()"
        f" WHERE id = {ANY_ANSWER}",
    ),
    "the fence counts attempts": (f"UPDATE jobs SET fence = fence + 1 WHERE id = {ANY_ANSWER}",),
    "one attempt at a time": (
        f"UPDATE attempts SET outcome = 'started', finished_at = NULL WHERE job_id = {ANY_ANSWER}",
    ),
    "answered means one accepted result": (f"DELETE FROM results WHERE job_id = {ANY_ANSWER}",),
    "a result comes from a paid answer": (
        f"UPDATE calls SET state = 'failed' WHERE job_id = {ANY_ANSWER}",
    ),
    "a closed attempt has no open call": (
        f"UPDATE calls SET state = 'sent' WHERE job_id = {ANY_ANSWER}",
    ),
    "a lost or failed call that may be billed has its worst case": (
        f"UPDATE calls SET state = 'lost', cost = 0 WHERE job_id = {ANY_ANSWER}",
    ),
    "settled and reserved stay under the cap": (
        NO_CHECK.format("budgets", "ck_budgets_cap"),
        "UPDATE budgets SET cap = spent / 2 WHERE run_id IS NOT NULL",
    ),
    "nothing is billed beyond its worst case": (
        f"UPDATE attempts SET reserved = cost / 2 WHERE job_id = {ANY_ANSWER}",
    ),
    "a run's budget reserves what is open": (
        "UPDATE budgets SET reserved = 1 WHERE run_id IS NOT NULL",
    ),
    "a day's budget reserves what is open": (
        "UPDATE budgets SET reserved = 1 WHERE day IS NOT NULL",
    ),
    "a run's budget spent what its calls cost": (
        "UPDATE budgets SET spent = spent + 1 WHERE run_id IS NOT NULL",
    ),
    "a day's budget spent what its attempts cost": (
        "UPDATE budgets SET spent = spent + 1 WHERE day IS NOT NULL",
    ),
    "an attempt costs what its calls cost": (
        f"UPDATE attempts SET cost = cost + 1 WHERE job_id = {ANY_ANSWER}",
    ),
    "a job costs what its attempts cost": (
        f"UPDATE jobs SET cost = cost + 1 WHERE id = {ANY_ANSWER}",
    ),
    "the tally of spend is the ledger": ("UPDATE run_spend SET output_tokens = 1",),
    "the counts of jobs are the jobs": ("UPDATE run_counts SET jobs = jobs + 1",),
    "the counts of escalations are the escalations": ("DELETE FROM run_escalations",),
    "what people have decided is counted": (
        "INSERT INTO run_verdicts (run_id, verdict, jobs) SELECT id, 'accept', 1 FROM runs",
    ),
    "an escalation rises": (
        f"UPDATE escalations SET from_tier = 'opus' WHERE job_id = {CLIMBED}"
        " AND to_tier = 'sonnet'",
    ),
    "the tier only rises": (f"UPDATE jobs SET tier = 'haiku' WHERE id = {CLIMBED}",),
    "a decision is written before the call that it causes": (
        "UPDATE escalations SET at = now() + interval '1 minute'",
    ),
    "failures end a job at the third": (
        "UPDATE jobs SET failures = 3, state = 'routed', finished_at = NULL"
        f" WHERE id = {ANY_ANSWER}",
    ),
    "what is deferred uses nothing up": (
        f"UPDATE jobs SET attempts = attempts + 1 WHERE id = {ANY_ANSWER}",
    ),
    "every job is terminal": (
        f"UPDATE jobs SET state = 'routed', finished_at = NULL WHERE id = {ANY_ANSWER}",
    ),
    "every attempt is closed": (
        f"UPDATE attempts SET outcome = 'started', finished_at = NULL WHERE job_id = {ANY_ANSWER}",
    ),
    "every call is closed": (f"UPDATE calls SET state = 'sent' WHERE job_id = {ANY_ANSWER}",),
    "nothing is reserved": ("UPDATE budgets SET reserved = 1",),
    "nothing is held": (
        f"UPDATE jobs SET state = 'routed', finished_at = NULL, lease_until = now()"
        f" WHERE id = {ANY_ANSWER}",
    ),
}


def test_what_really_happened_is_accepted(drained: Drained) -> None:
    with drained.engine.connect() as connection:
        # given every way in which a job can end by itself
        ended = connection.execute(text("SELECT DISTINCT state FROM jobs")).scalars()
        assert set(ended) == {"answered", "review", "dead"}
        # then
        assert Checker().at_rest(connection) == []
        assert ledger_against(connection, drained.asked) == []


def test_every_check_has_its_corruption() -> None:
    assert {check.name for check in (*ALWAYS, *COUNTED, *AT_REST)} == set(CORRUPTIONS)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_is_found(drained: Drained, name: str) -> None:
    # given
    with drained.engine.connect() as connection:
        corrupt(connection, *CORRUPTIONS[name])
        # when
        found = Checker().at_rest(connection)
        connection.rollback()
    # then
    assert name in names(found)


def test_a_second_answer_at_a_lower_tier_is_found(drained: Drained) -> None:
    with drained.engine.connect() as connection:
        # given an attempt at the bottom, after the climb
        corrupt(
            connection,
            "INSERT INTO attempts (job_id, fence, stage, tier, lane, outcome, policy_version,"
            " budget_day, available_at, finished_at)"
            f" SELECT id, fence + 1, 'answer', 'haiku', 'realtime', 'failed', 'p', current_date,"
            f" now(), now() FROM jobs WHERE id = {CLIMBED}",
            f"UPDATE jobs SET fence = fence + 1 WHERE id = {CLIMBED}",
        )
        # when
        found = Checker().at_rest(connection)
        connection.rollback()
    # then
    assert names(found) == {"the tier only rises"}


@pytest.mark.parametrize(
    "change",
    [
        f"UPDATE results SET reply = 'another' WHERE job_id = {ANY_ANSWER}",
        f"DELETE FROM results WHERE job_id = {ANY_ANSWER}",
    ],
)
def test_a_result_that_changes_is_found(drained: Drained, change: str) -> None:
    checker = Checker()
    with drained.engine.connect() as connection:
        # given
        assert checker.changed_results(connection) == []
        # when
        corrupt(connection, change)
        found = checker.changed_results(connection)
        connection.rollback()
    # then
    assert names(found) == {"a recorded result never changes"}


def test_requests_and_ledger_are_compared_call_by_call(drained: Drained) -> None:
    with drained.engine.connect() as connection:
        key = next(iter(drained.asked))
        for asked, broken in (
            (drained.asked + Counter({"99-1-answer": 1}), "every request is in the ledger"),
            (drained.asked + Counter({key: 1}), "a call is asked once"),
            (drained.asked - Counter({key: 1}), "the ledger holds no invented call"),
        ):
            # when, then
            assert names(ledger_against(connection, asked)) == {broken}


def test_planted_text_is_found_in_files_redis_and_titles(tmp_path: Path, redis_url: str) -> None:
    # given nothing
    assert text_outside(["plum-7"], files=tmp_path, redis_url=redis_url) == []
    # when
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.log").write_text('{"event": "said plum-7"}')
    client = redis.Redis.from_url(redis_url)
    client.lpush("rung:haiku", "a plum-7")
    client.hset("rung:hash", "plum-7", "x")
    client.close()
    # then
    (found,) = text_outside(["plum-7"], files=tmp_path, redis_url=redis_url)
    assert found.startswith("text is in Postgres only: planted text in file a.log")
    assert "rung:haiku" in found
    assert "rung:hash" in found


def test_planted_text_is_found_in_the_title_of_a_process(tmp_path: Path) -> None:
    # given
    command = [sys.executable, "-c", "print('up', flush=True); input()", "plum-8"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        pids = [started.pid]
        assert started.stdout is not None
        started.stdout.readline()  # Before that, its title may still be ours.
        # when
        found = text_outside(["plum-8"], files=tmp_path, redis_url=None, pids=pids)
        clean = text_outside(["plum-9"], files=tmp_path, redis_url=None, pids=pids)
        started.communicate(b"\n")
    # then
    assert found == [f"text is in Postgres only: planted text in the title of {pids[0]}"]
    assert clean == []
