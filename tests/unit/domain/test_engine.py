"""The engine: whatever a model says, a job ends, the tier only rises, and attempts are bounded."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import AttemptOutcome
from worker.domain.answers import (
    ModelAnswer,
    parse_object,
    read_check,
    read_confidence,
    read_difficulty,
)
from worker.domain.endings import Accepted, Again, ClimbTo, ToReview
from worker.domain.judgement import Judgement, NeedsCheck, judge
from worker.domain.ladder import Ladder
from worker.domain.messages import MessageText
from worker.domain.next_step import PastAttempt, decide
from worker.domain.policy import Policy
from worker.domain.policy_documents import from_document, to_document, version_of
from worker.domain.presets import PRESETS, preset

LADDER = Ladder(("haiku", "sonnet", "opus"))
MESSAGE = MessageText(body="Where is my card? It was due on Monday.")
GOOD_REPLY = "Your card was sent on Monday and arrives within five working days."
STOPS = ("end_turn", "stop_sequence", "max_tokens", "refusal", "tool_use", "pause_turn")
STOPS += ("model_context_window_exceeded", "a_new_word")

answers = st.builds(
    ModelAnswer,
    text=st.one_of(
        st.text(),
        st.binary().map(lambda raw: raw.decode("utf-8", "replace")),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ).map(lambda value: json.dumps(value)),
        st.fixed_dictionaries(
            {"reply": st.text() | st.just(GOOD_REPLY)},
            optional={"confidence": st.none() | st.floats() | st.text(), "grounds": st.text()},
        ).map(json.dumps),
    ),
    stop_reason=st.sampled_from(STOPS) | st.none(),
    category=st.none() | st.sampled_from(["cyber", "bio"]),
)
policies = st.sampled_from(
    [preset(name, LADDER) for name in (*PRESETS, "single:haiku", "single:opus")]
)


def answer(**fields: Any) -> ModelAnswer:
    """A structured answer that would be accepted, but for what a test changes."""
    document = {"reply": GOOD_REPLY, "grounds": "the knowledge says so", "confidence": 0.9}
    return ModelAnswer(json.dumps({**document, **fields}))


def plain(reply: str = GOOD_REPLY) -> ModelAnswer:
    """An answer to the schema without a confidence of its own."""
    return ModelAnswer(json.dumps({"reply": reply}))


def judged(policy: Policy, said: ModelAnswer, tier: str = "haiku") -> Judgement:
    found = judge(policy, tier, MESSAGE, said)
    assert isinstance(found, Judgement)
    return found


@given(policies, answers, st.none() | answers)
def test_any_bytes_lead_to_a_defined_outcome(
    policy: Policy, said: ModelAnswer, check: ModelAnswer | None
) -> None:
    tier = policy.ladder[0]
    found = judge(policy, tier, MESSAGE, said, check)
    if isinstance(found, NeedsCheck):
        found = judge(policy, tier, MESSAGE, said, check or ModelAnswer(""))
    assert isinstance(found, Judgement)
    assert found.accepted == (found.outcome is AttemptOutcome.ACCEPTED)
    assert found.accepted != bool(found.reasons)
    if found.accepted:
        assert found.reply is not None
        assert found.reply.strip()
        assert said.stop_reason in ("end_turn", "stop_sequence")


@given(policies, st.lists(answers, min_size=1, max_size=30), st.booleans())
def test_a_job_ends_and_its_tier_only_rises(
    policy: Policy, said: list[ModelAnswer], critical: bool
) -> None:
    tier, history, attempts = policy.ladder[0], list[PastAttempt](), 0
    while True:
        attempts += 1
        one = said[attempts % len(said)]
        found = judge(policy, tier, MESSAGE, one, one)
        assert isinstance(found, Judgement)
        rule = "a rule" if critical else None
        decision = decide(policy, tier, found, history, critical=rule)
        match decision:
            case Accepted() | ToReview():
                break
            case ClimbTo(tier=to):
                assert policy.rungs.rung(to) > policy.rungs.rung(tier)
                history.append(PastAttempt(tier, found.reasons))
                tier = to
            case Again():
                history.append(PastAttempt(tier, found.reasons))
    assert attempts <= policy.climb.max_attempts


@given(policies)
def test_a_policy_survives_its_document(policy: Policy) -> None:
    document = json.loads(json.dumps(to_document(policy)))
    assert from_document(document) == policy
    assert version_of(from_document(document)) == version_of(policy)


def test_each_outcome_has_its_word() -> None:
    ladder = preset("ladder", LADDER)
    cases = {
        "accepted": answer(),
        "refused": ModelAnswer("", "refusal", "bio"),
        "truncated": ModelAnswer('{"reply": "half', "max_tokens"),
        "empty": ModelAnswer("   "),
        "malformed": ModelAnswer("I would say that your card is on its way."),
        "rejected": answer(confidence=0.3),
    }
    found = {word: judged(ladder, said) for word, said in cases.items()}
    assert {word: judgement.outcome.value for word, judgement in found.items()} == {
        word: word for word in cases
    }
    assert found["refused"].reasons == ("refused:bio",)
    assert found["rejected"].reasons == ("low_confidence",)


def test_missing_or_unreadable_confidence_is_low() -> None:
    ladder = preset("ladder", LADDER)
    for unreadable in (None, "very", 7, -1, True, "NaN", "1e999", [0.9]):
        found = judged(ladder, answer(confidence=unreadable))
        assert "low_confidence" in found.reasons
        assert found.confidence is None


def test_an_unknown_stop_reason_is_never_accepted() -> None:
    said = ModelAnswer(answer().text, "a_new_word")
    assert judged(preset("ladder", LADDER), said).reasons == ("malformed:stop_reason a_new_word",)


def test_thresholds_are_those_of_the_tier() -> None:
    document = to_document(preset("ladder", LADDER))
    document["accept"]["thresholds"] = {"opus": "0.5"}
    policy, said = from_document(document), answer(confidence=0.6)
    assert judged(policy, said, "haiku").reasons == ("low_confidence",)
    assert judged(policy, said, "opus").accepted
    assert judged(policy, said, "opus").threshold == Decimal("0.5")


def test_low_confidence_climbs_one_rung_and_critical_ones_to_the_top() -> None:
    escalate = preset("escalate", LADDER)
    low = judge(escalate, "haiku", MESSAGE, plain(), ModelAnswer('{"confidence": "low"}'))
    assert isinstance(low, Judgement)
    assert decide(escalate, "haiku", low) == ClimbTo(tier="sonnet", rung=1, reason="low_confidence")
    assert decide(escalate, "haiku", low, critical="a rule") == ClimbTo(
        tier="opus",
        rung=2,
        reason="low_confidence",
        detail="low_confidence; critical by rule: a rule",
    )


def test_the_separate_check_is_asked_only_when_all_else_passes() -> None:
    escalate = preset("escalate", LADDER)
    assert isinstance(judge(escalate, "haiku", MESSAGE, plain()), NeedsCheck)
    placeholder = judge(escalate, "haiku", MESSAGE, plain("Dear [your name], " + GOOD_REPLY))
    assert isinstance(placeholder, Judgement)
    assert placeholder.reasons == ("placeholder",)


def test_a_broken_answer_is_asked_again_once_with_its_findings_told() -> None:
    ladder = preset("ladder", LADDER)
    broken = judged(ladder, answer(grounds=7))
    assert broken.reasons == ("schema",)
    first = decide(ladder, "haiku", broken)
    assert isinstance(first, Again)
    assert first.hint == {"findings": ["schema: grounds breaks the schema's type rule"]}
    again = decide(ladder, "haiku", broken, (PastAttempt("haiku", ("schema",)),))
    assert again == ClimbTo(tier="sonnet", rung=1, reason="schema")


def test_truncation_gets_more_room_once() -> None:
    ladder = preset("ladder", LADDER)
    cut = judged(ladder, ModelAnswer('{"reply": "half', "max_tokens"))
    assert decide(ladder, "haiku", cut) == Again({"max_tokens_factor": 2})


def test_refusals_can_go_by_category() -> None:
    document = to_document(preset("ladder", LADDER))
    document["climb"]["by_reason"] |= {"refused:bio": "person", "refused": "top"}
    policy = from_document(document)
    bio = judged(policy, ModelAnswer("", "refusal", "bio"))
    cyber = judged(policy, ModelAnswer("", "refusal", "cyber"))
    assert decide(policy, "haiku", bio) == ToReview("refused:bio")
    assert decide(policy, "haiku", cyber) == ClimbTo(tier="opus", rung=2, reason="refused:cyber")


def test_at_the_top_a_person_takes_over() -> None:
    fallback = preset("fallback", LADDER)
    bad = judged(fallback, plain("short"), "opus")
    assert decide(fallback, "opus", bad) == ToReview("length")


def test_route_answers_once() -> None:
    route = preset("route", LADDER)
    assert decide(route, "haiku", judged(route, plain("short"))) == ToReview("length")


def test_labels_are_read_in_any_case_and_markup() -> None:
    labels = {
        '{"difficulty": "SIMPLE"}': "SIMPLE",
        '{"difficulty": "moderate"}': "MODERATE",
        "**Complex**.": "COMPLEX",
        '```json\n{"difficulty": "simple"}\n```': "SIMPLE",
        "The label is: simple": "SIMPLE",
        "SIMPLE or COMPLEX": None,
        "easy": None,
        "": None,
    }
    assert {text: read_difficulty(ModelAnswer(text)) for text in labels} == labels


@given(st.text())
def test_reading_never_raises(text: str) -> None:
    read_difficulty(ModelAnswer(text))
    read_check(ModelAnswer(text))
    read_confidence(text)
    parse_object(text)


def test_deep_json_is_malformed_and_not_a_crash() -> None:
    assert parse_object("[" * 100_000) is None
    assert parse_object('{"reply": ' + "[" * 100_000) is None
