"""Where a message starts: rules in order, then the policy."""

import time

import pytest

from worker.domain.first_tier import AskDifficulty, Decided, critical_by, decide_start, holds
from worker.domain.ladder import Ladder
from worker.domain.messages import MessageText
from worker.domain.policy import Policy, Rule, Start, complaints
from worker.domain.presets import preset

LADDER = ("haiku", "sonnet", "opus")


def policy(*rules: Rule, otherwise: str = "classify") -> Policy:
    return Policy(name="own", ladder=LADDER, start=Start(otherwise=otherwise, rules=rules))


def message(body: str = "Where is my card?", **fields: object) -> MessageText:
    return MessageText(body=body, **fields)  # type: ignore[arg-type]


def test_without_a_rule_the_message_is_classified() -> None:
    assert decide_start(policy(), message()) == AskDifficulty()


def test_or_it_starts_at_the_fixed_tier() -> None:
    assert decide_start(policy(otherwise="sonnet"), message()) == Decided("sonnet")


def test_the_first_rule_that_holds_decides_and_is_named() -> None:
    rules = (
        Rule(name="long", tier="opus", min_chars=500),
        Rule(name="cards", tier="haiku", keywords=("card",)),
        Rule(name="everything", tier="sonnet"),
    )
    assert decide_start(policy(*rules), message()) == Decided("haiku", rule="cards")
    assert decide_start(policy(*rules), message("cardboard")) == Decided(
        "sonnet", rule="everything"
    )


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        (Rule(name="r", tier="opus", channels=("phone",)), {"channel": "phone"}),
        (Rule(name="r", tier="opus", languages=("ar",)), {"language": "ar"}),
        (Rule(name="r", tier="opus", customers=("c1",)), {"customer_id": "c1"}),
        (Rule(name="r", tier="opus", metadata={"plan": "gold"}), {"attributes": {"plan": "gold"}}),
        (Rule(name="r", tier="opus", pattern=r"(?i)\bCARD\b"), {}),
        (Rule(name="r", tier="opus", max_chars=17), {}),
    ],
)
def test_each_condition_decides(rule: Rule, fields: dict[str, object]) -> None:
    assert decide_start(policy(rule), message(**fields)) == Decided("opus", rule="r")
    other = {"channel": "email", "language": "en", "customer_id": "c2", "attributes": {}}
    assert decide_start(policy(rule), message("What do you charge abroad?", **other)) == (
        AskDifficulty()
    )


@pytest.mark.parametrize(
    ("rule", "fields", "is_held"),
    [
        (Rule(name="r", tier="opus", channels=("Phone",)), {"channel": "phone"}, True),
        (Rule(name="r", tier="opus", languages=("pt",)), {"language": "pt-BR"}, True),
        (Rule(name="r", tier="opus", languages=("pt-BR",)), {"language": "pt"}, False),
        (Rule(name="r", tier="opus", languages=("en",)), {"language": "enx"}, False),
        (
            Rule(name="r", tier="opus", metadata={"vip": True}),
            {"attributes": {"vip": "true"}},
            True,
        ),
        (
            Rule(name="r", tier="opus", metadata={"vip": "true"}),
            {"attributes": {"vip": True}},
            True,
        ),
        (Rule(name="r", tier="opus", metadata={"level": 3}), {"attributes": {"level": 3}}, True),
        (Rule(name="r", tier="opus", metadata={"plan": "None"}), {"attributes": {}}, False),
        (Rule(name="r", tier="opus", min_chars=18), {}, False),
        (Rule(name="r", tier="opus", min_chars=17), {}, True),
        (Rule(name="r", tier="opus", keywords=("c++",)), {"subject": "I write C++."}, True),
        (Rule(name="r", tier="opus", keywords=("card",), channels=("phone",)), {}, False),
    ],
)
def test_conditions_mean_what_a_person_would_think(
    rule: Rule, fields: dict[str, object], is_held: bool
) -> None:
    assert holds(rule, message(**fields)) is is_held


def test_a_critical_rule_marks_and_does_not_decide() -> None:
    marked = policy(Rule(name="gold", critical=True, metadata={"plan": "gold"}))
    gold = message(attributes={"plan": "gold"})
    assert decide_start(marked, gold) == AskDifficulty()
    assert critical_by(marked, gold)
    assert not critical_by(marked, message())


def test_a_pattern_that_explodes_is_given_up() -> None:
    evil = policy(Rule(name="evil", tier="opus", pattern=r"(a+)+$"))
    started = time.monotonic()
    assert decide_start(evil, message("a" * 5_000 + "b")) == AskDifficulty()
    assert time.monotonic() - started < 5


def test_complaints_are_sentences() -> None:
    own = Policy(
        name="own", ladder=LADDER, start=Start(otherwise="titan", rules=(Rule(name="idle"),))
    )
    assert complaints(own) == [
        "policy 'own': start.otherwise is 'titan'; it must be classify or one of haiku, sonnet,"
        " opus.",
        "policy 'own': rule 'idle' decides nothing; give it a tier, or critical = true.",
    ]


def test_difficulties_find_their_tier_on_any_ladder() -> None:
    for names in (("a", "b"), LADDER, ("a", "b", "c", "d", "e")):
        found = preset("ladder", Ladder(names))
        assert found.tier_for("SIMPLE") == names[0]
        assert found.tier_for("COMPLEX") == names[-1]
        assert found.tier_for(None) == found.tier_for("MODERATE") == names[len(names) // 2]
