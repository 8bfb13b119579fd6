"""`rung up` from an empty machine: a backlog goes in, workers are killed, answers come out."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.support.processes import RUNG, children_of, clean_environ, process, rung
from tests.support.waiting import eventually
from worker.sandbox.children import FILE_NAME, end_leftovers, remember, started_at

SAMPLE = Path(__file__).parents[2] / "examples" / "backlog.jsonl"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("up")]


@dataclass(frozen=True, slots=True)
class Up:
    """A running `rung up`."""

    pid: int
    directory: Path
    environ: dict[str, str]
    log: Path

    def services(self) -> dict[str, str]:
        """Where everything listens."""
        found: dict[str, str] = json.loads((self.directory / ".rung" / "services.json").read_text())
        return found

    def run(self, *arguments: str) -> str:
        """A command that must succeed; its stdout."""
        done = rung(*arguments, environ=self.environ, cwd=self.directory, timeout_s=240)
        assert done.returncode in (0, 3), done.stderr
        return done.stdout

    def simulated_requests(self) -> int:
        """How many Messages requests the simulator has counted."""
        url = f"{self.services()['anthropic_base_url']}/_sim/stats"
        with urllib.request.urlopen(url) as response:
            return int(json.load(response)["messages"])


@contextmanager
def running_up(directory: Path) -> Iterator[Up]:
    """`rung up --workers 2`, ready."""
    environ, log = clean_environ(), directory / "up.log"
    command = [*RUNG, "up", "--workers", "2", "--latency-scale", "0.1"]
    with process(command, log=log, environ=environ, cwd=directory) as started:
        eventually(lambda: "Ready" in log.read_text() or started.poll() is not None, within_s=90)
        assert "Ready" in log.read_text(), log.read_text()
        yield Up(started.pid, directory, environ, log)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """One that a test may end."""
    with running_up(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def shared_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One that goes on. What a killed worker had in hand is soon dispatched again."""
    directory = tmp_path_factory.mktemp("up")
    (directory / "rung.toml").write_text("[timing]\nredispatch_s = 5\n")
    with running_up(directory) as found:
        yield found


def first_rows(path: Path, count: int) -> Path:
    """A backlog of the sample's first rows."""
    lines = SAMPLE.read_text("utf-8").splitlines(keepends=True)[:count]
    path.write_text("".join(lines), "utf-8")
    return path


def test_workers_killed_half_way_lose_nothing(shared_up: Up) -> None:
    up = shared_up
    backlog = first_rows(up.directory / "day.jsonl", 150)
    up.run("enqueue", str(backlog), "--run", "day")

    with psycopg.connect(up.services()["database_url"], autocommit=True) as connection:
        ended = "SELECT count(*) >= 40 FROM jobs WHERE finished_at IS NOT NULL"
        eventually(lambda: (connection.execute(ended).fetchone() or (False,))[0], within_s=90)
    killed = children_of(up.pid, "rung worker")
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    up.run("status", "day", "--watch")

    status = json.loads(up.run("status", "day", "--json"))
    assert len(killed) == 2
    assert status["state"] == "finished"
    assert sum(status["by_state"].values()) == 150
    assert set(status["by_state"]) <= {"answered", "review"}
    assert status["simulated"] is True

    up.run("results", "day", "-o", "day.out.jsonl")
    rows = [json.loads(x) for x in (up.directory / "day.out.jsonl").read_text().splitlines()]
    assert len({row["external_id"] for row in rows}) == len(rows) == 150

    with psycopg.connect(up.services()["database_url"]) as connection:
        ledger, lost, spent, counted = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE state = 'lost'), sum(cost),"
            " (SELECT sum(spent) FROM budgets WHERE run_id IS NOT NULL) FROM calls"
        ).fetchone() or (0, 0, 0, 0)
    # A request in flight at the kill is in the ledger as lost, whether or not it had left.
    assert ledger - lost <= up.simulated_requests() <= ledger
    assert lost <= 2 * (64 + 32 + 16)
    assert spent == counted
    assert "started again" in up.log.read_text()


def test_a_celery_worker_by_itself_is_a_worker(shared_up: Up) -> None:
    up = shared_up
    environ = {**up.environ, "RUNG_HOME": str(up.directory / ".rung")}
    command = [
        RUNG[0],
        "-m",
        "celery",
        "-A",
        "worker.app",
        "worker",
        "-Q",
        "haiku",
        "-n",
        "lone@%h",
    ]
    command += ["--loglevel", "INFO", "--max-tasks-per-child", "100", "--time-limit", "30"]
    log = up.directory / "lone.log"
    with process(command, log=log, environ=environ, cwd=up.directory):
        eventually(lambda: "at work" in log.read_text(), within_s=60)
        inspect = [RUNG[0], "-m", "celery", "-A", "worker.app", "inspect", "active"]
        answered = up.directory / "inspect.log"
        with process(inspect, log=answered, environ=environ, cwd=up.directory) as asked:
            asked.wait(60)
    assert "3 nodes online" in answered.read_text()
    assert '"queues": ["haiku"]' in log.read_text()
    # Options that its threads do not know are named, once.
    ignored = [line for line in log.read_text().splitlines() if "no such option" in line]
    assert len(ignored) == 1
    assert "ignored: max_tasks_per_child, time_limit" in ignored[0]


def test_a_killed_rung_up_takes_its_children_with_it_and_the_next_one_starts(up: Up) -> None:
    # given
    backlog = first_rows(up.directory / "day.jsonl", 40)
    up.run("enqueue", str(backlog), "--run", "day")
    children = children_of(up.pid, "")
    assert len(children) >= 5
    # when
    os.kill(up.pid, signal.SIGKILL)
    # then
    eventually(lambda: not any(started_at(pid) for pid in children), within_s=12)
    log = up.directory / "again.log"
    command = [*RUNG, "up", "--latency-scale", "0.3"]
    with process(command, log=log, environ=up.environ, cwd=up.directory) as again:
        eventually(lambda: "Ready" in log.read_text() or again.poll() is not None, within_s=90)
        up.run("status", "day", "--watch")
        status = json.loads(up.run("status", "day", "--json"))
    assert (status["state"], sum(status["by_state"].values())) == ("finished", 40)


def test_what_the_kernel_did_not_end_the_next_rung_up_ends(tmp_path: Path) -> None:
    # given
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as left:
        remember(tmp_path, left.pid)
        strangers = os.getpid()
        (tmp_path / FILE_NAME).write_text(
            json.dumps([[left.pid, started_at(left.pid)], [strangers, "another time"]]), "utf-8"
        )
        # when
        ended = end_leftovers(tmp_path)
        # then
        assert ended == [left.pid]
        assert left.wait(5) == -signal.SIGQUIT
    assert end_leftovers(tmp_path) == []
