"""Where each reason leads, on ladders of every height, and that it ends."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import AttemptOutcome
from worker.domain.endings import Again, ClimbTo, Ending, ToReview
from worker.domain.judgement import Judgement, too_long
from worker.domain.ladder import Ladder
from worker.domain.next_step import PastAttempt, decide
from worker.domain.policy import STEPS, Policy
from worker.domain.policy_documents import from_document, to_document
from worker.domain.presets import PRESETS, preset
from worker.domain.validation import Finding

NAMES = ("mini", "small", "medium", "large", "huge")
LADDER = Ladder(("haiku", "sonnet", "opus"))


def failed(*reasons: str, outcome: AttemptOutcome = AttemptOutcome.REJECTED) -> Judgement:
    found = tuple(Finding(reason, "reject", "what was found") for reason in reasons)
    return Judgement(outcome=outcome, reasons=reasons, reply="A reply.", findings=found)


def policy(height: int = 3, **climb: Any) -> Policy:
    names = NAMES[:height] if height != 3 else LADDER.names
    document = to_document(preset("ladder", Ladder(names)))
    document["climb"] |= climb
    return from_document(document)


def walk(of: Policy, reason: str, *, critical: bool = False) -> list[str]:
    """The tiers of a job that fails for `reason` wherever it is, and what became of it."""
    tier, history, path = of.rungs.bottom, list[PastAttempt](), list[str]()
    while True:
        path.append(tier)
        rule = "a rule" if critical else None
        step: Ending = decide(of, tier, failed(reason), history, critical=rule)
        history.append(PastAttempt(tier, (reason,)))
        if isinstance(step, ToReview):
            return [*path, "person"]
        if isinstance(step, ClimbTo):
            tier = step.tier


@pytest.mark.parametrize("height", [2, 3, 4, 5])
@pytest.mark.parametrize("name", PRESETS)
def test_a_ladder_of_any_height_is_climbed_rung_by_rung(name: str, height: int) -> None:
    names = NAMES[:height]
    found = walk(preset(name, Ladder(names)), "low_confidence")
    assert found == ([names[0], "person"] if name == "route" else [*names, "person"])


@pytest.mark.parametrize("height", [2, 3, 4, 5])
def test_critical_messages_skip_the_middle_of_any_ladder(height: int) -> None:
    names = NAMES[:height]
    escalate = preset("escalate", Ladder(names))
    assert walk(escalate, "low_confidence", critical=True) == [names[0], names[-1], "person"]
    # Only low confidence does: a placeholder is no graver for being a gold customer's.
    assert walk(escalate, "placeholder", critical=True)[:2] == list(names[:2])


@pytest.mark.parametrize(
    ("reason", "path"),
    [
        ("schema", ["haiku", "haiku", "sonnet", "sonnet", "opus", "opus", "person"]),
        ("malformed", ["haiku", "haiku", "sonnet", "sonnet", "opus", "opus", "person"]),
        ("truncated", ["haiku", "haiku", "sonnet", "sonnet", "opus", "opus", "person"]),
        ("too_long", ["haiku", "sonnet", "opus", "person"]),
        ("low_confidence", ["haiku", "sonnet", "opus", "person"]),
        ("refused:cyber", ["haiku", "sonnet", "opus", "person"]),
        ("my_own_validator", ["haiku", "sonnet", "opus", "person"]),
    ],
)
def test_by_default_each_reason_goes_its_way(reason: str, path: list[str]) -> None:
    assert walk(policy(), reason) == path


@pytest.mark.parametrize(
    ("by_reason", "reason", "path"),
    [
        ({"refused": "person"}, "refused:bio", ["haiku", "person"]),
        ({"refused": "person", "refused:cyber": "next"}, "refused:cyber", ["haiku", "sonnet"]),
        ({"refused:bio": "top"}, "refused:bio", ["haiku", "opus"]),
        ({"too_long": "opus"}, "too_long", ["haiku", "opus", "person"]),
        ({"low_confidence": "again"}, "low_confidence", ["haiku", "haiku", "sonnet"]),
        ({"promises": "sonnet"}, "promises", ["haiku", "sonnet", "person"]),
    ],
)
def test_a_policy_sends_reasons_where_it_likes(
    by_reason: dict[str, str], reason: str, path: list[str]
) -> None:
    assert walk(policy(by_reason=by_reason), reason)[: len(path)] == path


def test_a_schema_failure_is_told_what_was_found() -> None:
    step = decide(policy(), "haiku", failed("schema", "length"))
    told = {"findings": ["schema: what was found", "length: what was found"]}
    assert step == Again(told)


def test_a_second_reason_has_its_own_second_chance() -> None:
    history = (PastAttempt("haiku", ("schema",)),)
    cut = failed("truncated", outcome=AttemptOutcome.TRUNCATED)
    assert decide(policy(), "haiku", cut, history) == Again({"max_tokens_factor": 2})
    assert decide(policy(), "haiku", failed("schema"), history) == ClimbTo(
        tier="sonnet", rung=1, reason="schema"
    )


def test_too_long_for_a_context_goes_up() -> None:
    assert decide(policy(), "haiku", too_long()) == ClimbTo(
        tier="sonnet", rung=1, reason="too_long"
    )


@pytest.mark.parametrize("allowed", [1, 2, 4, 20])
def test_no_more_attempts_than_the_policy_allows(allowed: int) -> None:
    path = walk(policy(5, max_attempts=allowed), "schema")
    assert len(path) - 1 == min(allowed, 10)
    assert path[-1] == "person"


steps = st.sampled_from([*STEPS, *LADDER.names])
reasons = st.sampled_from(["schema", "truncated", "refused:bio", "low_confidence", "length"])


@given(
    steps, st.dictionaries(reasons | st.just("refused"), steps), st.none() | steps,
    st.integers(1, 20), st.lists(reasons, min_size=1, max_size=30), st.booleans(),
)  # fmt: skip
def test_whatever_a_policy_says_the_tier_rises_and_it_ends(
    otherwise: str,
    by_reason: dict[str, str],
    critical_step: str | None,
    allowed: int,
    failing: list[str],
    critical: bool,
) -> None:
    of = policy(
        otherwise=otherwise,
        by_reason=by_reason,
        critical_low_confidence=critical_step,
        max_attempts=allowed,
    )
    tier, history = "haiku", list[PastAttempt]()
    for reason in failing * 20:
        rule = "a rule" if critical else None
        step = decide(of, tier, failed(reason), history, critical=rule)
        history.append(PastAttempt(tier, (reason,)))
        if isinstance(step, ClimbTo):
            assert of.rungs.rung(step.tier) > of.rungs.rung(tier)
            tier = step.tier
        if isinstance(step, ToReview):
            break
    assert isinstance(step, ToReview)
    assert len(history) <= allowed
