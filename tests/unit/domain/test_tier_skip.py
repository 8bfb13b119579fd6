"""Whether a hop pays: by those who climbed, with regret."""

import random

import pytest

from worker.domain.proof.tier_skip import Climbs, judge_hop, judge_hops

COST, ABOVE = 0.0049, 0.0098


@pytest.mark.parametrize(("accepted", "pays"), [(700, True), (300, False)])
def test_the_hop_pays_when_enough_stop_there(accepted: int, pays: bool) -> None:
    hop = judge_hop("", Climbs(1_000, accepted), COST, ABOVE, 0.5)
    assert (hop.pays, hop.sure, hop.needed) == (pays, True, pytest.approx(0.5))
    assert hop.regret == 0.0


def test_few_climbs_are_not_sure_and_say_what_it_may_cost() -> None:
    hop = judge_hop("", Climbs(10, 6), COST, ABOVE, 0.5)
    assert not hop.sure
    assert hop.low < 0 < hop.high
    assert 0 < hop.regret <= COST


def test_a_small_segment_is_drawn_towards_the_whole() -> None:
    hops = judge_hops({"big": Climbs(1_000, 800), "small": Climbs(2, 0)}, COST, ABOVE)
    small = next(hop for hop in hops if hop.segment == "small")
    assert 0.6 < small.share < 0.8
    assert hops[0].segment == ""
    assert hops[0].climbs == Climbs(1_002, 800)


def test_the_regret_against_always_knowing_is_small() -> None:
    """300 climbs in four segments: below 1 % of the bill on average."""
    chance, regrets = random.Random(4), []
    for _ in range(200):
        truth = {f"{n}": chance.uniform(0.2, 0.9) for n in range(4)}
        seen = {
            name: Climbs(75, sum(chance.random() < p for _ in range(75)))
            for name, p in truth.items()
        }
        paid = best = 0.0
        for hop in judge_hops(seen, COST, ABOVE)[1:]:
            p = truth[hop.segment]
            through = COST + (1 - p) * ABOVE
            paid += through if hop.pays else ABOVE
            best += min(through, ABOVE)
        regrets.append(paid / best - 1)
    assert sum(regrets) / len(regrets) <= 0.01
    assert sorted(regrets)[int(0.95 * len(regrets))] <= 0.02


def test_nothing_recorded_pays_nothing_for_sure() -> None:
    assert not judge_hops({}, COST, ABOVE)[0].sure
