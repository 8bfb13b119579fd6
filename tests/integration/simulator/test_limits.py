"""Rate limits that are enforced, and the headers that announce them."""

import datetime as dt
import time
from collections.abc import Iterator

import anthropic
import pytest
from anthropic.types import Message

from tests.support.waiting import eventually
from worker.sandbox.simulator.limits import SimulatedLimits
from worker.sandbox.simulator.server import running
from worker.sandbox.simulator.state import State

HAIKU, SONNET = "claude-haiku-5-5", "claude-sonnet-5-5"
KINDS = ("requests", "tokens", "input-tokens", "output-tokens")
TABLE = {"haiku": (60, 60_000, 6_000), "sonnet": (600, 600, 600_000)}
"""Six seconds of refill fit in: 6 requests of Haiku, 60 input tokens of Sonnet."""


@pytest.fixture
def client() -> Iterator[anthropic.Anthropic]:
    state = State(latency_scale=0, limits=SimulatedLimits(TABLE))
    with (
        running(state) as url,
        anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as made,
    ):
        yield made


def ask(client: anthropic.Anthropic, model: str = HAIKU, words: str = "Hi") -> Message:
    return client.messages.create(
        model=model, max_tokens=300, messages=[{"role": "user", "content": words}]
    )


def refused(client: anthropic.Anthropic, model: str = HAIKU) -> anthropic.RateLimitError:
    """The 429 that comes before the 50th request."""
    for _ in range(50):
        try:
            ask(client, model)
        except anthropic.RateLimitError as error:
            return error
    raise AssertionError("50 requests, and none was refused")


def test_requests_beyond_a_burst_are_refused_with_the_time_to_wait(
    client: anthropic.Anthropic,
) -> None:
    # when
    error = refused(client)
    # then
    assert (error.type, error.error_code) == ("rate_limit_error", None)
    assert int(error.response.headers["retry-after"]) >= 1
    assert int(error.response.headers["anthropic-ratelimit-requests-remaining"]) < 10


def test_a_request_after_the_time_to_wait_is_served(client: anthropic.Anthropic) -> None:
    # given
    wait_s = float(refused(client).response.headers["retry-after"])
    # when
    waited_from = time.monotonic()
    eventually(lambda: time.monotonic() - waited_from > wait_s)
    # then
    assert ask(client).stop_reason == "end_turn"


def test_input_tokens_are_limited_and_each_family_by_itself(client: anthropic.Anthropic) -> None:
    # given
    words = "word " * 60
    # when
    ask(client, SONNET, words)
    with pytest.raises(anthropic.RateLimitError):
        ask(client, SONNET, words)
    # then
    assert ask(client, HAIKU, words).stop_reason == "end_turn"


def test_cache_reads_do_not_count_towards_input_tokens() -> None:
    # given
    state = State(latency_scale=0, limits=SimulatedLimits({"sonnet": (6_000, 12_000, 600_000)}))
    control = {"type": "ephemeral"}
    system = [{"type": "text", "text": "Refunds take five days. " * 150, "cache_control": control}]
    # when
    with (
        running(state) as url,
        anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client,
    ):
        read = [
            client.messages.create(
                model=SONNET,
                max_tokens=300,
                system=system,  # type: ignore[arg-type]
                messages=[{"role": "user", "content": "Hi"}],
            ).usage.cache_read_input_tokens
            for _ in range(20)
        ]
    # then
    assert sum(read[1:]) > 12_000  # type: ignore[arg-type]


def test_output_tokens_are_known_afterwards_and_then_count(client: anthropic.Anthropic) -> None:
    # given
    state = State(latency_scale=0, limits=SimulatedLimits({"haiku": (6_000, 6_000_000, 300)}))
    # when
    with (
        running(state) as url,
        anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as narrow,
    ):
        first = ask(narrow)
        error = refused(narrow)
    # then
    assert first.usage.output_tokens > 30
    assert error.response.headers["anthropic-ratelimit-output-tokens-remaining"] == "0"


def test_headers_say_what_is_left_and_until_when(client: anthropic.Anthropic) -> None:
    # when
    headers = client.messages.with_raw_response.create(
        model=HAIKU, max_tokens=300, messages=[{"role": "user", "content": "Hi"}]
    ).headers
    # then
    limits = [headers[f"anthropic-ratelimit-{kind}-limit"] for kind in KINDS]
    left = [int(headers[f"anthropic-ratelimit-{kind}-remaining"]) for kind in KINDS]
    resets = [headers[f"anthropic-ratelimit-{kind}-reset"] for kind in KINDS]
    assert limits == ["60", "66000", "60000", "6000"]
    assert 40 <= left[0] <= 50
    assert [tokens % 1_000 for tokens in left[1:]] == [0, 0, 0]
    now = dt.datetime.now(dt.UTC)
    for reset in resets:
        moment = dt.datetime.fromisoformat(reset)
        assert abs(moment - now) < dt.timedelta(seconds=60)


def test_a_simulator_without_limits_announces_none(simulator: tuple[State, str]) -> None:
    with anthropic.Anthropic(api_key="k", base_url=simulator[1], max_retries=0) as client:
        reply = client.messages.with_raw_response.create(
            model=HAIKU, max_tokens=300, messages=[{"role": "user", "content": "Hi"}]
        )
    assert [name for name in reply.headers if "ratelimit" in name] == []


def test_the_sdks_own_retries_are_served_in_the_end() -> None:
    """A stranger's client, as it comes: it waits as `retry-after` says, and goes on."""
    # given
    state = State(latency_scale=0, limits=SimulatedLimits({"haiku": (600, 600_000, 60_000_000)}))
    # when
    with running(state) as url, anthropic.Anthropic(api_key="k", base_url=url) as client:
        stops = [ask(client, words=f"Hi {number}").stop_reason for number in range(62)]
    # then
    assert stops == ["end_turn"] * 62


def test_what_nobody_took_of_a_limit_is_counted_and_what_was_taken_ahead_is_not() -> None:
    """Full for two seconds: what came in then is gone. A large request then takes five seconds of
    the limit ahead, and as long as that is made up for nothing is left unused."""
    limits = SimulatedLimits({"haiku": (60, 600, 6_000)})
    limits.take("haiku", 0, 100.0)
    limits.spend_output("haiku", 1)
    limits.take("haiku", 50, 103.0)
    found = limits.as_document(106.0)["haiku"]
    assert found["unused"] == {"requests": 4.0, "input_tokens": 30.0, "output_tokens": 599.0}
    assert found["most_ahead_s"] == {"requests": 1.0, "input_tokens": 5.0, "output_tokens": 0.01}
    assert (found["requests"], found["input_tokens"]) == (2, 50)
