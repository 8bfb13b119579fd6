"""Asks Claude about itself: does the key work, are the models there, do they retire?"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import anthropic

from worker.claude.doors import client_at, require_credentials
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
    """Looks up each model; costs nothing. Only Anthropic's own door can be asked; of another's what
    is needed here is looked at. At most so many seconds in all, however slowly a gateway speaks.
    Raises ConfigurationError where another door lacks its libraries, or a region."""
    looking = _probe if address.via == "api" else _sign_in
    try:
        return asyncio.run(asyncio.wait_for(looking(address, models, connect_s), longest_s))
    except TimeoutError as error:
        return Probed(trouble=trouble_of(error))


async def _probe(address: ClaudeAddress, models: Iterable[str], connect_s: float) -> Probed:
    missing: list[str] = []
    retiring: list[tuple[str, str]] = []
    client = client_at(address, timeout=anthropic.Timeout(10, connect=connect_s), traced=False)
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
            if not isinstance(getattr(found, "id", None), str):
                # A page of a proxy's, or of whoever asks people to sign in.
                return Probed(trouble=trouble_of(ValueError()))
            if retires_at := getattr(found, "retires_at", None):
                retiring.append((model, str(retires_at)[:10]))
    return Probed(trouble=None, missing=tuple(missing), retiring=tuple(retiring))


async def _sign_in(address: ClaudeAddress, _models: Iterable[str], connect_s: float) -> Probed:
    """Whether the cloud's libraries and credentials are here: what more there is costs a call."""
    timeout = anthropic.Timeout(10, connect=connect_s)
    async with client_at(address, timeout=timeout, traced=False):
        try:
            await asyncio.to_thread(require_credentials, address.via)
        except Exception as error:
            return Probed(trouble=trouble_of(error))
    return Probed(unlisted=True)


def _names(error: anthropic.NotFoundError, model: str) -> bool:
    """Whether it is the model that is not found, and not the list of models: gateways have none."""
    return error.type == "not_found_error" and model in str(error.body)
