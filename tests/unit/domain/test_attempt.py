"""One attempt as a machine: what it asks, what it reports, and what becomes of every call."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import AttemptOutcome, CallState, Purpose
from tests.support.attempts import (
    CHECK_WORST,
    GOOD,
    LADDER,
    REPLY,
    WORST,
    asks,
    attempt,
    claimed,
    said,
    trouble,
)
from worker.domain.answers import ModelAnswer
from worker.domain.claimed import KeptAnswer, PastAnswer, Question, Unready
from worker.domain.endings import Accepted, Again, ClimbTo, Deferred, Failed, RoutedTo, ToReview
from worker.domain.first_tier import Decided
from worker.domain.reports import AttemptReport
from worker.domain.shared_labels import parts_of
from worker.domain.trouble import Meaning, Trouble


def report(step: Question | AttemptReport) -> AttemptReport:
    assert isinstance(step, AttemptReport)
    return step


def calls(of: AttemptReport) -> list[tuple[str, str, bool, Decimal | None]]:
    return [(call.purpose, call.state, call.sent, call.cost) for call in of.calls]


COST = Decimal("0.0002")


def test_what_is_decided_already_asks_nothing() -> None:
    found = report(attempt(Decided("opus", "legal", None)).begin())
    assert found.ending == RoutedTo("opus", 2, None)
    assert (found.outcome, found.calls, found.reasons, found.rule) == ("routed", (), (), "legal")


@pytest.mark.parametrize(
    ("deferrals", "delay_s"), [(0, 15.0), (1, 30.0), (5, 480.0), (6, 600.0), (5_000, 600.0)]
)
def test_what_waits_for_a_look_up_waits_twice_as_long_each_time_however_often(
    deferrals: int, delay_s: float
) -> None:
    plan = Unready("lookup:orders", "look-up orders is away", False)
    found = report(attempt(plan, deferrals=deferrals).begin())
    assert found.ending == Deferred(delay_s, "look-up orders is away")


@pytest.mark.parametrize(
    ("text", "tier", "label", "reasons"),
    [
        ('{"difficulty": "COMPLEX"}', "opus", "COMPLEX", ()),
        ("hm", "sonnet", None, ("unknown label",)),
    ],
)
def test_a_label_says_where_to_start(
    text: str, tier: str, label: str | None, reasons: tuple[str, ...]
) -> None:
    one = attempt(asks(Purpose.CLASSIFY), policy="route")
    assert one.begin() == asks(Purpose.CLASSIFY)
    found = report(one.heard(said(text)))
    assert found.ending == RoutedTo(tier, LADDER.rung(tier), label)
    assert (found.reasons, calls(found)) == (reasons, [("classify", "done", True, COST)])


def test_an_answer_is_judged_and_paid_for() -> None:
    one = attempt(asks(Purpose.ANSWER))
    one.begin()
    found = report(one.heard(said(GOOD)))
    assert (found.outcome, found.confidence) == ("accepted", Decimal("0.9000"))
    assert found.ending == Accepted(REPLY, {"grounds": "as asked"})
    assert calls(found) == [("answer", "done", True, COST)]


def test_a_separate_check_is_asked_for_what_is_left_of_the_reservation() -> None:
    one = attempt(asks(Purpose.ANSWER), policy="escalate")
    one.begin()
    check = one.heard(said(json.dumps({"reply": REPLY})))
    assert check == asks(
        Purpose.CHECK, worst_cost=CHECK_WORST, reserved=WORST + CHECK_WORST, reply=REPLY
    )
    found = report(one.heard(said('{"confidence": "HIGH"}')))
    assert (found.outcome, len(found.calls)) == ("accepted", 2)


@pytest.mark.parametrize("meaning", [Meaning.UNKNOWN, Meaning.PERMANENT, Meaning.TOO_LONG])
def test_a_check_that_brings_nothing_is_low(meaning: Meaning) -> None:
    one = attempt(asks(Purpose.ANSWER), policy="escalate")
    one.heard(said(json.dumps({"reply": REPLY})))
    found = report(one.heard(trouble(meaning)))
    assert found.ending == ClimbTo(tier="sonnet", rung=1, reason="low_confidence")
    assert calls(found)[1] == (
        "check", "failed", True, CHECK_WORST if meaning is Meaning.UNKNOWN else Decimal(0),
    )  # fmt: skip


@pytest.mark.parametrize(
    "meaning",
    [
        Meaning.NOT_SENT,
        Meaning.RATE_LIMITED,
        Meaning.OVERLOADED,
        Meaning.CONFIGURATION,
        Meaning.MONEY,
    ],
)
def test_a_check_that_cannot_be_asked_now_says_nothing_of_the_answer(meaning: Meaning) -> None:
    one = attempt(asks(Purpose.ANSWER), policy="escalate")
    one.heard(said(json.dumps({"reply": REPLY})))
    found = report(one.heard(trouble(meaning)))
    assert (found.outcome, type(found.ending)) == ("deferred", Deferred)
    assert calls(found)[0] == ("answer", "done", True, COST)


def kept(text: str = json.dumps({"reply": REPLY})) -> KeptAnswer:
    return KeptAnswer(fence=2, tier="haiku", model="small", answer=ModelAnswer(text))


def test_a_kept_answer_is_only_checked() -> None:
    one = attempt(asks(Purpose.CHECK), policy="escalate", kept=kept())
    assert one.begin() == asks(Purpose.CHECK, reply=REPLY)
    assert report(one.heard(said("HIGH"))).outcome == "accepted"


def test_a_kept_answer_that_is_rejected_meanwhile_needs_no_check_and_pays_for_none() -> None:
    one = attempt(asks(Purpose.CHECK), policy="escalate", kept=kept('{"reply": "too short"}'))
    found = report(one.begin())
    assert found.ending == ClimbTo(tier="sonnet", rung=1, reason="length")
    assert calls(found) == [("check", "failed", False, Decimal(0))]


def test_a_check_whose_answer_is_gone_goes_back() -> None:
    found = report(attempt(asks(Purpose.CHECK), policy="escalate").begin())
    assert found.ending == Deferred(0, "the answer to be checked is gone")
    assert calls(found) == [("check", "failed", False, Decimal(0))]


def test_too_long_climbs_and_too_long_to_classify_starts_like_the_unknown() -> None:
    answering, routing = attempt(asks(Purpose.ANSWER)), attempt(asks(Purpose.CLASSIFY))
    found = report(answering.heard(trouble(Meaning.TOO_LONG)))
    assert (found.outcome, found.ending) == (
        "truncated",
        ClimbTo(tier="sonnet", rung=1, reason="too_long"),
    )
    assert isinstance(report(routing.heard(trouble(Meaning.TOO_LONG))).ending, RoutedTo)


@pytest.mark.parametrize(
    ("model", "free", "cost"),
    [("small", False, WORST), ("small", True, Decimal(0)), ("free", False, None)],
)
def test_what_may_be_billed_is_charged_its_worst_case(
    model: str, free: bool, cost: Decimal | None
) -> None:
    one = attempt(asks(Purpose.ANSWER, model=model))
    found = report(one.heard(trouble(Meaning.UNKNOWN, free=free)))
    assert (found.outcome, type(found.ending)) == ("failed", Failed)
    assert calls(found) == [("answer", "failed", True, cost)]


def test_what_nothing_is_heard_of_uses_up_a_try_even_if_it_was_a_check() -> None:
    one = attempt(asks(Purpose.CHECK), policy="escalate", kept=kept())
    found = report(one.unheard(Trouble(meaning=Meaning.UNKNOWN, kind="no result")))
    assert (type(found.ending), calls(found)) == (Failed, [("check", "failed", True, WORST)])


def test_a_check_without_its_row_is_not_sent_and_the_answer_stays_paid() -> None:
    one = attempt(asks(Purpose.ANSWER), policy="escalate")
    one.heard(said(json.dumps({"reply": REPLY})))
    found = one.put_off(Trouble(meaning=Meaning.NOT_SENT, kind="not in the ledger"))
    assert isinstance(found.ending, Deferred)
    assert calls(found) == [
        ("answer", "done", True, COST),
        ("check", "failed", False, Decimal(0)),
    ]


def test_a_bug_of_ours_is_charged_for_what_may_be_under_way_and_no_more() -> None:
    # Before anything is known of the answer, and between the answer and its check
    first = attempt(asks(Purpose.ANSWER)).failed(ValueError())
    second = attempt(asks(Purpose.ANSWER), policy="escalate")
    second.heard(said(json.dumps({"reply": REPLY})))
    assert calls(first) == [("answer", "lost", True, WORST)]
    assert first.ending == Failed(60, "internal error (ValueError)")
    assert calls(second.failed(ValueError())) == [
        ("answer", "done", True, COST),
        ("check", "lost", True, CHECK_WORST),
    ]


def test_a_person_gets_the_last_reply_that_could_be_used() -> None:
    past = PastAnswer(
        fence=1,
        tier="haiku",
        model="small",
        reasons=("length",),
        decision="climb:opus",
        hint=None,
        output=GOOD,
        simulated=True,
    )
    one = attempt(asks(Purpose.ANSWER, tier="opus"), history=(past,))
    ending = report(one.heard(said("", "refusal"))).ending
    assert isinstance(ending, ToReview)
    assert ending.best is not None
    assert (ending.reason, ending.best.reply, ending.best.fence) == ("refused:unnamed", REPLY, 1)


def test_a_shared_label_that_is_missing_is_asked_for_alone_and_the_shares_add_up() -> None:
    # given
    question = asks(Purpose.CLASSIFY, together=3)
    group = [claimed(question, policy="route", job_id=number) for number in (1, 2, 3)]
    labels = [{"id": 1, "difficulty": "SIMPLE"}, {"id": 3, "difficulty": "COMPLEX"}]
    parts = parts_of(said(json.dumps({"labels": labels})), group)
    # when
    told = [report(attempt(question, policy="route").heard(part)) for part in parts]
    # then
    assert [found.ending.word for found in told] == ["start:haiku", "again", "start:opus"]
    assert told[1].ending == Again({"alone": True})
    assert {call.shared for found in told for call in found.calls} == {3}
    assert sum(call.cost or 0 for found in told for call in found.calls) == COST


@pytest.mark.parametrize(
    ("meaning", "word"),
    [(Meaning.PERMANENT, "again"), (Meaning.TOO_LONG, "again"), (Meaning.OVERLOADED, "defer")],
)
def test_trouble_that_one_message_may_have_made_sends_all_on_alone(
    meaning: Meaning, word: str
) -> None:
    question = asks(Purpose.CLASSIFY, together=2)
    parts = parts_of(trouble(meaning), [claimed(question), claimed(question)])
    assert {report(attempt(question).heard(part)).ending.word for part in parts} == {word}


texts = st.text() | st.just(GOOD) | st.just(json.dumps({"reply": REPLY})) | st.just("HIGH")
heard = st.builds(said, texts, st.sampled_from(["end_turn", "max_tokens", "refusal"])) | st.builds(
    trouble, st.sampled_from(Meaning)
)


@given(
    st.sampled_from(Purpose), st.sampled_from(["ladder", "escalate", "route", "fallback"]),
    st.none() | st.builds(kept, texts), heard, heard,
)  # fmt: skip
def test_whatever_is_heard_a_report_comes_after_two_calls_and_every_call_is_closed_once(
    purpose: Purpose, policy: str, answer: KeptAnswer | None, first: Any, second: Any
) -> None:
    one = attempt(asks(purpose), policy=policy, kept=answer)
    step, asked = one.begin(), 0
    for got in (first, second):
        if isinstance(step, Question):
            step, asked = one.heard(got), asked + 1
    found = report(step)
    purposes = [call.purpose for call in found.calls]
    assert purposes
    assert len(set(purposes)) == len(purposes)
    assert len([call for call in found.calls if call.state is CallState.DONE]) <= asked
    assert found.outcome is not AttemptOutcome.STARTED
