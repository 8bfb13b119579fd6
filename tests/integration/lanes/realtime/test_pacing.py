"""What a worker process settles with the limiter, on real Redis."""

from collections.abc import Iterator
from typing import Any

import pytest

from models.vocabulary import Purpose
from tests.support.works import settings_for
from worker.claude.rate_limits import Limiter, buckets_of, connect, limits_of
from worker.config.settings import Settings
from worker.domain.answers import Answer, ModelAnswer, Troubled
from worker.domain.limits import Limits, Used
from worker.domain.pricing import Usage
from worker.domain.trouble import Meaning, Trouble
from worker.lanes.realtime.pacer import Pacer

TIERS: dict[str, Any] = {
    "haiku": {"model": "small", "rpm": 60_000, "itpm": 60_000_000, "otpm": 60_000_000},
    "chat": {"model": "small", "rpm": 90_000, "otpm": 30_000_000},
    "opus": {"model": "large"},
}
REFUSED = Troubled(Trouble(meaning=Meaning.OVERLOADED, kind="overloaded_error", status=529), 1)


def answer(read: int, written: int) -> Answer:
    usage = Usage(input_tokens=read, output_tokens=written)
    return Answer(
        answer=ModelAnswer("", "end_turn"),
        usage=usage,
        latency_ms=1,
        request_id=None,
        service_tier=None,
        simulated=True,
        headers={},
    )


@pytest.fixture
def settings(redis_url: str) -> Settings:
    return settings_for("postgresql://nowhere", "http://nowhere", redis_url=redis_url, tiers=TIERS)


@pytest.fixture
def pacer(settings: Settings, redis_url: str) -> Iterator[Pacer]:
    made = Pacer(settings, redis_url)
    made.start()
    yield made
    made.stop()


def granted(pacer: Pacer, tier: str, calls: int) -> None:
    """Takes until so many calls are granted: an empty bucket fills within milliseconds."""
    while calls:
        grant = pacer.take(tier, Purpose.ANSWER, calls)
        calls -= grant.calls


def used(pacer: Pacer, settings: Settings, redis_url: str) -> Used:
    """What the shared bucket holds once everything was told."""
    pacer.stop()
    client = connect(redis_url)
    found = Limiter(client, limits_of(settings)).usage("haiku")
    client.close()
    assert found is not None
    return found


def test_what_is_settled_is_what_was_granted_however_estimates_moved(
    pacer: Pacer, settings: Settings, redis_url: str
) -> None:
    # Given calls granted while a call was thought to be small
    granted(pacer, "haiku", 20)
    # When all turn out large, so that the estimate rises between one end and the next
    for _ in range(20):
        pacer.ended("haiku", Purpose.ANSWER, answer(5_000, 900))
    # Then the minute's use is the truth
    found = used(pacer, settings, redis_url)
    assert (found.calls, round(found.input_tokens), round(found.output_tokens)) == (
        20,
        100_000,
        18_000,
    )


def test_what_is_given_back_is_what_was_granted_too(
    pacer: Pacer, settings: Settings, redis_url: str
) -> None:
    # Given grants, some of which are returned after the estimate has risen
    granted(pacer, "haiku", 12)
    pacer.ended("haiku", Purpose.ANSWER, answer(9_000, 2_000))
    pacer.give_back("haiku", Purpose.ANSWER, 10)
    # When the last one is refused, which Claude does not count
    pacer.ended("haiku", Purpose.ANSWER, REFUSED)
    # Then only what was used remains; the refused request itself stays counted
    found = used(pacer, settings, redis_url)
    assert (found.calls, round(found.input_tokens), round(found.output_tokens)) == (
        2,
        9_000,
        2_000,
    )


def test_tiers_on_one_model_share_the_tightest_limits(
    pacer: Pacer, settings: Settings, redis_url: str
) -> None:
    # Given two tiers on one model, and one without limits
    assert buckets_of(settings) == {"haiku": "haiku", "chat": "haiku", "opus": "opus"}
    assert limits_of(settings) == {
        "haiku": Limits(60_000, 60_000_000, 30_000_000),
        "opus": Limits(None, None, None),
    }
    # When both work
    granted(pacer, "haiku", 3)
    granted(pacer, "chat", 4)
    granted(pacer, "opus", 1_000)
    for tier, calls in (("haiku", 3), ("chat", 4)):
        for _ in range(calls):
            pacer.ended(tier, Purpose.ANSWER, answer(100, 10))
    # Then one bucket holds it all
    found = used(pacer, settings, redis_url)
    assert (found.calls, round(found.input_tokens), round(found.output_tokens)) == (7, 700, 70)
