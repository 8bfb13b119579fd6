"""What a worker process settles with the limiter, on real Redis."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from models.vocabulary import Purpose
from tests.support.attempts import asks, claimed
from tests.support.works import settings_for
from worker.claude.rate_limits import Limiter, buckets_of, connect, limits_of
from worker.config.settings import Settings
from worker.domain.answers import Answer, ModelAnswer, Troubled
from worker.domain.claimed import Claimed
from worker.domain.limits import Limits, Used
from worker.domain.pricing import Usage
from worker.domain.trouble import Meaning, Trouble
from worker.lanes.realtime.pacer import Outgoing, Pacer

TIERS: dict[str, Any] = {
    "haiku": {"model": "small", "rpm": 60_000, "itpm": 60_000_000, "otpm": 60_000_000},
    "chat": {"model": "small", "rpm": 90_000, "otpm": 30_000_000},
    "opus": {"model": "large"},
}
NUMBERS = itertools.count(1)
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


def sent(pacer: Pacer, tier: str, calls: int, said: int = 0) -> list[Claimed]:
    """So many calls, granted and about to be sent: an empty bucket fills within milliseconds."""
    sent = list[Claimed]()
    while len(sent) < calls:
        grant = pacer.take(tier, Purpose.ANSWER, calls - len(sent))
        going = [of(tier, next(NUMBERS)) for _ in range(grant.calls)]
        pacer.sending(tier, Purpose.ANSWER, grant, [Outgoing(one.attempt, said) for one in going])
        sent += going
    return sent


def of(tier: str, number: int) -> Claimed:
    return claimed(asks(Purpose.ANSWER, tier=tier), job_id=number)


def end(pacer: Pacer, one: Claimed, got: Answer | Troubled) -> None:
    assert one.question is not None
    pacer.ended(one, one.question, got)


def used(pacer: Pacer, settings: Settings, redis_url: str) -> Used:
    """What the shared bucket holds once everything was told."""
    pacer.stop()
    client = connect(redis_url)
    found = Limiter(client, limits_of(settings)).usage("haiku")
    client.close()
    assert found is not None
    return found


def minute(pacer: Pacer, settings: Settings, redis_url: str) -> tuple[float, int, int]:
    """The minute's use: calls, input and output tokens."""
    found = used(pacer, settings, redis_url)
    return found.calls, round(found.input_tokens), round(found.output_tokens)


def test_what_is_settled_is_what_was_granted_however_estimates_moved(
    pacer: Pacer, settings: Settings, redis_url: str
) -> None:
    # Given calls granted while a call was thought to be small
    going = sent(pacer, "haiku", 20)
    # When all turn out large, so that the estimate rises between one end and the next
    for one in going:
        end(pacer, one, answer(5_000, 900))
    # Then the minute's use is the truth
    assert minute(pacer, settings, redis_url) == (20, 100_000, 18_000)


def test_what_is_given_back_is_what_was_granted_too(
    pacer: Pacer, settings: Settings, redis_url: str
) -> None:
    # Given a grant for more than is sent, and an estimate that rises before the rest comes back
    first = sent(pacer, "haiku", 1)
    grant = pacer.take("haiku", Purpose.ANSWER, 10)
    while grant.calls < 2:
        pacer.sending("haiku", Purpose.ANSWER, grant, [])
        grant = pacer.take("haiku", Purpose.ANSWER, 10)
    end(pacer, first[0], answer(9_000, 2_000))
    going = of("haiku", next(NUMBERS))
    pacer.sending("haiku", Purpose.ANSWER, grant, [Outgoing(going.attempt, 70)])
    # When the one that is sent is refused, which Claude does not count
    end(pacer, going, REFUSED)
    # Then only what was used remains; the refused request itself stays counted
    assert minute(pacer, settings, redis_url) == (2, 9_000, 2_000)


def test_a_long_message_weighs_on_the_limit_before_it_is_answered(
    pacer: Pacer, settings: Settings, redis_url: str
) -> None:
    # Given what short messages take
    for one in sent(pacer, "haiku", 200, said=350):
        end(pacer, one, answer(100, 10))
    # When messages a hundred times as long are sent, and none is answered
    sent(pacer, "haiku", 5, said=35_000)
    # Then each is set down for its own length, and a tenth more
    calls, read, _ = minute(pacer, settings, redis_url)
    assert calls == 205
    assert 20_000 + 5 * 11_000 <= read <= 20_000 + 5 * 11_300


def test_of_calls_that_end_in_another_order_each_is_settled_by_its_own(
    pacer: Pacer, settings: Settings, redis_url: str
) -> None:
    # Given a long message, and then short ones
    long = sent(pacer, "haiku", 1, said=350_000)
    for one in sent(pacer, "haiku", 9, said=350):
        # When the short ones are answered
        end(pacer, one, answer(100, 10))
    assert len(pacer._set_down) == 1
    # Then what the long one takes stays taken
    assert minute(pacer, settings, redis_url)[1] >= 110_000
    pacer.forget(long[0].attempt)
    assert not pacer._set_down


def test_a_check_asks_no_leave_and_is_counted_whole(
    pacer: Pacer, settings: Settings, redis_url: str
) -> None:
    one = sent(pacer, "haiku", 1)[0]
    end(pacer, one, answer(500, 50))
    assert one.question is not None
    pacer.ended(one, one.question.check("Yes."), answer(700, 5))
    assert minute(pacer, settings, redis_url) == (2, 1_200, 55)


def test_tiers_on_one_model_share_the_tightest_limits(
    pacer: Pacer, settings: Settings, redis_url: str
) -> None:
    # Given two tiers on one model, and one without limits
    assert buckets_of(settings) == {"haiku": "haiku", "chat": "haiku", "opus": "opus"}
    assert limits_of(settings) == {
        "haiku": Limits(60_000, 60_000_000, 30_000_000),
        "opus": Limits(None, None, None),
    }
    # When all work
    for tier, calls in (("haiku", 3), ("chat", 4), ("opus", 1_000)):
        for one in sent(pacer, tier, calls):
            end(pacer, one, answer(100, 10))
    # Then one bucket holds it all
    assert minute(pacer, settings, redis_url) == (7, 700, 70)
