"""Advice: each finding stands on its figures, and turns when they do."""

from dataclasses import replace
from decimal import Decimal

import pytest

from worker.domain.advice import Advice, advise
from worker.domain.advice_facts import Facts, RungFacts
from worker.domain.proof.tier_skip import Climbs, judge_hops
from worker.domain.shadow_advice import Quality

HAIKU = RungFacts(
    tier="haiku",
    tried=1_000,
    accepted=800,
    cost=Decimal(1),
    seconds=Decimal(2),
    next_cost=Decimal("0.02"),
)
SONNET = RungFacts(
    tier="sonnet",
    tried=200,
    accepted=180,
    cost=Decimal(4),
    seconds=Decimal(3),
    next_cost=Decimal("0.05"),
)
OPUS = RungFacts(
    tier="opus", tried=20, accepted=20, cost=Decimal(1), seconds=Decimal(9), next_cost=None
)
UNJUDGED = "; nobody has judged whether they are right (rung audit)"
GOOD = Facts(
    messages=1_000,
    days=1,
    total=Decimal(6),
    all_on_top=Decimal(50),
    rungs=(HAIKU, SONNET, OPUS),
    climbed=200,
    simulated=False,
)


def by_topic(facts: Facts) -> dict[str, Advice]:
    return {one.topic: one for one in advise(facts)}


def test_a_pipeline_that_pays_is_told_so_with_its_figures() -> None:
    assert [(one.topic, one.pays, one.figures) for one in advise(GOOD)] == [
        (
            "saving",
            True,
            "$6.00 against $50.00 all on the top tier, for 1,000 messages",
        ),
        ("rung haiku", True, "80 % of 1,000 messages accepted, 5 % needed to pay" + UNJUDGED),
        ("rung sonnet", True, "90 % of 200 messages accepted, 40 % needed to pay" + UNJUDGED),
    ]


def test_one_that_costs_more_than_the_top_tier_is_told_to_stop() -> None:
    said = by_topic(replace(GOOD, total=Decimal(60)))["saving"]
    assert not said.pays
    assert "costs more" in said.sentence


@pytest.mark.parametrize(
    ("facts", "figures"),
    [
        (
            replace(GOOD, messages=400, climbed=80),
            "400 messages and $44.00 saved a day, over 1 day",
        ),
        (replace(GOOD, days=50), "20 messages and $0.8800 saved a day, over 50 days"),
        (
            replace(GOOD, all_on_top=Decimal("6.50")),
            "1,000 messages and $0.5000 saved a day, over 1 day",
        ),
    ],
)
def test_too_little_volume(facts: Facts, figures: str) -> None:
    said = by_topic(facts)["volume"]
    assert (said.pays, said.figures) == (False, figures)


def test_uniformly_hard_messages() -> None:
    assert "hardness" not in by_topic(replace(GOOD, climbed=500))
    said = by_topic(replace(GOOD, climbed=501))["hardness"]
    assert (said.pays, said.figures) == (False, "50 % of 1,000 messages climbed at least one rung")


def test_shares_of_a_sample_have_an_interval_and_money_is_of_all() -> None:
    said = by_topic(replace(GOOD, messages=500_000, looked_at=1_000, climbed=600))
    hard = "60 % (56.9 % to 63.1 %) of 1,000 messages climbed at least one rung"
    assert said["hardness"].figures == hard
    rung = "80 % (77.4 % to 82.4 %) of 1,000 messages accepted, 5 % needed to pay"
    assert said["rung haiku"].figures == rung + UNJUDGED
    assert said["saving"].figures.endswith("all on the top tier, for 500,000 messages")
    few = replace(GOOD, messages=500_000, looked_at=1_000, climbed=500)
    assert "hardness" not in by_topic(few)


def test_messages_that_end_on_top_however_they_came_there() -> None:
    assert "top" not in by_topic(replace(GOOD, on_top=700))
    said = by_topic(replace(GOOD, on_top=701, climbed=0))["top"]
    assert (said.pays, said.figures) == (False, "70 % of 1,000 messages ended on opus")
    assert "uniformly hard" in said.sentence
    # One rung alone is no pipeline.
    assert "top" not in by_topic(replace(GOOD, on_top=1_000, rungs=(OPUS,)))


def test_a_rung_that_resolves_too_little() -> None:
    weak = replace(SONNET, accepted=80)
    said = by_topic(replace(GOOD, rungs=(HAIKU, weak, OPUS)))["rung sonnet"]
    assert (said.pays, said.figures) == (
        False,
        "40 % of 200 messages accepted, 40 % needed to pay" + UNJUDGED,
    )
    assert "leave it out" in said.sentence


def test_a_rung_that_few_messages_reached_is_not_judged() -> None:
    few = replace(SONNET, tried=99, accepted=1)
    assert "rung sonnet" not in by_topic(replace(GOOD, rungs=(HAIKU, few, OPUS)))


def test_people_who_wait() -> None:
    slow = replace(GOOD, rungs=(replace(HAIKU, seconds=Decimal(8)), SONNET, OPUS))
    said = by_topic(slow)["latency"]
    assert (said.pays, said.figures) == (
        False,
        "20.0 s for all rungs in turn, 9.0 s on the top one alone, waiting in line aside;"
        " 200 of 1,000 messages climbed",
    )
    assert "latency" not in by_topic(replace(slow, climbed=0))


def test_too_few_messages_say_nothing_else() -> None:
    assert [one.topic for one in advise(replace(GOOD, messages=99))] == ["evidence"]


def test_without_a_price_nothing_is_compared() -> None:
    assert "nothing can be compared" in by_topic(replace(GOOD, all_on_top=None))["price"].sentence


def test_quality_stands_beside_cost_where_people_have_judged() -> None:
    said = by_topic(replace(GOOD, quality={"haiku": Quality(95, 100)}))["rung haiku"]
    assert said.figures.endswith("; 95 of 100 judged were right (at least 90 %)")


def test_a_hop_is_judged_by_those_who_climbed_and_segments_that_differ_are_named() -> None:
    hops = judge_hops({"easy": Climbs(200, 190), "hard": Climbs(200, 20)}, 0.004, 0.01)
    rung = replace(SONNET, hops=hops)
    said = by_topic(replace(GOOD, rungs=(HAIKU, rung, OPUS)))
    assert said["rung sonnet"].pays
    assert "of 400 that climbed accepted, 40 % needed to pay" in said["rung sonnet"].figures
    assert not said["rung sonnet for hard"].pays
    assert "rung sonnet for easy" not in said
