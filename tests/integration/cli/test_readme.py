"""What the README shows is run: policy, rule and validator of one's own, from its text alone."""

import json
import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.places import ROOT
from tests.support.promises import one
from tests.support.works import drain, make_due, working
from worker.config.loading import load_settings
from worker.config.policies import policy_named
from worker.domain.validation import BUILTIN
from worker.sandbox.simulator.state import State

README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOUTED = "YOUR CARD WAS SENT ON MONDAY AND ARRIVES WITHIN FIVE WORKING DAYS."
CALM = "Your card was sent on Monday and arrives within five working days."
MESSAGES = [
    {"external_id": "threat", "body": "My lawyer will hear of this. Where is my card?"},
    {"external_id": "gold", "body": "Where is my card, please?", "plan": "gold"},
    {"external_id": "plain", "body": "Where is my card? It was due on Monday."},
]


def section() -> str:
    """The part of the README that says how to add things of one's own."""
    text = README.read_text("utf-8")
    return text.partition("## How it decides")[2].partition("\n## ")[0]


def blocks(language: str) -> list[str]:
    return [code for found, code in BLOCK.findall(section()) if found == language]


@pytest.fixture
def project(configured: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with nothing in it but what the README says to write."""
    monkeypatch.setenv("RUNG_CANARY__ENABLED", "false")
    (tmp_path / "rung.toml").write_text("\n".join(blocks("toml")))
    for code in blocks("python"):
        name = code.split("\n", 1)[0].removeprefix("# ").partition(",")[0].strip()
        (tmp_path / name).write_text(code)
    lines = [json.dumps(message) for message in MESSAGES]
    (tmp_path / "day.jsonl").write_text("\n".join(lines))
    return tmp_path


def test_policy_rule_and_validator_of_the_readme_work_as_written(
    engine: Engine, project: Path, simulator: tuple[State, str]
) -> None:
    # given
    simulator[0].moods.replace(
        [
            {"match": {"purpose": "classify"}, "do": {"json": {"difficulty": "SIMPLE"}}},
            {
                "match": {"purpose": "answer", "model": "haiku"},
                "do": {"json": {"reply": SHOUTED, "grounds": "", "confidence": 0.75}},
            },
            {
                "match": {"purpose": "answer"},
                "do": {"json": {"reply": CALM, "grounds": "", "confidence": 0.9}},
            },
        ]
    )
    # when
    checked = say("config", "check")
    handed_in = say("enqueue", "day.jsonl", "--run", "day", "--json")
    with working(load_settings()) as runtime:
        runtime.remember_prompts()
        for _ in range(3):
            drain(runtime)
            make_due(engine)
    # then: the configuration is sound, and the policy is the default
    assert checked.code == 0, checked.err
    assert (handed_in.code, handed_in.document["accepted"]) == (0, 3)
    assert one(engine, "SELECT state, policy_name FROM runs") == ("finished", "careful")
    # then: the rule sent its message to opus before any call, and the receipt names it
    threat = say("show", "day/threat", "--json").document
    assert threat["attempts"][0]["rule"] == "legal threats go to opus"
    assert [attempt["tier"] for attempt in threat["attempts"]] == [None, "opus"]
    assert threat["attempts"][1]["threshold"] == 0.6
    # then: the threshold is the policy's, and the validator warned
    plain = say("show", "day/plain", "--json").document
    first = plain["attempts"][1]
    assert (first["tier"], first["threshold"], first["decision"]) == ("haiku", 0.8, "climb:sonnet")
    assert first["findings"] == [
        {
            "validator": "no_shouting",
            "severity": "warn",
            "finding": "the reply is mostly capitals",
        }
    ]
    assert plain["attempts"][2]["findings"] in ([], None)
    assert plain["result"]["tier"] == "sonnet"
    # then: the marked one says by which rule, and that something follows from it
    gold = say("show", "day/gold", "--json").document
    assert gold["critical_by"] == "gold customers are critical"
    assert [attempt["tier"] for attempt in gold["attempts"]][1:] == ["haiku", "opus"]
    # then: everything explains itself
    assert say("replay", "day").code == 0


def test_the_rule_for_gold_customers_marks_them(project: Path) -> None:
    from worker.domain.first_tier import critical_by
    from worker.domain.messages import MessageText

    policy = policy_named(load_settings())
    assert critical_by(policy, MessageText(body="Hello?", attributes={"plan": "gold"}))
    assert not critical_by(policy, MessageText(body="Hello?"))


def test_the_validator_is_as_short_as_the_readme_says() -> None:
    (code,) = blocks("python")
    lines = [line for line in code.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) <= 8


def test_the_readme_names_every_validator_and_every_condition_of_a_rule() -> None:
    words = set(re.findall(r"`(\w+)`", section()))
    assert set(BUILTIN) - words == set()
    conditions = {"keywords", "pattern", "channels", "languages", "customers", "metadata"}
    assert conditions | {"min_chars", "max_chars"} <= words
