"""A new prompt, schema or model goes one call at a time until it has proved itself."""

import re
import threading

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.pages import Page
from tests.support.promises import BODY, ME, checked, do, many, one, requests
from tests.support.web import browsing, dashboard, visiting
from tests.support.works import drain, hand_in, settings_for, working
from worker.config.dashboard import DashboardSettings
from worker.config.settings import Settings
from worker.dashboard.access.passwords import hash_token
from worker.sandbox.simulator.state import State
from worker.store.actions import holds

BAD = {"json": {"reply": 5}}


@pytest.fixture
def settings(database_url: str, simulator: tuple[State, str]) -> Settings:
    """Everything starts at haiku, with canaries on."""
    return settings_for(
        database_url,
        simulator[1],
        policy={"preset": "single:haiku"},
        canary={"enabled": True},
    )


def test_a_bad_prompt_burns_five_calls_and_pauses_its_tier(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # Given a prompt that brings nothing readable, and thirty messages
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": BAD}])
    hand_in(engine, settings, BODY * 30)
    # When they are worked on
    with working(settings) as runtime:
        drain(runtime)
    # Then five calls were made, and the tier is paused with the reason, in the audit and a notice
    assert requests(simulator) == 5
    reason = (
        "canary: 5 of the first 5 calls of a new prompt, schema or model at haiku failed,"
        " the last one: malformed"
    )
    assert one(engine, "SELECT name, paused, paused_by, paused_reason FROM tiers") == (
        "haiku",
        True,
        "rung",
        reason,
    )
    assert one(engine, "SELECT action, target, actor FROM audit_events") == (
        "pause",
        "haiku",
        "rung",
    )
    assert one(engine, "SELECT kind, target FROM notices") == ("paused", "haiku")
    assert one(engine, "SELECT good, bad, proven_at FROM canaries") == (0, 5, None)
    malformed = "SELECT array_agg(job_id ORDER BY job_id) FROM attempts WHERE outcome = 'malformed'"
    assert one(engine, "SELECT failed_jobs FROM canaries") == one(engine, malformed)
    checked(engine, simulator)


@pytest.fixture
def given_up(engine: Engine, settings: Settings, simulator: tuple[State, str]) -> list[int]:
    """A tier that its canary has paused; the jobs whose answers failed."""
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": BAD}])
    hand_in(engine, settings, BODY * 30)
    with working(settings) as runtime:
        drain(runtime)
    failed: list[int] = one(engine, "SELECT failed_jobs FROM canaries")[0]
    return failed


@pytest.mark.usefixtures("configured")
def test_a_pause_of_a_canary_says_what_failed_and_what_helps(
    engine: Engine, settings: Settings, given_up: list[int]
) -> None:
    # When somebody looks, in a terminal, on the first page, or by the API
    said = say("status").err
    with dashboard(settings) as url, browsing(url) as client:
        page, api = Page(client.get("/").text), client.get("/api/status").json()
    # Then each says that Rung paused it, why, whose answers failed, and both ways on
    for words in (said, page.text):
        assert "haiku is paused by Rung’s canary, since" in words
        assert "5 of the first 5 calls of a new prompt, schema or model at haiku failed" in words
    named = re.search(r"rung show (\d+) --text \(and ([\d, and]+)\)", said)
    assert named is not None
    assert {*map(int, re.findall(r"\d+", named[0]))} == {*given_up}
    (name,) = one(engine, "SELECT name FROM runs")
    assert "rung resume haiku --anyway" in said
    assert f"rung cancel {name}, rung reprocess --run {name} --where 'state = cancelled'," in said
    links = {a.attributes["href"] for a in page.root.all("ul", cls="troubles")[0].all("a")}
    assert {f"/jobs/{job}" for job in given_up} <= links
    assert {"/actions/resume?tier=haiku", "/actions/overrule?tier=haiku"} <= links
    (haiku,) = (queue for queue in api["queues"] if queue["queue"] == "haiku")
    assert (haiku["paused_by"], haiku["failed_jobs"]) == ("rung", given_up)


@pytest.mark.usefixtures("configured", "given_up")
def test_what_a_canary_held_up_is_answered_in_a_run_of_its_own(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # Given that Claude answers well again
    simulator[0].moods.replace([])
    (name,) = one(engine, "SELECT name FROM runs")
    (open_,) = one(engine, "SELECT count(*) FROM jobs WHERE finished_at IS NULL")
    # When somebody does what the pause says
    for words in (
        ("cancel", name, "--yes"),
        ("reprocess", "--run", name, "--where", "state = cancelled"),
        ("resume", "haiku"),
    ):
        assert say(*words).code == 0
    with working(settings) as runtime:
        drain(runtime)
    # Then all that waited is answered
    assert open_ > 0
    assert many(engine, "SELECT state, count(*) FROM jobs WHERE run_id > 1 GROUP BY 1") == [
        ("answered", open_)
    ]


@pytest.mark.usefixtures("configured", "given_up")
def test_a_canary_can_be_overruled(engine: Engine, settings: Settings) -> None:
    # When somebody says that it goes on all the same
    done = say("resume", "haiku", "--anyway")
    # Then the tier goes on, what was given up is trusted, and who said so is in the audit
    assert done.code == 0, done.err
    assert one(engine, "SELECT paused FROM tiers") == (False,)
    proven = "SELECT proven_at IS NOT NULL, overruled_by = actor FROM canaries, audit_events"
    assert one(engine, f"{proven} WHERE action = 'overrule' AND target = 'haiku'") == (True, True)
    with working(settings) as runtime:
        drain(runtime, rounds=1)
    assert one(engine, "SELECT count(*) > 20 FROM attempts")[0]
    # And there is nothing more to overrule
    again = say("resume", "haiku", "--anyway")
    assert (again.code, "No canary holds haiku" in again.err) == (1, True), again.err


@pytest.mark.usefixtures("given_up")
def test_only_an_operator_overrules_a_canary(engine: Engine, settings: Settings) -> None:
    # Given a viewer's and an operator's token
    roles = {"Vera's token": "viewer", "Olga's token": "operator"}
    tokens = {role: {"sha256": hash_token(token), "role": role} for token, role in roles.items()}
    guarded = settings.model_copy(
        update={"dashboard": DashboardSettings.model_validate({"tokens": tokens})}
    )
    body = {"action": "overrule", "tier": "haiku"}
    with dashboard(guarded) as url:
        answers = {}
        for token, role in roles.items():
            with visiting(url, headers={"Authorization": f"Bearer {token}"}) as client:
                looked = client.post("/api/actions", json={**body, "preview": True})
                answers[role] = (looked, client.post("/api/actions", json=body))
    # Then only the operator's word counts, and the preview said what it means
    assert {role: done.status_code for role, (_, done) in answers.items()} == {
        "viewer": 403,
        "operator": 200,
    }
    assert "is trusted from now on" in str(answers["operator"][0].json()["effect"])
    actors = "SELECT array_agg(actor) FROM audit_events WHERE action = 'overrule'"
    assert one(engine, actors)[0] == ["operator"]


def test_a_claim_that_looked_before_the_pause_sends_nothing(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # Given a prompt that was given up, and a claim to which its tier still looks open
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": BAD}])
    hand_in(engine, settings, BODY * 30)
    with working(settings) as runtime:
        drain(runtime)
        do(engine, "UPDATE tiers SET paused = false")
        ids = one(engine, "SELECT array_agg(id) FROM jobs WHERE finished_at IS NULL")[0]
        # When it claims
        taken = runtime.claims.take("haiku", ids, runtime.planner)
    # Then it gets nothing: there is no sixth call
    assert (len(ids), taken.granted) == (25, [])


def test_a_mended_prompt_gets_another_chance_when_the_tier_is_resumed(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": BAD}])
    hand_in(engine, settings, BODY * 30)
    with working(settings) as runtime:
        drain(runtime)
        simulator[0].moods.replace([])
        holds.resume_queue(engine, ME, "haiku")
        drain(runtime)
    assert one(engine, "SELECT count(*) FROM jobs WHERE state = 'answered'")[0] == 25
    assert one(engine, "SELECT good, bad, proven_at IS NOT NULL FROM canaries") == (5, 0, True)
    checked(engine, simulator)


def test_requests_that_claude_never_takes_count_as_bad(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": {"status": 400}}])
    hand_in(engine, settings, BODY * 12)
    with working(settings) as runtime:
        drain(runtime)
    assert one(engine, "SELECT count(*) FROM jobs WHERE state = 'dead'")[0] == 5
    assert one(engine, "SELECT paused FROM tiers WHERE name = 'haiku'")[0]


def test_overload_decides_nothing(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": {"status": 529}}])
    hand_in(engine, settings, BODY * 8)
    with working(settings) as runtime:
        drain(runtime)
    assert one(engine, "SELECT good, bad, proven_at FROM canaries") == (0, 0, None)


def test_one_is_in_flight_until_five_went_well_whoever_claims(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # Given a slow Claude, and two workers with a chunk each
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": {"slow": 0.06}}])
    hand_in(engine, settings, BODY * 30)
    ids = [int(n) for n in one(engine, "SELECT array_agg(id ORDER BY id) FROM jobs")[0]]
    with working(settings) as first, working(settings) as second:
        first.work("routing", ids)
        # When both work at once
        works = [
            threading.Thread(target=runtime.work, args=("haiku", part))
            for runtime, part in ((first, ids[:15]), (second, ids[15:]))
        ]
        for work in works:
            work.start()
        for work in works:
            work.join()
    # Then the first five did not overlap, and the rest were not held back
    overlapping = one(
        engine,
        """
        WITH spans AS (
          SELECT claimed_at AS since, finished_at AS until,
            row_number() OVER (ORDER BY claimed_at) AS place
          FROM attempts WHERE stage = 'answer')
        SELECT count(*) FROM spans AS a JOIN spans AS b ON b.place = a.place + 1
        WHERE a.place < 5 AND b.since < a.until
        """,
    )[0]
    assert overlapping == 0
    assert one(engine, "SELECT good, bad, proven_at IS NOT NULL FROM canaries") == (5, 0, True)
    assert one(engine, "SELECT count(*) FROM jobs WHERE state = 'answered'")[0] == 30
    checked(engine, simulator)


def test_each_combination_proves_itself_alone(
    engine: Engine, settings: Settings, simulator: tuple[State, str]
) -> None:
    # Given a haiku that is proven
    hand_in(engine, settings, BODY * 6, name="first")
    with working(settings) as runtime:
        drain(runtime)
        # When a run asks opus as well, with a classification before
        hand_in(engine, settings, BODY * 6, name="second", policy="single:opus")
        hand_in(engine, settings, BODY * 2, name="third", policy="route")
        drain(runtime)
    # Then each queue has its own canaries
    rows = one(engine, "SELECT array_agg(DISTINCT tier ORDER BY tier) FROM canaries")[0]
    assert set(rows) >= {"haiku", "opus", "routing"}
    assert one(engine, "SELECT count(*) FROM jobs WHERE state <> 'answered'")[0] == 0
    checked(engine, simulator)


def test_one_setting_turns_it_off(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    settings = settings_for(database_url, simulator[1], policy={"preset": "single:haiku"})
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": BAD}])
    hand_in(engine, settings, BODY * 12)
    with working(settings) as runtime:
        drain(runtime)
    assert requests(simulator) == 12
    assert one(engine, "SELECT count(*) FROM canaries")[0] == 0
