"""A certificate in force: it asks for more, falls back in doubt, and ends when it must."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from models.vocabulary import Grader, Lane
from tests.support.cli import say
from tests.support.nights import night, night_settings, rounds
from tests.support.promises import ME, do, many, one
from tests.support.works import drain, hand_in, settings_for, unexplained, working
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.policy import Policy
from worker.domain.policy_documents import rules_of
from worker.domain.proof.strata import stratum_of
from worker.errors import ConfigurationError, UsageError
from worker.runs.forecasts import foresee
from worker.sandbox.simulator.state import State
from worker.store.actions.audits import raise_share
from worker.store.actions.truths import Graded, store, undo
from worker.store.audit import Actor
from worker.store.queue.certified import void
from worker.store.queue.vigils import lift
from worker.store.runs import RunRef

BODIES = [f"Where is card number {n}? It was due on Monday." for n in range(40)]
THRESHOLD = Decimal("0.9")
ISSUE = text("""
INSERT INTO certificates (claim, tier, top, alpha, delta, errors, labels, upper, coverage,
  threshold, fallback, segment_by, key, runs, sources, rehearsal, issued_by)
VALUES ('accuracy', 'haiku', 'opus', 0.05, 0.05, 0, 100, 0.03, 0.5, :threshold, :fallback,
  'difficulty', CAST(:key AS jsonb), '[]', '{}', :rehearsal, 'a test') RETURNING id
""")
KEY = """
SELECT model, prompt_version, schema_version, coalesce(effort, '') AS effort FROM attempts
WHERE stage = 'answer' AND tier = 'haiku' LIMIT 1
"""


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    return settings_for(database_url, simulator[1])


def answer(engine: Engine, settings: Settings, policy: Policy, name: str) -> RunRef:
    run = hand_in(engine, settings, BODIES, policy=policy, name=name)
    raise_share(engine, ME, run, Decimal(1))
    with working(settings) as runtime:
        drain(runtime)
    return run


@pytest.fixture
def certified(engine: Engine, settings: Settings) -> Policy:
    """The policy of a run that was answered, with a rehearsal's certificate in it."""
    plain = replace(policy_named(settings, "ladder"), name="careful")
    answer(engine, settings, plain, "before")
    number = issued(engine, plain)
    return replace(plain, accept=replace(plain.accept, certificate=number))


def issued(engine: Engine, policy: Policy, **more: Any) -> int:
    key = dict(one(engine, KEY)._mapping) | {"policy_version": rules_of(policy)}
    key |= more.pop("key", {})
    values = {"threshold": THRESHOLD, "fallback": Decimal("0.97"), "rehearsal": True} | more
    with engine.begin() as connection:
        return int(connection.execute(ISSUE, values | {"key": json.dumps(key)}).scalar_one())


def answers(engine: Engine, run: RunRef) -> list[Any]:
    return many(
        engine,
        "SELECT a.* FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id WHERE j.run_id = :run"
        " AND a.stage = 'answer' AND a.tier = 'haiku'",
        run=run.id,
    )


def state(engine: Engine, number: int | None) -> str:
    return str(one(engine, "SELECT state FROM certificates WHERE id = :id", id=number)[0])


def test_it_asks_for_its_threshold_beside_the_policys(
    engine: Engine, settings: Settings, certified: Policy
) -> None:
    run = answer(engine, settings, certified, "after")
    found = answers(engine, run)
    judged = [a for a in found if a.certificate_id is not None]
    assert {a.certificate_id for a in judged} == {certified.accept.certificate}
    assert all(a.confidence >= THRESHOLD for a in found if a.outcome == "accepted")
    climbed = [a for a in found if a.reasons == ["uncertified"]]
    assert climbed
    assert all(Decimal("0.7") <= a.confidence < THRESHOLD for a in climbed)
    assert all((a.score, a.standard) == (a.confidence, THRESHOLD) for a in climbed)
    assert unexplained(engine, run) == []


def test_a_forecast_asks_for_what_the_certificate_does(
    engine: Engine, settings: Settings, certified: Policy
) -> None:
    # given
    coming = {stratum_of(len(BODIES[0])): len(BODIES)}
    alone = replace(certified, accept=replace(certified.accept, certificate=None))
    with engine.connect() as connection:
        plain, asked = foresee(connection, alone, coming), foresee(connection, certified, coming)
    # then
    assert plain is not None
    assert asked is not None
    assert plain.dollars.p50 < 0.9 * asked.dollars.p50
    with engine.begin() as connection:
        void(connection, certified.accept.certificate or 0, "a test says so")
    with engine.connect() as connection, pytest.raises(ConfigurationError, match="is void"):
        foresee(connection, certified, coming)


def test_in_doubt_the_stricter_threshold_holds_at_once(
    engine: Engine, settings: Settings, certified: Policy
) -> None:
    run = hand_in(engine, settings, BODIES, policy=certified, name="after")
    do(engine, "UPDATE certificates SET state = 'amber'")
    with working(settings) as runtime:
        drain(runtime)
    found = answers(engine, run)
    assert {a.standard for a in found if a.certificate_id} == {Decimal("0.97")}
    assert all(a.confidence >= Decimal("0.97") for a in found if a.outcome == "accepted")
    assert unexplained(engine, run) == []


def test_void_lets_nothing_through(engine: Engine, settings: Settings, certified: Policy) -> None:
    run = hand_in(engine, settings, BODIES, policy=certified, name="after")
    with engine.begin() as connection:
        assert void(connection, certified.accept.certificate or 0, "a test says so")
    with working(settings) as runtime:
        drain(runtime)
    found = answers(engine, run)
    assert found
    assert [a for a in found if a.outcome == "accepted"] == []
    assert unexplained(engine, run) == []
    with pytest.raises(ConfigurationError, match="is void: a test says so"):
        hand_in(engine, settings, BODIES, policy=certified, name="later")


def test_status_names_a_certificate_that_is_void_or_in_doubt_though_no_run_goes(
    engine: Engine, certified: Policy, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    number = certified.accept.certificate or 0
    assert "Certificate" not in say("status").err
    do(engine, "UPDATE certificates SET state = 'amber'")
    assert "is in doubt: its stricter threshold holds" in say("status").err
    with engine.begin() as connection:
        void(connection, number, "a test says so")
    assert f"Certificate {number} (haiku) is void: a test says so." in say("status").err
    assert say("status", "--json").document["certificates"][0]["state"] == "void"


@pytest.mark.parametrize(
    "part", ["model", "prompt_version", "schema_version", "effort", "knowledge_version"]
)
def test_a_change_of_key_voids_it_before_anything_is_accepted(
    engine: Engine, settings: Settings, certified: Policy, part: str
) -> None:
    do(engine, f'UPDATE certificates SET key = key || \'{{"{part}": "another"}}\'')
    run = answer(engine, settings, certified, "after")
    assert state(engine, certified.accept.certificate) == "void"
    assert [a for a in answers(engine, run) if a.outcome == "accepted"] == []
    words = one(engine, "SELECT words FROM notices WHERE kind = 'certificate_void'")[0]
    assert "changed" in words


def test_it_holds_for_no_other_rules(engine: Engine, settings: Settings, certified: Policy) -> None:
    other = replace(certified, accept=replace(certified.accept, threshold=Decimal("0.6")))
    with pytest.raises(ConfigurationError, match="proved of answers under other rules"):
        hand_in(engine, settings, BODIES, policy=other)
    unknown = replace(certified, accept=replace(certified.accept, certificate=99))
    with pytest.raises(ConfigurationError, match="no certificate 99"):
        hand_in(engine, settings, BODIES, policy=unknown)


def test_a_rehearsal_ends_with_the_first_real_answer(
    engine: Engine, settings: Settings, certified: Policy
) -> None:
    from worker.store.queue.certified import end_rehearsals

    number = certified.accept.certificate
    with engine.begin() as connection:
        end_rehearsals(connection, [{"certificate_id": number, "simulated": True}])
        assert connection.execute(text("SELECT state FROM certificates")).scalar() == "valid"
        end_rehearsals(connection, [{"certificate_id": number, "simulated": False}])
    assert state(engine, number) == "void"


def test_the_batch_lane_asks_for_it_too(
    engine: Engine, database_url: str, simulator: tuple[State, str], certified: Policy
) -> None:
    settings = night_settings(database_url, simulator[1])
    run = hand_in(engine, settings, BODIES, policy=certified, name="after", lane=Lane.BATCH)
    with night(settings) as (runtime, lane):
        rounds(runtime, lane)
    found = answers(engine, run)
    assert all(a.confidence >= THRESHOLD for a in found if a.outcome == "accepted")
    assert [a for a in found if a.reasons == ["uncertified"]]


def test_nobody_writes_a_certificate_by_hand(database_url: str) -> None:
    own = {"mine": {"accept": {"in_force": {"number": 1}}}}
    with pytest.raises(ConfigurationError, match="cannot be written by hand"):
        policy_named(settings_for(database_url, "http://127.0.0.1:1", policies=own), "mine")


def judge(engine: Engine, run: RunRef, wrong: int, of: int, who: str = "ada") -> None:
    """The first `of` certified answers judged one after another, the first `wrong` of them so."""
    rows = many(
        engine,
        "SELECT d.job_id, d.fence FROM audits AS d JOIN attempts AS a USING (job_id, fence)"
        " WHERE d.run_id = :run AND a.certificate_id IS NOT NULL ORDER BY 1 LIMIT :of",
        run=run.id,
        of=of,
    )
    for place, row in enumerate(rows):
        with engine.begin() as connection:
            verdict = Graded(row.job_id, row.fence, place >= wrong)
            store(connection, Grader.PERSON, who, [verdict])


def test_verdicts_turn_it_amber_and_then_void(
    engine: Engine, settings: Settings, certified: Policy
) -> None:
    number = certified.accept.certificate
    run = answer(engine, settings, certified, "after")
    seen = []
    for wrong in range(1, 12):
        judge(engine, run, wrong, wrong)
        seen.append(state(engine, number))
        do(engine, "UPDATE truths SET undone_at = now() WHERE false")
    assert seen[0] == "valid"
    assert seen[-1] == "void"
    kinds = {row[0] for row in many(engine, "SELECT kind FROM notices")}
    assert "certificate_void" in kinds
    voided = one(engine, "SELECT voided_by FROM certificates")[0]
    assert "audited answers were wrong" in voided


def test_good_verdicts_leave_it_valid_and_count_once(
    engine: Engine, settings: Settings, certified: Policy
) -> None:
    run = answer(engine, settings, certified, "after")
    judge(engine, run, 0, 10)
    judge(engine, run, 0, 10, who="bob")
    row = one(engine, "SELECT audits, errors FROM evidence")
    assert tuple(row) == (10, 0)
    assert state(engine, certified.accept.certificate) == "valid"


def test_a_verdict_taken_back_is_evidence_no_more(
    engine: Engine, settings: Settings, certified: Policy
) -> None:
    run = answer(engine, settings, certified, "after")
    judge(engine, run, 1, 2)
    assert tuple(one(engine, "SELECT audits, errors FROM evidence")) == (2, 1)
    undo(engine, Actor("ada"))
    assert tuple(one(engine, "SELECT audits, errors FROM evidence")) == (1, 1)
    judge(engine, run, 0, 1)
    assert tuple(one(engine, "SELECT audits, errors FROM evidence")) == (1, 0)


def test_amber_is_lifted_by_people_alone(
    engine: Engine, settings: Settings, certified: Policy
) -> None:
    number = certified.accept.certificate or 0
    run = answer(engine, settings, certified, "after")
    do(engine, "UPDATE certificates SET state = 'amber'")
    judge(engine, run, 0, 10)
    assert state(engine, number) == "amber"
    with engine.begin() as connection:
        lift(connection, ME, number)
    assert state(engine, number) == "valid"
    with pytest.raises(UsageError, match="is not in doubt"), engine.begin() as connection:
        lift(connection, ME, number)
