"""The conversation that a request carries when a model is asked again, and when it judges."""

import json
from typing import Any

import pytest

from models.vocabulary import Purpose
from tests.support.attempts import asks, claimed
from worker.claude.turns import answer_turns, hint_of
from worker.domain.claimed import PastAnswer
from worker.domain.context import MessageContext
from worker.domain.policy import AGAIN

FINDINGS = {"findings": ["names no order", "too long"]}
SHOWN = MessageContext(fields={"plan": "gold"})


def past(**more: Any) -> PastAnswer:
    known = {
        "fence": 1, "tier": "haiku", "model": "m", "reasons": (), "decision": AGAIN,
        "hint": FINDINGS, "output": " what I said\n", "simulated": False,
    }  # fmt: skip
    return PastAnswer(**known | more)


def turns(**fields: Any) -> list[dict[str, Any]]:
    return answer_turns(claimed(asks(Purpose.ANSWER), **fields).candidate)


def test_an_answer_that_could_not_be_used_is_shown_with_what_is_wrong() -> None:
    first, second, third = turns(history=(past(),))
    assert (first["role"], second) == ("user", {"role": "assistant", "content": "what I said"})
    assert third["role"] == "user"
    assert "- names no order\n- too long\nAnswer again" in third["content"]
    assert "names no order" not in first["content"]


@pytest.mark.parametrize("output", [None, "  \n"])
def test_one_that_said_nothing_is_told_in_the_first_turn(output: str | None) -> None:
    (only,) = turns(history=(past(output=output),))
    assert only["content"].endswith("Answer again, with this put right.")


@pytest.mark.parametrize(
    "history",
    [
        (),
        (past(tier="sonnet"),),
        (past(decision="climb"),),
        (past(hint=None),),
        (past(), past(decision="climb", hint={})),
    ],
)
def test_what_is_not_asked_again_begins_anew(history: tuple[PastAnswer, ...]) -> None:
    (only,) = turns(history=history)
    assert "could not be used" not in only["content"]
    assert hint_of(history, "haiku") == {}


def test_what_is_shown_stands_beside_the_message_and_the_reply_that_is_judged() -> None:
    (asked,) = turns(context=SHOWN)
    (judging,) = turns(context=SHOWN, judged="Soon.")
    assert "plan: gold" in asked["content"]
    assert "plan: gold" in judging["content"]
    assert ("Soon." in asked["content"], "Soon." in judging["content"]) == (False, True)
    assert json.dumps(asked)
