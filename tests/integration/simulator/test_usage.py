"""Tokens of every kind: caches, prices, counting."""

from decimal import Decimal

import anthropic
import pytest
from genai_prices import extract_usage

from tests.support.simulated import HAIKU, SAID, SONNET, ask

LONG = "Refunds are made within five working days, to the card that paid. " * 60


def test_max_tokens_of_zero_only_warms_the_cache(client: anthropic.Anthropic) -> None:
    # given
    system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    # when
    warmed, used = ask(client, system=system, max_tokens=0), ask(client, system=system)
    # then
    assert (warmed.content, warmed.stop_reason) == ([], "max_tokens")
    assert warmed.usage.cache_creation_input_tokens == used.usage.cache_read_input_tokens
    assert used.usage.cache_creation_input_tokens == 0


@pytest.mark.parametrize("ttl", ["5m", "1h"])
def test_a_long_prefix_is_written_once_and_then_read(client: anthropic.Anthropic, ttl: str) -> None:
    # given
    control = {"type": "ephemeral", "ttl": ttl}
    system = [{"type": "text", "text": LONG, "cache_control": control}]
    # when
    first, second = ask(client, system=system).usage, ask(client, system=system).usage
    # then
    written = first.cache_creation_input_tokens
    assert written is not None
    assert written >= 512
    assert first.cache_creation is not None
    assert second.cache_creation is not None
    by_ttl = {
        "5m": first.cache_creation.ephemeral_5m_input_tokens,
        "1h": first.cache_creation.ephemeral_1h_input_tokens,
    }
    assert by_ttl == {"5m": 0, "1h": 0, ttl: written}
    assert (first.cache_read_input_tokens, second.cache_read_input_tokens) == (0, written)
    assert second.cache_creation_input_tokens == 0
    assert first.input_tokens == second.input_tokens


def test_a_breakpoint_for_the_request_as_a_whole_caches_all_of_it(
    client: anthropic.Anthropic,
) -> None:
    usage = [ask(client, system=LONG, cache_control={"type": "ephemeral"}).usage for _ in range(2)]
    assert [u.input_tokens for u in usage] == [0, 0]
    assert usage[0].cache_creation_input_tokens == usage[1].cache_read_input_tokens


def test_each_model_has_a_cache_of_its_own(client: anthropic.Anthropic) -> None:
    system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    read = [ask(client, model, system=system).usage for model in (HAIKU, SONNET)]
    assert [usage.cache_read_input_tokens for usage in read] == [0, 0]


def test_below_512_tokens_nothing_is_cached_and_nothing_said(client: anthropic.Anthropic) -> None:
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    usage = [ask(client, system=system).usage for _ in range(2)]
    assert [(u.cache_creation_input_tokens, u.cache_read_input_tokens) for u in usage] == [
        (0, 0),
        (0, 0),
    ]


def test_genai_prices_finds_every_kind_of_token(client: anthropic.Anthropic) -> None:
    # given
    control = {"type": "ephemeral", "ttl": "1h"}
    system = [{"type": "text", "text": LONG, "cache_control": control}]
    # when
    message = ask(client, SONNET, system=system)
    used = extract_usage(message.model_dump(), provider_id="anthropic")
    cost = used.calc_price().total_price
    # then
    usage = message.usage
    assert usage.cache_creation_input_tokens is not None
    expected = (
        usage.input_tokens * Decimal(2)
        + usage.cache_creation_input_tokens * Decimal(4)
        + usage.output_tokens * Decimal(10)
    ) / 1_000_000
    assert cost == expected


def test_tokens_are_counted_as_they_are_charged(client: anthropic.Anthropic) -> None:
    # when
    counted = client.messages.count_tokens(model=HAIKU, messages=SAID, system="Be brief.")
    # then
    assert counted.input_tokens == ask(client, system="Be brief.").usage.input_tokens
    assert (
        counted.input_tokens
        > client.messages.count_tokens(model=SONNET, messages=SAID, system="Be brief.").input_tokens
    )
