"""Erasure: a planted text is in no column of any table afterwards, and every sum stays."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from models.vocabulary import Verdict
from tests.support.cli import say
from tests.support.promises import BODY, ME, ask_haiku, checked, claim_one, do, one
from tests.support.works import drain, hand_in, settings_for, working
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.policy import Policy, ValidatorUse
from worker.sandbox.simulator.state import State
from worker.store.actions import changes
from worker.store.actions.reviews import Judged, give_verdict
from worker.store.actions.selection import whole

PLANTED = "zanzibar-4711"
QUOTING = """
def check(draft, options):
    return None if "fine" in draft.reply else f"no good: {draft.reply}"
"""
SUMS = """
SELECT (SELECT json_agg(c ORDER BY run_id, state, tier) FROM run_counts AS c WHERE jobs <> 0),
  (SELECT json_agg(s ORDER BY s::text) FROM run_spend AS s),
  (SELECT json_agg(e ORDER BY e::text) FROM run_escalations AS e),
  (SELECT json_agg(b.spent ORDER BY scope) FROM budgets AS b),
  (SELECT json_agg(json_build_array(cost, input_tokens, output_tokens)
     ORDER BY job_id, fence, purpose) FROM calls),
  (SELECT json_agg(json_build_array(outcome, reasons, decision, cost) ORDER BY job_id, fence)
     FROM attempts)
"""


@pytest.fixture(autouse=True)
def _here(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str], tmp_path: Path) -> Settings:
    """With a validator that quotes what it dislikes."""
    (tmp_path / "quoting.py").write_text(QUOTING)
    return settings_for(
        database_url, simulator[1], validators={"quoting": f"{tmp_path / 'quoting.py'}:check"}
    )


def quoted(settings: Settings, preset: str = "fallback") -> Policy:
    """A policy that tells the model once what was wrong, before it climbs."""
    policy = policy_named(settings, preset)
    accept = replace(policy.accept, validators=(ValidatorUse("quoting"),))
    climb = replace(policy.climb, by_reason={"quoting": "again"})
    return replace(policy, accept=accept, climb=climb)


def holding(engine: Engine, planted: str = PLANTED) -> set[str]:
    """Every table that has the text in any column, whatever the column's type."""
    with engine.connect() as connection:
        tables = connection.execute(
            text(
                "SELECT table_name FROM information_schema.tables"
                " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            )
        ).scalars()
        return {
            table
            for table in list(tables)
            if connection.execute(
                text(f'SELECT count(*) FROM "{table}" AS t WHERE t::text ILIKE :planted'),
                {"planted": f"%{planted}%"},
            ).scalar_one()
        }


def replying(simulator: tuple[State, str], reply: str) -> None:
    document = {"reply": reply, "grounds": PLANTED, "confidence": 0.9}
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": {"json": document}}])


def planted_everywhere(engine: Engine, settings: Settings, simulator: tuple[State, str]) -> None:
    """A customer's answered message and one in review, with the text wherever text can be; and
    another customer's message."""
    fields: dict[str, Any] = {
        "subject": f"About {PLANTED}",
        "customer_id": "c-77",
        "metadata": {"order": PLANTED},
    }
    mine = [f"Where is {PLANTED}?", f"And where is {PLANTED} really?"]
    with working(settings) as runtime:
        replying(simulator, f"All is fine with {PLANTED}, it is on its way to you.")
        hand_in(engine, settings, mine[:1], policy=quoted(settings), name="good", **fields)
        drain(runtime)
        replying(simulator, f"We know nothing of {PLANTED}, and that is that.")
        hand_in(engine, settings, mine[1:], policy=quoted(settings), name="bad", **fields)
        drain(runtime)
        simulator[0].moods.replace([])
        hand_in(engine, settings, BODY, name="other", customer_id="c-1")
        drain(runtime)
    assert one(engine, "SELECT count(*) FROM attempts WHERE hint::text LIKE '%zanzibar%'")[0]
    job = one(engine, "SELECT id FROM jobs WHERE state = 'review'").id
    give_verdict(
        engine,
        ME,
        Judged(job_id=job, verdict=Verdict.REJECT, reply=None, reason=f"{PLANTED} is ours"),
    )
    give_verdict(
        engine,
        ME,
        Judged(job_id=job, verdict=Verdict.EDIT, reply=f"{PLANTED} is on its way", reason=None),
    )


def test_forgetting_a_customer_reaches_every_table_and_leaves_the_sums(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # Given a text that has got wherever text can get
    planted_everywhere(engine, settings, simulator)
    assert holding(engine) == {"messages", "results", "calls", "attempts", "reviews"}
    before = one(engine, SUMS)
    # When its customer is to be forgotten
    counted = say("forget", "--customer", "c-77", "--dry-run", "--json").document
    assert {name: counted[name] for name in ("messages", "jobs", "open_jobs")} == {
        "messages": 2,
        "jobs": 2,
        "open_jobs": 0,
    }
    assert holding(engine)
    assert say("forget", "--customer", "c-77", "--yes").code == 0
    # Then no column of any table holds it, or who the customer was
    assert holding(engine) == set()
    assert holding(engine, "c-77") == set()
    # And nothing of it may go out, nor is it taken for an empty reply
    assert say("results", "good", "--only", "ready", "--json").out == ""
    (row,) = [json.loads(line) for line in say("results", "good", "--json").out.splitlines()]
    assert (row["state"], row["send"]) == ("answered", None)
    shown = say("show", f"good/{row['external_id']}", "--text").out
    assert re.search(r"\(erased, with what was answered, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d\)", shown)
    # And every count, cost and decision is what it was, and the other customer's text is there
    assert one(engine, SUMS) == before
    assert one(engine, "SELECT count(*) FROM messages WHERE body = :body", body=BODY[0])[0] == 1
    action, target, affected = one(
        engine, "SELECT action, target, affected FROM audit_events WHERE action = 'forget'"
    )
    assert (action, affected) == ("forget", 2)
    assert target.startswith("customer sha256:")
    checked(engine, simulator)
    # And a second time there is nothing to do
    assert say("forget", "--customer", "c-77", "--yes", "--json").document["erased"] == {}


def test_forgetting_one_message_of_one_source(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    planted_everywhere(engine, settings, simulator)
    assert say("forget", "--external-id", "good-0", "--source", "elsewhere", "--yes").code == 0
    assert one(engine, "SELECT count(*) FROM messages WHERE erased_at IS NOT NULL")[0] == 0
    assert say("forget", "--external-id", "good-0", "--yes").code == 0
    rows = one(engine, "SELECT array_agg(external_id) FROM messages WHERE erased_at IS NOT NULL")
    assert rows[0] == ["good-0"]


def test_purging_takes_what_is_old_and_done(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # Given old messages, one of which still waits for its answer, and a young one
    planted_everywhere(engine, settings, simulator)
    hand_in(engine, settings, [f"Still open: {PLANTED}"], name="open")
    do(
        engine,
        "UPDATE messages SET created_at = now() - interval '31 days' WHERE body <> :body",
        body=BODY[0],
    )
    before = one(engine, SUMS)
    # When all that is older than a month is purged
    found = say("purge", "--older-than", "30d", "--yes", "--json").document
    # Then the open one and the young one keep their text
    assert (found["messages"], found["open_jobs"]) == (2, 0)
    assert found["erased"]["messages"] == 2
    assert holding(engine) == {"messages"}
    left = one(engine, "SELECT array_agg(external_id ORDER BY id) FROM messages WHERE body <> ''")
    assert left[0] == ["other-0", "open-0"]
    assert one(engine, SUMS) == before


def test_an_answer_in_flight_is_paid_and_kept_without_its_text(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # Given a call under way
    replying(simulator, f"We know nothing of {PLANTED}, and that is that.")
    body = [f"Where is {PLANTED}?"]
    hand_in(engine, settings, body, policy=quoted(settings, "single:haiku"), customer_id="c-77")
    with working(settings) as runtime:
        drain(runtime, rounds=1)
        claimed = claim_one(runtime)
        # When its customer is forgotten before the answer comes
        assert say("forget", "--customer", "c-77", "--yes", "--json").document["open_jobs"] == 1
        runtime.slots.take("haiku", 1, 1)
        ask_haiku(runtime, claimed)
        drain(runtime)
    # Then the money is in the ledger, and the text is nowhere
    assert one(engine, "SELECT state, reason FROM jobs") == ("cancelled", "its message was erased")
    assert one(engine, "SELECT state, cost > 0, output FROM calls") == ("done", True, None)
    assert holding(engine) == set()
    checked(engine, simulator)


def test_the_dead_stay_dead_and_the_row_is_not_taken_for_new(
    engine: Engine, settings: Settings, simulator: tuple[State, str], tmp_path: Path
) -> None:
    # Given a dead letter whose message was erased
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": {"status": 422}}])
    run = hand_in(engine, settings, BODY, customer_id="c-77", policy="single:haiku")
    with working(settings) as runtime:
        drain(runtime)
    say("forget", "--customer", "c-77", "--yes")
    # When somebody retries it, and hands the same row in again
    assert changes.apply(engine, ME, changes.RETRY, whole(run)).affected == 0
    rows = tmp_path / "again.csv"
    rows.write_text(f"external_id,body\nrun-0,{BODY[0]}\n")
    said = say("enqueue", str(rows), "--json")
    # Then neither is asked of Claude
    assert one(engine, "SELECT state FROM jobs")[0] == "dead"
    assert said.document["accepted"] == 0
    assert "other text" in said.document["rejects"][0]["reason"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("purge", "--older-than", "soon", "--yes"),
        ("forget", "--yes"),
        ("forget", "--customer", "a", "--external-id", "b", "--yes"),
    ],
)
def test_what_is_not_clear_is_refused(engine: Engine, arguments: tuple[str, ...]) -> None:
    assert say(*arguments).code == 2


def test_nothing_is_erased_when_nobody_is_there_to_ask(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(engine, settings, BODY, customer_id="c-77")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert say("forget", "--customer", "c-77").code == 2
    assert one(engine, "SELECT body FROM messages")[0] == BODY[0]
