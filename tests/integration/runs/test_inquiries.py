"""What is asked only to know more: a stronger tier judges, people keep the last word."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from models.vocabulary import Grader
from tests.support.cli import say
from tests.support.nights import night, night_settings, rounds
from tests.support.promises import ME, do, many, one
from tests.support.recorded import Traffic, answered_run
from tests.support.works import drain, hand_in, settings_for, unexplained, working
from worker.errors import UsageError
from worker.runs.inquiries import JudgeRequest, ask_judge
from worker.sandbox.simulator.state import State
from worker.store.actions.choosing import Choice, look_at
from worker.store.actions.truths import Graded, store
from worker.store.queue.judgements import take
from worker.store.reading.audits import counts, queue_of
from worker.store.reading.graded import population
from worker.store.runs import RunRef, find_run, recent_answering

HALF = JudgeRequest(tier="opus", passes=Decimal("0.5"), max_cost=Decimal(3))
TARGET = "INSERT INTO delivery_targets (name, simulated) VALUES ('helpdesk', true)"


@pytest.fixture
def monday(engine: Engine, database_url: str, simulator: tuple[State, str]) -> RunRef:
    """A run whose every answer was drawn, and nobody has looked yet. Opus will find every fifth
    wrong."""
    simulator[0].moods.replace([{"match": {"every": 5}, "do": {"merge": {"right": False}}}])
    traffic = Traffic(messages=60, simulated=True)
    return answered_run(engine, database_url, traffic, judged=False)


def judged(
    engine: Engine, database_url: str, simulator: tuple[State, str], request: JudgeRequest = HALF
) -> RunRef:
    """Opus has judged what was drawn of monday."""
    settings = night_settings(database_url, simulator[1])
    with engine.begin() as connection:
        made, _ = ask_judge(connection, settings, ME, find_run(connection, "monday"), request)
    with night(settings) as (runtime, lane):
        runtime.remember_prompts()
        rounds(runtime, lane)
    return made


def states(engine: Engine) -> dict[str, int]:
    rows = many(engine, "SELECT state, count(*) FROM audits WHERE tier <> 'opus' GROUP BY 1")
    return {row[0]: row[1] for row in rows}


def test_people_get_all_that_it_calls_wrong_and_a_part_of_what_it_passes(
    monday: RunRef, engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    made = judged(engine, database_url, simulator)
    # then: every verdict is the tier's own, and says that it is simulated
    said = many(engine, "SELECT DISTINCT grader, grader_name FROM truths")
    assert said == [("tier", "opus (simulated)")]
    right, wrong = one(
        engine, "SELECT count(*) FILTER (WHERE is_right), count(*) FILTER (WHERE NOT is_right)"
        " FROM truths",
    )  # fmt: skip
    assert right > 10
    assert wrong > 0
    found = states(engine)
    assert set(found) == {"open", "passed"}
    assert wrong < found["open"] < wrong + right
    assert many(
        engine, "SELECT 1 FROM audits JOIN truths USING (job_id, fence)"
        " WHERE NOT is_right AND state <> 'open'",
    ) == []  # fmt: skip
    # then: what opus said itself waits for people, who see nothing of all this
    with engine.connect() as connection:
        waiting = len(queue_of(connection, "ada", limit=100))
        (counted,) = counts(connection)
        assert waiting == counted.open
        assert counted.passed == found["passed"]
    # then: in batches, by its own prompt, and each decision can be made again
    assert many(engine, "SELECT DISTINCT lane FROM calls WHERE job_id > 60") == [("batch",)]
    prompt = one(
        engine, "SELECT DISTINCT p.text FROM attempts AS a JOIN prompts AS p"
        f" ON p.version = a.prompt_version JOIN jobs AS j ON j.id = a.job_id"
        f" WHERE j.run_id = {made.id}",
    )  # fmt: skip
    assert prompt[0].startswith("You judge replies")
    assert unexplained(engine, made) == []


def test_what_it_says_goes_to_nobody_and_counts_as_no_answer(
    monday: RunRef, engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    do(engine, TARGET)
    # given: two that no usable verdict comes for
    simulator[0].moods.replace([{"match": {"every": 20}, "do": {"refusal": "bio"}}])
    made = judged(engine, database_url, simulator)
    assert one(engine, "SELECT count(*) FROM deliveries")[0] == 0
    ended = many(engine, f"SELECT DISTINCT state FROM jobs WHERE run_id = {made.id} ORDER BY 1")
    assert [row[0] for row in ended] == ["answered", "cancelled"]
    unsaid = many(
        engine, "SELECT DISTINCT a.state FROM truths JOIN audits AS a USING (job_id, fence)"
        " WHERE is_right IS NULL",
    )  # fmt: skip
    assert unsaid == [("open",)]
    with engine.connect() as connection:
        chosen = look_at(connection, Choice(), "ladder")
        assert (chosen.jobs, chosen.superseded) == (60, 0)
        assert recent_answering(connection, 5) == ["monday"]


def test_what_waits_for_people_counts_as_wrong_and_what_passed_counts_once_they_looked(
    monday: RunRef, engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    judged(engine, database_url, simulator)
    with engine.connect() as connection:
        found = population(connection, [monday.id])
    answers = [m.answers["haiku"] for m in found.messages if m.answers["haiku"].valid]
    assert all(a.looked == 0.5 for a in answers if a.passed)
    assert all(a.waits for a in answers if not a.passed)
    assert {a.judged for a in answers if a.passed and not a.waits} == {True}
    # when: people have looked
    with engine.begin() as connection:
        waiting = queue_of(connection, "ada", limit=100)
        store(connection, Grader.PERSON, "ada", [Graded(b.job_id, b.fence, True) for b in waiting])
        found = population(connection, [monday.id])
    answers = [m.answers["haiku"] for m in found.messages if m.answers["haiku"].valid]
    assert [a for a in answers if a.waits or not a.judged] == []


def test_people_can_take_everything_back(
    monday: RunRef,
    engine: Engine,
    database_url: str,
    simulator: tuple[State, str],
    configured: None,
) -> None:
    judged(engine, database_url, simulator)
    said = say("audit", "monday", "--by", "person", "--json")
    assert said.document["judging"]["answers"] > 0
    assert set(states(engine)) == {"open"}
    assert one(engine, "SELECT DISTINCT people_share FROM audits")[0] == 1


def test_the_command_hands_over_with_a_budget_of_its_own(
    monday: RunRef, engine: Engine, configured: None
) -> None:
    said = say("audit", "monday", "--by", "opus", "--max-cost", "2.50", "--json")
    made = said.document["judging"]["run"]
    assert made == "monday-judged-by-opus"
    row = one(engine, f"SELECT kind, lane, budget_cap FROM runs WHERE name = '{made}'")
    assert row == ("judge", "batch", Decimal("2.50"))
    assert one(engine, "SELECT DISTINCT people_share FROM audits WHERE state = 'judging'")[0] == (
        Decimal("0.1")
    )
    again = say("audit", "monday", "--by", "opus")
    assert (again.code, "Nothing that was drawn" in again.err) == (2, True)
    cheapest = say("audit", "monday", "--by", "haiku")
    assert (cheapest.code, "cannot judge" in cheapest.err) == (2, True)
    assert say("audit", "--by", "opus").code == 2


def test_nothing_erased_is_shown_to_a_judge(
    monday: RunRef, engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    do(engine, "UPDATE messages SET erased_at = now()")
    with pytest.raises(UsageError, match="Nothing that was drawn"):
        judged(engine, database_url, simulator)


def test_shadows_ask_every_tier_that_was_not_needed_once(
    monday: RunRef,
    engine: Engine,
    database_url: str,
    simulator: tuple[State, str],
    configured: None,
) -> None:
    # given
    simulator[0].moods.replace([])
    bounds = point(say("evaluate", "monday", "--json").document, "always opus")
    assert bounds is None
    # when
    said = say("audit", "monday", "--shadow", "60%", "--max-cost", "2", "--json").document
    runs = {one["run"]: one["messages"] for one in said["shadows"]}
    assert set(runs) == {"monday-shadow-sonnet", "monday-shadow-opus"}
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, lane):
        rounds(runtime, lane)
    # then: in batches, within their own budgets, and each message was asked once
    shadows = one(engine, "SELECT count(*), min(probability) FROM shadows")
    assert 20 < shadows[0] < 60
    assert shadows[1] == Decimal("0.6")
    asked = many(
        engine, "SELECT s.job_id, array_agg(a.tier ORDER BY a.tier) FROM shadows AS s"
        " JOIN jobs AS j ON j.id = s.job_id OR j.origin_id = s.job_id"
        " JOIN attempts AS a ON a.job_id = j.id GROUP BY 1",
    )  # fmt: skip
    assert {tuple(row[1]) for row in asked} == {("haiku", "opus", "sonnet")}
    caps = many(engine, "SELECT DISTINCT kind, lane, budget_cap FROM runs WHERE id > 1")
    assert caps == [("shadow", "batch", Decimal(2))]
    again = say("audit", "monday", "--shadow", "60%", "--json").document
    assert again["shadows"] == []
    lower = say("audit", "monday", "--shadow", "10%")
    assert (lower.code, "a draw is not taken back" in lower.err) == (2, True)
    # when: people have judged what everybody said
    with engine.begin() as connection:
        blind = queue_of(connection, "ada", monday.id, limit=1_000)
        assert {one.run for one in blind} == {"monday"}
        store(connection, Grader.PERSON, "ada", [Graded(b.job_id, b.fence, True) for b in blind])
    # then: always opus has a place
    found = point(say("evaluate", "monday", "--json").document, "always opus")
    assert found == pytest.approx(1.0, abs=0.02)
    assert say("advise", "monday").code == 0


def point(document: Any, policy: str) -> float | None:
    found = next(p["quality"] for p in document["policies"] if p["policy"] == policy)
    said: float | None = found["point"]
    return said


def test_the_recording_transaction_draws_shadows_and_what_was_climbed_past(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given: haiku is never sure of itself
    low = {"match": {"purpose": "answer", "model": "haiku"}, "do": {"merge": {"confidence": 0.1}}}
    simulator[0].moods.replace([low])
    settings = settings_for(database_url, simulator[1])
    bodies = [f"Where is card number {n}? It was due on Monday." for n in range(16)]
    hand_in(engine, settings, bodies, policy="fallback", name="tuesday")
    do(engine, "UPDATE runs SET shadow_share = 1, policy = jsonb_set(policy, '{accept,confidence}',"
        " '\"inline\"')",
    )  # fmt: skip
    # when
    with working(settings) as runtime:
        drain(runtime)
    # then: every message is one, and every answer of it is looked at, also the rejected
    assert one(engine, "SELECT count(*) FROM shadows")[0] == 16
    drawn = one(engine, "SELECT count(*), count(*) FILTER (WHERE tier = 'haiku') FROM audits")
    answers = one(
        engine, "SELECT count(*) FROM attempts WHERE stage = 'answer'"
        " AND outcome IN ('accepted', 'rejected')",
    )[0]  # fmt: skip
    assert drawn == (answers, 16)
    with engine.connect() as connection:
        replies = [one.reply for one in queue_of(connection, "ada", limit=100)]
    assert len(replies) == answers
    assert all("[simulated]" in reply for reply in replies)


def test_what_a_tier_passes_is_evidence_for_a_certificate_until_people_take_it_back(
    engine: Engine, database_url: str, configured: None
) -> None:
    # given: a certificate under which everything at haiku went out, and a tier that is to judge it
    answered_run(engine, database_url, Traffic(messages=200))
    asked = ("--claim", "accuracy", "--tier", "haiku", "--score", "confidence", "--json")
    number = say("certify", "monday", *asked).document["certificate"]
    do(engine, f"UPDATE attempts SET certificate_id = {number} WHERE tier = 'haiku'")
    do(engine, "DELETE FROM truths")
    do(engine, "UPDATE audits SET state = 'judging', people_share = 0.00000001")
    jobs = [row[0] for row in many(engine, "SELECT job_id FROM audits WHERE tier = 'haiku'")]
    # when: it finds one wrong
    said = [{"job": job, "judge": "opus", "right": job != jobs[0]} for job in jobs]
    with engine.begin() as connection:
        take(connection, said)
    # then: what it passed counts as right, and what it called wrong waits for people
    assert one(engine, "SELECT audits, errors FROM evidence") == (len(jobs) - 1, 0)
    say("audit", "monday", "--by", "person")
    assert one(engine, "SELECT audits, errors FROM evidence") == (0, 0)
