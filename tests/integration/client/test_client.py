"""The client for programs, against a real dashboard: the verbs, the errors, sync and async."""

import asyncio
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

import rung
from tests.support.places import ROOT
from tests.support.promises import many, one
from tests.support.web import dashboard
from tests.support.works import drain, settings_for, working
from worker.config.settings import Settings
from worker.dashboard.access.passwords import hash_token
from worker.sandbox.redis import free_port
from worker.sandbox.simulator.state import State
from worker.store.queue.run_ends import finish_runs

TOKEN, VIEWER = "operator-" + "x" * 32, "viewer-" + "x" * 32
ROWS = [{"external_id": f"T-{n}", "body": f"Where is my card? {n}"} for n in range(3)]
LOW = {"match": {"purpose": "answer"}, "do": {"merge": {"confidence": 0.1}}}


@dataclass(frozen=True, slots=True)
class Served:
    """A dashboard with two tokens."""

    url: str
    settings: Settings
    engine: Engine

    def work(self) -> None:
        """Answers everything that was submitted."""
        with working(self.settings) as runtime:
            drain(runtime)
        finish_runs(self.engine)


@pytest.fixture
def served(database_url: str, engine: Engine, simulator: tuple[State, str]) -> Iterator[Served]:
    tokens = {
        "helpdesk": {"sha256": hash_token(TOKEN), "role": "operator"},
        "screen": {"sha256": hash_token(VIEWER), "role": "viewer"},
    }
    settings = settings_for(database_url, simulator[1], dashboard={"tokens": tokens})
    with dashboard(settings) as url:
        yield Served(url, settings, engine)


Either = rung.Client | rung.DatabaseClient


@pytest.fixture
def client(served: Served) -> Iterator[rung.Client]:
    with rung.Client(served.url, TOKEN) as made:
        yield made


@pytest.fixture(params=["by HTTP", "by the database"])
def either(request: pytest.FixtureRequest, served: Served, database_url: str) -> Iterator[Either]:
    """The same verbs, whatever is in between."""
    if request.param == "by HTTP":
        with rung.Client(served.url, TOKEN) as by_http:
            yield by_http
        return
    with rung.connect(database_url, name="helpdesk") as direct:
        yield direct


def test_rows_go_in_and_answers_come_back(either: Either, served: Served) -> None:
    # when
    client = either
    handed = client.enqueue(iter(ROWS), run="today", budget_usd=2, priority=3)
    served.work()
    state = client.wait("today")
    answers = {answer.external_id: answer for answer in client.results("today")}
    # then
    assert (handed.run, handed.accepted, handed.rejected) == ("today", 3, 0)
    assert (state.state, state.total, state.ended, state.simulated) == ("finished", 3, 3, True)
    spent = one(served.engine, "SELECT spent FROM budgets WHERE run_id = 1")[0]
    assert abs(state.spent_usd - spent) < Decimal("0.000001")
    assert set(answers) == {"T-0", "T-1", "T-2"}
    replies = dict(
        many(
            served.engine,
            "SELECT external_id, reply FROM results JOIN jobs ON"
            " jobs.id = job_id JOIN messages ON messages.id = message_id",
        )
    )
    assert {name: answer.send for name, answer in answers.items()} == replies
    assert all(answer.answered_at and answer.cost_usd for answer in answers.values())
    assert many(served.engine, "SELECT priority, budget_cap FROM runs")[0] == (3, 2)


def test_a_file_and_the_same_key_again_add_nothing_twice(
    either: Either, served: Served, tmp_path: Path
) -> None:
    client = either
    path = tmp_path / "day.csv"
    path.write_text("external_id,body\na,Hello?\n,no id\n", "utf-8")
    first = client.enqueue(path, key="day-1", run="day")
    again = client.enqueue(path, key="day-1")
    assert (first.run, first.accepted, first.rejected) == ("day", 1, 1)
    assert first.document["rejects"][0]["line"] == 3
    assert (again.run, again.accepted, again.duplicates) == ("day", 0, 1)


def test_who_is_to_be_told_is_told_or_it_is_said_that_nobody_can_be(either: Either) -> None:
    with pytest.raises(rung.Refused, match="no mail server is set"):
        either.enqueue(iter(ROWS), run="today", notify=["ada@example.org"])


def test_a_deadline_is_a_moment_or_a_span(client: rung.Client, served: Served) -> None:
    client.enqueue(ROWS[:1], deadline=dt.timedelta(hours=6), lane="realtime")
    hours = "SELECT round(extract(epoch FROM deadline - created_at) / 3600) FROM runs"
    assert one(served.engine, hours)[0] == 6
    with pytest.raises(rung.Refused, match="zone"):
        client.enqueue(ROWS, deadline=dt.datetime(2030, 1, 1))  # noqa: DTZ001


def test_a_person_judges_and_a_run_is_cancelled(
    either: Either, served: Served, simulator: tuple[State, str]
) -> None:
    client = either
    simulator[0].moods.replace([LOW])
    client.enqueue(ROWS[:1], run="unsure")
    served.work()
    client.verdict(1, "edit", reply="We found it.", reason="checked")
    assert many(served.engine, "SELECT verdict, reviewer FROM reviews") == [("edit", "helpdesk")]
    client.enqueue(ROWS[1:], run="open")
    assert client.cancel("open") == 2
    assert client.status("open").over


def test_reviews_are_given_out_one_by_one(
    either: Either, served: Served, simulator: tuple[State, str]
) -> None:
    # given
    simulator[0].moods.replace([LOW])
    either.enqueue(ROWS[:2], run="unsure")
    served.work()
    # when
    eve, bob = (either.next_review(run="unsure", reader=name) for name in ("Eve", "Bob"))
    nobody = either.next_review(run="unsure", reader="Cem")
    # then each has one, and a third has none
    assert eve is not None
    assert bob is not None
    assert nobody is None
    assert {eve.external_id, bob.external_id} == {"T-0", "T-1"}
    first = next(one for one in (eve, bob) if one.external_id == "T-0")
    assert first.message == ROWS[0]["body"]
    assert (first.reply, first.reason) == one(
        served.engine,
        "SELECT reply, j.reason FROM results JOIN jobs AS j ON j.id = job_id WHERE j.id = :id",
        id=first.job,
    )
    assert (first.run, first.waiting, first.document["text_shown"]) == ("unsure", 2, True)
    assert first.until > dt.datetime.now(dt.UTC)
    read = "SELECT DISTINCT actor FROM audit_events WHERE action LIKE 'read%'"
    assert many(served.engine, read) == [("helpdesk",)]
    # when one is skipped, one freed, one judged
    with pytest.raises(rung.NotKnown, match="99"):
        either.next_review(skip=99)
    with pytest.raises(rung.NotKnown, match="nowhere"):
        either.next_review(run="nowhere")
    assert either.next_review(cause="schema") is None
    assert either.leave_review(reader="Bob") == 1
    after = either.next_review(reader="Eve", skip=eve.job)
    either.verdict(bob.job, "accept")
    last = either.next_review(reader="Eve")
    # then
    assert (after and after.job, last and last.job, last and last.waiting) == (bob.job, eve.job, 1)


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda c: c.status("nowhere"), rung.NotKnown, "nowhere"),
        (lambda c: c.enqueue([{"body": "no id"}]), rung.Refused, "external_id"),
        (lambda c: c.verdict(1, "maybe"), rung.Refused, "verdict|maybe"),
        (lambda c: c.verdict(999, "accept"), rung.NotKnown, "999"),
        (lambda c: c.enqueue(ROWS, policy="no such"), rung.Refused, "no such"),
        (lambda c: list(c.results("nowhere")), rung.NotKnown, "nowhere"),
    ],
)
def test_what_goes_wrong_is_an_error_of_its_own(
    either: Either, act: object, error: type[rung.ClientError], words: str
) -> None:
    client = either
    assert callable(act)
    with pytest.raises(error, match=words):
        act(client)


def test_what_nobody_said_is_left_to_the_server(either: Either) -> None:
    unsaid = dict.fromkeys(
        ("source", "policy", "lane", "budget_usd", "deadline", "notify", "priority", "key", "map")
    )
    handed = either.enqueue(ROWS, run="unsaid", again=None, **unsaid)
    assert (handed.run, handed.accepted) == ("unsaid", 3)


def test_tokens_decide(served: Served) -> None:
    with rung.Client(served.url) as stranger, pytest.raises(rung.NotAllowed) as refused:
        stranger.status("today")
    assert refused.value.status in (401, 403)
    with rung.Client(served.url, TOKEN) as client:
        client.enqueue(ROWS, run="today")
    with rung.Client(served.url, VIEWER) as viewer:
        assert viewer.status("today").total == 3
        with pytest.raises(rung.NotAllowed):
            viewer.enqueue(ROWS)
        with pytest.raises(rung.NotAllowed):
            list(viewer.results("today"))
        with pytest.raises(rung.NotAllowed):
            viewer.next_review()


def test_waiting_ends_and_nobody_at_the_address_is_said(client: rung.Client) -> None:
    client.enqueue(ROWS, run="slow")
    with pytest.raises(rung.StillRunning, match="0 of 3"):
        client.wait("slow", timeout_s=0, poll_s=0.01)
    with pytest.raises(rung.Refused, match=r"\.csv"):
        client.enqueue("day.docx")
    nobody = rung.Client(f"http://127.0.0.1:{free_port()}", TOKEN)
    with nobody, pytest.raises(rung.CannotReach):
        nobody.status("slow")


@pytest.mark.parametrize("door", ["by HTTP", "by the database"])
def test_the_asynchronous_client_does_the_same(
    served: Served, database_url: str, door: str
) -> None:
    async def use() -> tuple[rung.Handed, rung.RunState, list[rung.Answered]]:
        by_http = door == "by HTTP"
        async with (
            rung.AsyncClient(served.url, TOKEN) if by_http else rung.connect_async(database_url)
        ) as client:
            handed = await client.enqueue(ROWS, run="today")
            with pytest.raises(rung.StillRunning, match="0 of 3"):
                await client.wait("today", timeout_s=0, poll_s=0.01)
            await asyncio.to_thread(served.work)
            state = await client.wait("today")
            answers = [answer async for answer in client.results("today")]
            with pytest.raises(rung.NotKnown):
                await client.status("nowhere")
            with pytest.raises(rung.Conflicting):
                await client.verdict(1, "accept")
            with pytest.raises(rung.Conflicting):
                await client.cancel("today")
            assert await client.next_review(reader="Eve") is None
            assert await client.leave_review(reader="Eve") == 0
            return handed, state, answers

    handed, state, answers = asyncio.run(use())
    assert (handed.accepted, state.ended, len(answers)) == (3, 3, 3)
    submitted = "SELECT target, affected FROM audit_events WHERE action = 'submit'"
    assert many(served.engine, submitted) == [("run today", 3)]


def test_columns_are_said_by_either_client(either: Either, served: Served) -> None:
    rows = [{"n": "a", "words": "Where is my card?"}]
    with pytest.raises(rung.Refused, match="external_id"):
        either.enqueue(rows)
    assert either.enqueue(rows, map={"external_id": "n", "body": "words"}).accepted == 1


def test_a_database_that_is_none_and_a_configuration_that_is_wrong_are_said(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "rung.toml").write_text("[budget]\nper_rum_usd = 1\n")
    with pytest.raises(rung.Refused, match="did you mean per_run_usd"):
        rung.connect(database_url, config=tmp_path / "rung.toml")
    nobody = f"postgresql://u@127.0.0.1:{free_port()}/none"
    with rung.connect(nobody) as client, pytest.raises(rung.CannotReach, match="Postgres"):
        client.status("day")


def test_it_imports_nothing_of_the_server() -> None:
    script = (
        "import json, sys, rung; print(json.dumps(sorted({n.split('.')[0] for n in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"celery", "sqlalchemy", "anthropic", "worker", "models"} & set(
        json.loads(done.stdout)
    )
