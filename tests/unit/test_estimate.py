"""What a backlog will probably cost, on ladders of every length that there may be."""

from dataclasses import replace
from decimal import Decimal

import pytest

from models.vocabulary import Stage
from tests.support.attempts import claimed
from worker.claude.planner import Planner
from worker.claude.prompts import load_prompts
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.claimed import Question
from worker.domain.ladder import MAX_RUNGS
from worker.domain.lengths import Lengths
from worker.domain.messages import MessageText
from worker.domain.prompts import RequestKind
from worker.runs.estimate import by_length, unreachable, unreachable_words
from worker.runs.estimator import BacklogEstimator, shares_of


@pytest.mark.parametrize("rungs", range(1, MAX_RUNGS + 1))
def test_every_rung_has_a_part_and_all_of_them_make_the_whole(rungs: int) -> None:
    shares = shares_of(rungs)
    assert (len(shares), sum(shares)) == (rungs, 1)
    assert min(shares) > 0
    assert shares == sorted(shares, reverse=True)


def test_the_usual_ladders() -> None:
    assert shares_of(3) == [Decimal("0.75"), Decimal("0.2"), Decimal("0.05")]
    assert shares_of(2) == [Decimal("0.8"), Decimal("0.2")]


def lengths(*bodies: str) -> Lengths:
    counted = Lengths()
    for body in bodies:
        counted.add(body)
    return counted


def test_what_messages_cost_goes_by_their_length() -> None:
    # given two short ones and one of the longest that there may be
    settings = Settings()
    coming = lengths("Where is my card?", "é" * 1_000, "a" * 195_000)
    # when
    expected, (short, longest) = by_length(settings, policy_named(settings), coming)
    # then
    assert [(one.up_to, one.messages) for one in (short, longest)] == [(1_000, 2), (None, 1)]
    assert expected.total == short.cost + longest.cost
    assert [line.jobs for line in expected.tiers] == [3, 0, 0]
    # the long one is kept from the dearest tier, and costs at most the bound
    assert (short.withheld_at, longest.withheld_at) == (None, "opus")
    assert 0 < longest.cost <= longest.climbing < settings.policy.max_cost_per_message
    # a short one may climb to the top: each answer of it, and its label
    assert short.climbing > 20 * short.cost / short.messages


def test_without_a_bound_the_longest_climbs_too() -> None:
    free = Settings.model_validate({"policy": {"max_cost_per_message": 0}})
    _, (one,) = by_length(free, policy_named(free), lengths("a" * 195_000))
    assert one.withheld_at is None
    assert one.climbing > Decimal("0.30")


def test_a_backlog_without_messages_costs_nothing() -> None:
    expected, classes = by_length(Settings(), policy_named(Settings()), Lengths())
    assert (expected.total, classes) == (0, [])


def test_a_tier_that_no_message_can_reach_is_named() -> None:
    small = Settings.model_validate({"policy": {"max_cost_per_message": "0.10"}})
    found = unreachable(small, policy_named(small))
    assert list(found) == ["opus"]
    assert unreachable_words(small, found).startswith(
        "a message may cost $0.1000, and one answer could cost more: opus $0."
    )
    assert unreachable(Settings(), policy_named(Settings())) == {}


def test_the_worst_case_is_no_less_than_what_is_reserved() -> None:
    # given
    settings, body = Settings(), "Where is my card? It was due on Monday."
    for name in ("ladder", "escalate"):
        policy = policy_named(settings, name)
        for tier in settings.tiers:
            candidate = replace(claimed(None, tier=tier).candidate, policy=policy)
            # when
            plan = Planner.of(settings, load_prompts(None))(candidate)
            # then
            assert isinstance(plan, Question)
            worst = BacklogEstimator(settings, policy).worst(tier, len(body))
            assert worst == pytest.approx(plan.reserved, rel=Decimal("0.1"))


def test_prompts_that_were_counted_cost_what_was_counted_and_are_reserved_so() -> None:
    # given
    settings, policy = Settings(), policy_named(Settings(), "ladder")
    body = "Where is my card? It was due on Monday."
    candidate = replace(claimed(None, tier="opus").candidate, policy=policy)
    planner = Planner.of(settings, load_prompts(None))
    first = planner(candidate)
    assert isinstance(first, Question)
    kind = RequestKind(
        purpose=first.purpose,
        model=first.model,
        prompt_version=first.prompt_version,
        schema_version=first.schema_version,
    )
    planner.counted.note(kind, 900, simulated=False)
    counted = {(kind.purpose, kind.model, kind.prompt_version): 900}
    # when
    plan = planner(candidate)
    by_bytes, known = (BacklogEstimator(settings, policy, None, tokens) for tokens in ({}, counted))
    # then
    assert isinstance(plan, Question)
    assert known.worst("opus", len(body)) == pytest.approx(plan.reserved, rel=Decimal("0.1"))
    assert known.worst("opus", len(body)) < by_bytes.worst("opus", len(body))
    assert known.backlog(100, 4_000).total < by_bytes.backlog(100, 4_000).total
    assert "where they did" in known.backlog(1, 40).assumption
    assert "counted" not in by_bytes.backlog(1, 40).assumption


def test_a_question_knows_how_much_is_said_in_it() -> None:
    # given what is asked about a short message and about one that is 7,000 bytes longer
    planner = Planner.of(Settings(), load_prompts(None))
    for stage in Stage:
        plans = [
            planner(replace(claimed(None).candidate, stage=stage, message=MessageText(body=body)))
            for body in ("Where is my card?", "Where is my card? " + "é" * 3_500)
        ]
        # then
        short, long = (plan for plan in plans if isinstance(plan, Question))
        assert short.said > len("Where is my card?")
        assert 7_000 <= long.said - short.said <= 7_001
