"""What shadows add to advice."""

import pytest

from worker.domain.proof.tier_skip import Climbs, judge_hops
from worker.domain.shadow_advice import (
    FEW_SHADOWS,
    LowerStart,
    Quality,
    ShadowFacts,
    lower_starts,
    tier_quality,
)


def started(**segments: Climbs) -> ShadowFacts:
    """What started at sonnet, a dollar an answer, where haiku takes ten cents."""
    hops = judge_hops(segments, 0.1, 1.0)
    return ShadowFacts(lower=[LowerStart(start="sonnet", below="haiku", hops=hops)])


def test_what_haiku_would_mostly_have_answered_starts_there() -> None:
    ((topic, sentence, figures),) = lower_starts(started(MODERATE=Climbs(100, 60)))
    assert (topic, sentence) == ("start haiku for sonnet", "Start what starts at sonnet at haiku.")
    assert figures.startswith("60 % of 100 shadows would have been accepted there, 10 % needed")


@pytest.mark.parametrize("climbs", [Climbs(100, 2), Climbs(100, 12), Climbs(FEW_SHADOWS - 1, 29)])
def test_what_does_not_surely_pay_is_not_advised(climbs: Climbs) -> None:
    assert list(lower_starts(started(MODERATE=climbs))) == []


def test_a_segment_alone_may_start_lower() -> None:
    found = started(COMPLEX=Climbs(400, 0), MODERATE=Climbs(40, 38))
    topics = [topic for topic, _, _ in lower_starts(found)]
    assert topics == ["start haiku for sonnet MODERATE"]


def test_tiers_are_compared_on_the_same_messages_and_not_on_a_few() -> None:
    seen = {"haiku": Quality(45, 50), "opus": Quality(49, 50), "sonnet": Quality(1, 1)}
    said = tier_quality(ShadowFacts(quality=seen))
    assert said is not None
    pays, sentence, figures = said
    assert not pays
    assert sentence.endswith("were answered rightly: haiku 90 % and opus 98 %.")
    assert figures.startswith("haiku 45 of 50 (78 % to 97 %)")
    few = {tier: Quality(20, FEW_SHADOWS - 1) for tier in ("haiku", "opus")}
    assert tier_quality(ShadowFacts(quality=few)) is None
