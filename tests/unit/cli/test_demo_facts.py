"""The two answers that the demo scripts are what it says of them."""

import json

import pytest

from models.vocabulary import Purpose
from worker.claude.prompts import default_directory, load_prompts
from worker.cli.demo_facts import FAITHFUL, MADE_UP, PAGE, SAID, WORDS, checking_facts
from worker.domain.ladder import Ladder
from worker.domain.messages import MessageText
from worker.domain.presets import preset
from worker.domain.validation.base import Draft
from worker.domain.validation.grounded import grounded


@pytest.mark.parametrize(("amount", "stands"), [("1.50", True), ("4.75", False)])
def test_one_amount_stands_on_the_page_and_the_other_does_not(amount: str, stands: bool) -> None:
    reply = SAID.format(amount)
    prompt = load_prompts(None)[Purpose.ANSWER]
    draft = Draft(
        reply=reply,
        document={"reply": reply, "sources": [PAGE]},
        schema={},
        message=MessageText(body=WORDS[MADE_UP]),
        instructions=prompt.instructions,
        knowledge=prompt.shown,
    )
    assert (grounded(draft, {}) is None) is stands


def test_the_simulator_knows_the_messages_by_their_words() -> None:
    sample = (default_directory().parent / "backlog.jsonl").read_text("utf-8").splitlines()
    bodies = {row["external_id"]: row["body"] for row in map(json.loads, sample)}
    assert {name: bodies[name] for name in (MADE_UP, FAITHFUL)} == WORDS


def test_facts_are_checked_once() -> None:
    policy = checking_facts(preset("ladder", Ladder(("haiku", "sonnet"))))
    assert [use.name for use in policy.accept.validators].count("grounded") == 1
    assert checking_facts(policy) is policy
