"""Prefixes that the requests of a batch share: each is cached for as long as it pays."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from models.vocabulary import Lane, Purpose
from worker.claude.requests import Ask
from worker.domain.caching import Lifetime, cheapest
from worker.domain.pricing import Price
from worker.domain.prompts import Prompt, prompt

PriceOfModel = Callable[[str], Price | None]


def in_one_batch(asks: Sequence[Ask], takes_s: float, price_of: PriceOfModel) -> list[Ask]:
    """The same requests, for a batch that takes `takes_s` seconds."""
    shared = Counter((str(ask.system[0]["text"]), ask.model) for ask in asks)
    systems = {}
    for (words, model), requests in shared.items():
        prefix = prompt(Purpose.ANSWER, words)
        lifetime = _lifetime(prefix, price_of(model), requests, takes_s)
        systems[words, model] = prefix.system(lifetime)
    return [replace(ask, system=systems[str(ask.system[0]["text"]), ask.model]) for ask in asks]


def _lifetime(prefix: Prompt, price: Price | None, requests: int, takes_s: float) -> Lifetime:
    if price is None:
        return Lifetime.HOUR
    rates = price.rates(prefix.tokens, Lane.BATCH)
    return cheapest(rates, prefix.tokens, requests, takes_s)
