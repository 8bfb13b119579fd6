"""Asks Claude about itself: does the key work, are the models there, do they retire?"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import anthropic

from worker.claude.errors import trouble_of
from worker.config.addresses import ClaudeAddress
from worker.domain.trouble import Trouble

LONGEST_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What was found out. `retiring` names models with the day on which they end."""

    trouble: Trouble | None = None
    missing: tuple[str, ...] = ()
    retiring: tuple[tuple[str, str], ...] = ()
    unlisted: bool = False
    """There is no list of models to look into."""


def probe(
    address: ClaudeAddress, models: Iterable[str], connect_s: float, longest_s: float = LONGEST_S
) -> Probed:
    """Looks up each model; costs nothing. Only Anthropic's own door can be asked. At most so many
    seconds in all, however slowly a gateway speaks."""
    if address.via != "api":
        return Probed(unlisted=True)
    try:
        return asyncio.run(asyncio.wait_for(_probe(address, models, connect_s), longest_s))
    except TimeoutError as error:
        return Probed(trouble=trouble_of(error))


async def _probe(address: ClaudeAddress, models: Iterable[str], connect_s: float) -> Probed:
    missing: list[str] = []
    retiring: list[tuple[str, str]] = []
    client = anthropic.AsyncAnthropic(
        api_key=address.api_key,
        base_url=address.base_url,
        max_retries=0,
        timeout=anthropic.Timeout(10, connect=connect_s),
    )
    async with client:
        for model in sorted(models):
            try:
                found: Any = await client.models.retrieve(model)
            except anthropic.NotFoundError as error:
                if not _names(error, model):
                    return Probed(unlisted=True)
                missing.append(model)
                continue
            except Exception as error:
                return Probed(trouble=trouble_of(error))
            if retires_at := getattr(found, "retires_at", None):
                retiring.append((model, str(retires_at)[:10]))
    return Probed(trouble=None, missing=tuple(missing), retiring=tuple(retiring))


def _names(error: anthropic.NotFoundError, model: str) -> bool:
    """Whether it is the model that is not found, and not the list of models: gateways have none."""
    return error.type == "not_found_error" and model in str(error.body)
