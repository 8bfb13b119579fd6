"""What an answer says is to be done with it: sent, handed over, or nothing."""

import json
from typing import Any

import pytest

from models.vocabulary import AttemptOutcome, Purpose
from tests.support.attempts import asks, attempt, said
from worker.domain.answers import ModelAnswer
from worker.domain.claimed import PastAnswer
from worker.domain.endings import ToReview
from worker.domain.judgement import Judgement, judge
from worker.domain.ladder import Ladder
from worker.domain.messages import MessageText
from worker.domain.next_step import decide
from worker.domain.policy import Policy
from worker.domain.policy_documents import from_document, to_document
from worker.domain.presets import preset
from worker.domain.reports import AttemptReport

LADDER = preset("ladder", Ladder(("haiku", "sonnet", "opus")))
ANSWER = {
    "reply": "Your card was sent on Monday. You can follow it in the app.",
    "sources": ["cards#1"],
    "grounds": "the page says so",
    "action": "reply",
    "confidence": 0.9,
}


def judged(policy: Policy = LADDER, **said: Any) -> Judgement:
    document = {name: value for name, value in (ANSWER | said).items() if value is not None}
    found = judge(
        policy, "haiku", MessageText(body="Where is my card?"), ModelAnswer(json.dumps(document))
    )
    assert isinstance(found, Judgement)
    return found


def test_a_reply_goes_out_with_its_sources() -> None:
    found = judged()
    assert (found.accepted, found.fields["sources"], found.fields["action"]) == (
        True,
        ["cards#1"],
        "reply",
    )


@pytest.mark.parametrize(("sources", "reason"), [(["cards#1"], "handed_over"), ([], "not_covered")])
def test_what_is_handed_over_goes_to_a_person_at_once(sources: list[str], reason: str) -> None:
    # given a confident answer that would pass
    found = judged(action="HAND_OVER", sources=sources)
    # then
    assert (found.outcome, found.reasons) == (AttemptOutcome.REJECTED, (reason,))
    assert decide(LADDER, "haiku", found) == ToReview(reason)


@pytest.mark.parametrize(("reply", "kept"), [("Ask ops.", "Ask ops."), (" \u200b", None)])
def test_words_that_nobody_can_see_are_no_draft(reply: str, kept: str | None) -> None:
    assert judged(action="hand_over", reply=reply).reply == kept


def test_a_policy_may_send_it_up_instead() -> None:
    document = to_document(LADDER)
    document["climb"]["by_reason"] = {"not_covered": "next"}
    step = decide(from_document(document), "haiku", judged(action="hand_over", sources=[]))
    assert step.word == "climb:sonnet"


def test_nothing_to_say_is_accepted_without_words() -> None:
    found = judged(action="None", reply="", sources=[])
    assert (found.accepted, found.reply, found.fields["action"]) == (True, "", "none")
    assert not judged(action="none", reply="", confidence=0.1).accepted, "it must be sure of that"


def test_no_words_are_no_reply() -> None:
    assert judged(reply=" ").outcome is AttemptOutcome.EMPTY


def test_an_answer_from_before_goes_on_being_one() -> None:
    assert judged(sources=None, action=None).accepted
    assert judged(sources=None).reasons == ("schema",), "half of it was never asked for"


def test_of_several_replies_a_person_gets_the_last_with_words_and_is_told_if_it_was_simulated() -> (
    None
):
    def past(fence: int, reply: str, tier: str) -> PastAnswer:
        return PastAnswer(
            fence=fence,
            tier=tier,
            model="m",
            reasons=("length",),
            decision=None,
            hint=None,
            output=json.dumps({"reply": reply}),
            simulated=True,
        )

    history = (past(1, "First.", "haiku"), past(2, "Second.", "haiku"), past(3, " ", "sonnet"))
    # when the last rung refuses
    one = attempt(asks(Purpose.ANSWER, tier="opus"), history=history)
    report = one.heard(said("", "refusal"))
    # then
    assert isinstance(report, AttemptReport)
    assert isinstance(report.ending, ToReview)
    assert report.ending.best is not None
    assert (report.ending.best.reply, report.ending.best.fence) == ("Second.", 2)
    # and of an answer of its own it is told the same
    one = attempt(asks(Purpose.ANSWER, tier="opus"))
    report = one.heard(said(json.dumps(ANSWER | {"action": "hand_over"})))
    assert isinstance(report, AttemptReport)
    assert isinstance(report.ending, ToReview)
    assert report.ending.best is not None
    assert report.ending.best.simulated
