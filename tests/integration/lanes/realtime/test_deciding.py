"""Deciding, from the first rule to the last rung, on real Postgres against the simulator."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.deciding import GOOD, Simulator, answering, moods, own, work_off
from tests.support.promises import BODY, checked, one
from tests.support.works import drain, hand_in, settings_for, working
from worker.config.settings import Settings
from worker.config.validators import load_validators
from worker.domain.policy_documents import from_document
from worker.runs.replay import replay
from worker.store.reading.replay import decided_jobs
from worker.store.runs import find_run

LOW = {"match": {"purpose": "answer"}, "do": {"merge": {"confidence": 0.1}}}
ANSWERS = """SELECT array_agg(concat_ws(' ', tier, outcome, array_to_string(reasons, ','), decision)
ORDER BY fence) FROM attempts WHERE stage = 'answer'"""
ROUTE = """SELECT rule, difficulty, decision, model FROM attempts WHERE stage = 'route'
ORDER BY job_id, fence"""


@pytest.fixture
def settings(database_url: str, simulator: Simulator) -> Settings:
    return settings_for(database_url, simulator[1])


def test_identical_text_is_classified_once(
    engine: Engine, settings: Settings, simulator: Simulator
) -> None:
    # given: the same text, once before and twice at once
    hand_in(engine, settings, BODY, name="first")
    with working(settings) as runtime:
        drain(runtime)
    # when
    hand_in(engine, settings, [*BODY, "Another text altogether?"], name="second")
    with working(settings) as runtime:
        drain(runtime)
    # then
    assert one(engine, "SELECT count(*) FROM calls WHERE purpose = 'classify'")[0] == 2
    remembered = one(engine, "SELECT count(*) FROM attempts WHERE rule = 'remembered label'")[0]
    labels = one(
        engine, "SELECT count(DISTINCT difficulty), count(*) FROM jobs WHERE tier = 'haiku'"
    )
    assert (remembered, labels[1] >= 2) == (1, True)
    checked(engine, simulator)


@pytest.mark.parametrize(
    ("said", "tier", "difficulty"),
    [
        ({"text": "**Complex**, I should think."}, "opus", "COMPLEX"),
        ({"json": {"difficulty": "simple"}}, "haiku", "SIMPLE"),
        ({"text": "SIMPLE or COMPLEX"}, "sonnet", None),
        ({"text": "\u0000\ud7ff no idea"}, "sonnet", None),
        ({"empty": True}, "sonnet", None),
        ({"refusal": "cyber"}, "sonnet", None),
        ({"truncated": True}, "sonnet", None),
        ({"stop_reason": "a_new_word"}, "sonnet", None),
    ],
)
def test_any_label_ends_in_a_defined_tier(
    engine: Engine,
    settings: Settings,
    simulator: Simulator,
    said: dict[str, Any],
    tier: str,
    difficulty: str | None,
) -> None:
    moods(simulator, {"match": {"purpose": "classify"}, "do": said})
    work_off(engine, settings, BODY, "route")
    found = one(engine, "SELECT tier, difficulty FROM jobs")
    assert tuple(found) == (tier, difficulty)


def test_rules_come_before_any_call_and_are_named(
    engine: Engine, settings: Settings, simulator: Simulator
) -> None:
    rule = {"name": "from the phone", "channels": ["phone"], "tier": "opus"}
    work_off(engine, own(settings, start={"rules": [rule]}), BODY, "mine", channel="phone")
    assert tuple(one(engine, ROUTE)) == ("from the phone", None, "start:opus", None)
    assert one(engine, "SELECT count(*) FROM calls")[0] == 1


@pytest.mark.parametrize(
    ("fields", "policy", "path"),
    [
        ({}, "escalate", ["haiku", "sonnet", "opus"]),
        ({"metadata": {"priority": "critical"}}, "escalate", ["haiku", "opus"]),
        ({"metadata": {"priority": "low"}}, "escalate", ["haiku", "sonnet", "opus"]),
        ({"subject": "Letter of my lawyer"}, "mine", ["haiku", "opus"]),
    ],
)
def test_escalate_sends_what_is_critical_straight_to_the_top(
    engine: Engine,
    settings: Settings,
    simulator: Simulator,
    fields: dict[str, Any],
    policy: str,
    path: list[str],
) -> None:
    legal = {"name": "legal", "keywords": ["lawyer"], "critical": True}
    mine = own(settings, extends="escalate", start={"rules": [legal]})
    moods(simulator, {"match": {"purpose": "check"}, "do": {"json": {"confidence": "LOW"}}})
    work_off(engine, mine, BODY, policy, **fields)
    tiers = one(
        engine, "SELECT array_agg(tier ORDER BY fence) FROM attempts WHERE stage = 'answer'"
    )
    assert tiers[0] == path
    assert one(engine, "SELECT state FROM jobs")[0] == "review"


def test_a_schema_failure_is_asked_once_more_with_its_findings_told(
    engine: Engine, settings: Settings, simulator: Simulator
) -> None:
    moods(
        simulator,
        answering({"json": GOOD}, contains="schema: grounds breaks the schema's type rule"),
        answering({"json": {**GOOD, "grounds": 7}}),
    )
    work_off(engine, settings, BODY)
    assert one(engine, ANSWERS)[0] == ["haiku rejected schema again", "haiku accepted  accept"]


def test_truncation_gets_twice_the_room_once(
    engine: Engine, settings: Settings, simulator: Simulator
) -> None:
    moods(simulator, answering({"truncated": True}, model="haiku"))
    work_off(engine, settings, BODY)
    asked = """SELECT array_agg(tier || ' ' || max_tokens ORDER BY fence) FROM attempts
    WHERE stage = 'answer'"""
    assert one(engine, asked)[0][:3] == ["haiku 2048", "haiku 4096", "sonnet 2048"]


@pytest.mark.parametrize(
    ("category", "answers"),
    [
        ("bio", ["haiku refused refused:bio review"]),
        ("cyber", ["haiku refused refused:cyber climb:opus", "opus accepted  accept"]),
    ],
)
def test_a_refusal_goes_by_its_category(
    engine: Engine, settings: Settings, simulator: Simulator, category: str, answers: list[str]
) -> None:
    by_reason = {"refused:bio": "person", "refused": "top"}
    moods(simulator, answering({"refusal": category}, model="haiku"), answering({"json": GOOD}))
    work_off(engine, own(settings, climb={"by_reason": by_reason}), BODY, "mine")
    assert one(engine, ANSWERS)[0] == answers


@pytest.mark.parametrize(
    "mood",
    [
        {"stop_reason": "model_context_window_exceeded"},
        {"status": 400, "message": "prompt is too long: 250000 tokens > 200000 maximum"},
    ],
)
def test_what_is_too_long_for_a_tier_goes_up(
    engine: Engine, settings: Settings, simulator: Simulator, mood: dict[str, Any]
) -> None:
    moods(simulator, answering(mood, model="haiku"), answering({"json": GOOD}))
    hand_in(engine, settings, BODY)
    with working(settings) as runtime:
        drain(runtime)
    assert one(engine, ANSWERS)[0] == [
        "haiku truncated too_long climb:sonnet",
        "sonnet accepted  accept",
    ]


def test_attempts_are_bounded_by_the_policy(
    engine: Engine, settings: Settings, simulator: Simulator
) -> None:
    moods(simulator, LOW)
    work_off(engine, own(settings, climb={"max_attempts": 2}), BODY, "mine")
    assert one(engine, ANSWERS)[0] == [
        "haiku rejected low_confidence climb:sonnet",
        "sonnet rejected low_confidence review",
    ]


def test_each_tier_has_its_threshold(
    engine: Engine, settings: Settings, simulator: Simulator
) -> None:
    moods(simulator, answering({"json": {**GOOD, "confidence": 0.6}}))
    accept = {"threshold": 0.8, "thresholds": {"opus": 0.55}}
    work_off(engine, own(settings, accept=accept), BODY, "mine")
    held = one(engine, "SELECT array_agg(threshold::float8 ORDER BY fence) FROM attempts"
               " WHERE stage = 'answer'")  # fmt: skip
    assert held[0] == [0.8, 0.8, 0.55]
    assert one(engine, "SELECT state, confidence FROM jobs JOIN results ON job_id = id")[0] == (
        "answered"
    )


@pytest.mark.parametrize("height", [2, 5])
def test_a_ladder_of_other_names_and_heights(
    engine: Engine, database_url: str, simulator: Simulator, height: int
) -> None:
    names = ("tiny", "small", "middling", "large", "huge")[:height]
    models = ("haiku-5-5", "haiku-5-5", "sonnet-5-5", "sonnet-5-5", "opus-5-5")
    tiers = {n: {"model": f"claude-{m}"} for n, m in zip(names, models[-height:], strict=True)}
    moods(simulator, LOW)
    settings = settings_for(database_url, simulator[1], tiers=tiers)
    start = {"otherwise": names[0]}
    work_off(engine, own(settings, start=start), BODY, "mine")
    tiers_tried = one(engine, "SELECT array_agg(tier ORDER BY fence) FROM attempts"
                      " WHERE stage = 'answer'")  # fmt: skip
    assert tiers_tried[0] == list(names)
    assert one(engine, "SELECT state, reason FROM jobs") == ("review", "low_confidence")


def test_validators_of_ones_own_decide_and_cannot_crash(
    engine: Engine, settings: Settings, simulator: Simulator, tmp_path: Path
) -> None:
    (tmp_path / "checks.py").write_text(
        "def explodes(draft, options):\n    raise ValueError(draft.reply)\n"
        "def never_ends(draft, options):\n    import time\n    time.sleep(0.6)\n"
        "def no_cards(draft, options):\n    return 'a card' if 'card' in draft.reply else None\n"
    )
    names = ("no_cards", "explodes", "never_ends")
    uses = [{"name": name, "severity": "warn"} for name in names[1:]]
    mine = own(settings, accept={"validators": [{"name": "no_cards"}, *uses]})
    mine = mine.model_copy(update={"validators": {n: f"{tmp_path}/checks.py:{n}" for n in names}})
    moods(simulator, answering({"json": GOOD}))
    hand_in(engine, mine, BODY, policy="mine")
    with working(mine) as runtime:
        drain(runtime)
    assert one(engine, "SELECT state, reason FROM jobs") == ("review", "no_cards")
    found = one(engine, "SELECT findings FROM attempts WHERE stage = 'answer' LIMIT 1")[0]
    assert [(f["validator"], f["severity"], f["finding"]) for f in found] == [
        ("no_cards", "reject", "a card"),
        ("explodes", "warn", "the validator failed with ValueError"),
        ("never_ends", "warn", "the validator took longer than 0.25 s"),
    ]


def test_a_replay_takes_what_the_clock_said_from_the_record(
    engine: Engine, settings: Settings, simulator: Simulator, tmp_path: Path
) -> None:
    # given: a validator that was too slow at every rung, and then switched off
    checks = tmp_path / "checks.py"
    checks.write_text("import time\ndef slow(draft, options):\n    time.sleep(0.6)\n")
    mine = own(settings, extends="fallback", accept={"validators": [{"name": "slow"}]})
    mine = mine.model_copy(update={"validators": {"slow": f"{checks}:slow"}})
    run = hand_in(engine, mine, [*BODY, "And where is mine?"], policy="mine")
    with working(mine) as runtime:
        drain(runtime)
    assert one(engine, "SELECT array_agg(DISTINCT state || ' ' || reason) FROM jobs")[0] == [
        "review slow"
    ]
    # when: the machine is faster now
    checks.write_text("def slow(draft, options):\n    return None\n")
    with engine.connect() as connection:
        policy = from_document(find_run(connection, run.name).policy)
    again = replay(decided_jobs(engine, run.id), policy, load_validators(mine))
    # then
    assert (again.jobs, again.differences) == (2, [])


def test_a_reply_that_repeats_our_instructions_is_found_while_answering(
    engine: Engine, settings: Settings, simulator: Simulator
) -> None:
    leak = (
        "I was told to write as a member of its support team: warm, brief, exact. You answer one."
    )
    moods(simulator, answering({"json": {**GOOD, "reply": leak}}, model="haiku"))
    work_off(engine, settings, BODY)
    assert one(engine, ANSWERS)[0][0] == "haiku rejected leaked_prompt climb:sonnet"
