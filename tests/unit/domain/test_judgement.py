"""What an answer is worth, guard by guard."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from models.vocabulary import AttemptOutcome
from worker.domain.answers import (
    MAX_ANSWER_CHARS,
    MAX_INTEGER,
    ModelAnswer,
    parse_object,
    read_check,
    read_confidence,
    read_difficulty,
)
from worker.domain.in_force import UNCERTIFIED, InForce
from worker.domain.judgement import LOW_CONFIDENCE, Judgement, NeedsCheck, judge
from worker.domain.ladder import Ladder
from worker.domain.messages import MessageText
from worker.domain.policy import Accept, Policy, ValidatorUse
from worker.domain.presets import preset
from worker.domain.validation import Draft, Finding

MESSAGE = MessageText(body="Where is my card?")
REPLY = "Your card was sent on Monday and arrives within five working days."
HIGH, LOW = ModelAnswer("HIGH"), ModelAnswer("LOW")


def complains(draft: Draft, _: object) -> str:
    """A validator that dislikes every answer."""
    return "it is as it is"


def policy(mode: str = "inline", severity: str | None = None, **accept: Any) -> Policy:
    """A policy with one validator, if any, of this severity."""
    used = (ValidatorUse("own", severity),) if severity else ()  # type: ignore[arg-type]
    made = Accept(validators=used, confidence=mode, **accept)  # type: ignore[arg-type]
    return replace(preset("ladder", Ladder(("haiku", "opus"))), accept=made)


def said(confidence: Any = 0.9, reply: Any = REPLY, **fields: Any) -> ModelAnswer:
    return ModelAnswer(json.dumps({"reply": reply, "confidence": confidence, **fields}))


def found(
    one: Policy, answer: ModelAnswer, check: ModelAnswer | None = None
) -> Judgement | NeedsCheck:
    return judge(one, "haiku", MESSAGE, answer, check, validators={"own": complains})


def judged(one: Policy, answer: ModelAnswer, check: ModelAnswer | None = None) -> Judgement:
    made = found(one, answer, check)
    assert isinstance(made, Judgement)
    return made


def test_a_validator_that_only_warns_rejects_nothing() -> None:
    made = judged(policy(severity="warn"), said())
    assert (made.accepted, made.reasons) == (True, ())
    assert [finding.validator for finding in made.findings] == ["own"]


def test_what_is_rejected_is_not_checked_and_names_every_reason() -> None:
    made = judged(policy("separate", "reject"), said())
    assert (made.reasons, made.confidence) == (("own",), None)
    made = judged(policy("inline", "reject"), said(0.1))
    assert made.reasons == ("own", LOW_CONFIDENCE)


def test_a_separate_check_is_asked_for_once() -> None:
    assert found(policy("separate"), said()) == NeedsCheck(REPLY)
    assert judged(policy("separate"), said(), HIGH).accepted
    assert judged(policy("separate"), said(), LOW).reasons == (LOW_CONFIDENCE,)
    assert judged(policy("separate", "reject"), said(), LOW).reasons == ("own",)


def test_the_threshold_itself_is_enough_and_there_is_none_where_none_is_asked_for() -> None:
    one = policy(threshold=Decimal("0.8"), thresholds={"haiku": Decimal("0.9")})
    assert judged(one, said(0.9)).accepted
    assert judged(one, said(0.89)).reasons == (LOW_CONFIDENCE,)
    assert judged(one, said(0.9)).threshold == Decimal("0.9")
    assert judged(policy("off"), said(0.1)).threshold is None


def test_reply_and_confidence_are_no_fields() -> None:
    assert judged(policy(), said(order=7)).fields == {"order": 7}


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (said(reply="\u200b"), AttemptOutcome.EMPTY, "empty"),
        (ModelAnswer(" \n"), AttemptOutcome.EMPTY, "empty"),
        (said(reply=7), AttemptOutcome.MALFORMED, "malformed"),
        (ModelAnswer("x", "model_context_window_exceeded"), AttemptOutcome.TRUNCATED, "too_long"),
        (ModelAnswer("x", "max_tokens"), AttemptOutcome.TRUNCATED, "truncated"),
        (ModelAnswer("x", "refusal", "bio"), AttemptOutcome.REFUSED, "refused:bio"),
        (ModelAnswer("x", "refusal"), AttemptOutcome.REFUSED, "refused:unnamed"),
        (
            ModelAnswer(REPLY, "w" * 99),
            AttemptOutcome.MALFORMED,
            f"malformed:stop_reason {'w' * 40}",
        ),
    ],
)
def test_what_cannot_be_used_says_why(
    answer: ModelAnswer, outcome: AttemptOutcome, reason: str
) -> None:
    made = judged(policy(), answer)
    assert (made.outcome, made.reasons) == (outcome, (reason,))


def test_a_certificate_asks_for_more_and_hides_no_other_reason() -> None:
    held = InForce(
        number=3,
        tier="haiku",
        threshold=Decimal("0.95"),
        fallback=None,
        scorer=None,
        segment_by="channel",
        key={},
    )
    one = policy(threshold=Decimal("0.8"), in_force=held)
    assert judged(one, said(0.9)).reasons == (UNCERTIFIED,)
    assert judged(one, said(0.95)).accepted
    assert judged(one, said(0.5)).reasons == (LOW_CONFIDENCE,)


def test_labels_and_checks_that_were_cut_short_say_nothing() -> None:
    assert read_difficulty(ModelAnswer("SIMPLE", "max_tokens")) is None
    assert read_difficulty(ModelAnswer("SIMPLE")) == "SIMPLE"
    assert read_difficulty(ModelAnswer("SIMPLE or COMPLEX")) is None
    assert read_check(ModelAnswer("HIGH", "max_tokens")) is None
    assert read_check(ModelAnswer("HIGH, or LOW")) is None
    assert read_check(ModelAnswer('{"confidence": "*LOW*"}')) == 0


@pytest.mark.parametrize("value", ["nan", "sNaN", "inf", 1.01, -0.01, "1e9", "sure", True, [1]])
def test_a_confidence_that_is_none_is_unreadable(value: Any) -> None:
    assert read_confidence(value) is None


@pytest.mark.parametrize(
    ("value", "number"), [("high", 1), ("`LOW`.", 0), (0.123456, "0.1235"), (1, 1), (0, 0)]
)
def test_a_confidence_is_a_word_or_a_number_to_four_places(value: Any, number: Any) -> None:
    assert str(read_confidence(value)) in (str(Decimal(number)), f"{Decimal(number):.4f}")


def test_an_answer_beyond_every_size_is_not_read() -> None:
    document = {"reply": "x" * MAX_ANSWER_CHARS}
    assert parse_object(json.dumps(document)) is None
    assert parse_object(json.dumps({"reply": -MAX_INTEGER})) is None
    assert parse_object(json.dumps({"reply": 1 - MAX_INTEGER})) == {"reply": 1 - MAX_INTEGER}


def test_only_a_closed_fence_is_taken_off() -> None:
    assert parse_object('```\n{"a": 1} x\n') is None
    assert parse_object('```\n{"reply": "cut`}') is None


def test_findings_keep_their_order() -> None:
    made = judged(policy(severity="reject"), said())
    assert made.findings == (Finding("own", "reject", "it is as it is"),)
