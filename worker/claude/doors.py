"""Where Claude is asked, other than at Anthropic itself: Bedrock and Vertex, by the SDK's clients.

Credentials are those of the clouds' own tools (environment, profiles, roles of the machine); Rung
holds none. Neither door has Message Batches, rate-limit headers or a list of models.
"""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import anthropic

from worker.config.addresses import ClaudeAddress
from worker.errors import ConfigurationError, installing

BEARER = "AWS_BEARER_TOKEN_BEDROCK"
NEEDS = {"bedrock": "botocore", "vertex": "google.auth"}


def client_at(
    address: ClaudeAddress, *, timeout: anthropic.Timeout, traced: bool
) -> anthropic.AsyncAnthropic:
    """The SDK's client for this door, without retries of its own. Raises ConfigurationError where
    the door's libraries are missing, or a region."""
    common: dict[str, Any] = {
        "base_url": address.base_url,
        "max_retries": 0,
        "timeout": timeout,
        "open_telemetry": None if traced else False,
        "http_client": anthropic.DefaultAioHttpClient(
            limits=anthropic.DEFAULT_CONNECTION_LIMITS, timeout=timeout, follow_redirects=False
        ),
    }
    made: Any
    match address.via:
        case "bedrock":
            _require("bedrock")
            try:
                made = anthropic.AsyncAnthropicBedrock(aws_region=address.region, **common)
            except ValueError as error:
                raise ConfigurationError(
                    f"claude.via is bedrock, and the SDK says: {error}",
                    mend='[claude] via = "bedrock", region = "eu-central-1"; or AWS_REGION',
                ) from None
        case "vertex":
            _require("vertex")
            if address.region is None or address.project is None:
                raise ConfigurationError(
                    "claude.via is vertex, and its region or project is not named.",
                    mend='[claude] via = "vertex", region = "europe-west1", project = "…"',
                )
            made = anthropic.AsyncAnthropicVertex(
                region=address.region, project_id=address.project, **common
            )
        case _:
            made = anthropic.AsyncAnthropic(api_key=address.api_key, **common)
    client: anthropic.AsyncAnthropic = made
    return client


def require_credentials(via: str) -> None:
    """Raises what the cloud's own tools raise, or RuntimeError, where they find none here."""
    if via == "vertex":
        import_module("google.auth").default()
    elif BEARER not in os.environ:
        found = import_module("botocore.session").Session().get_credentials()
        if found is None:
            raise RuntimeError("there are no credentials")
        found.get_frozen_credentials()


def _require(via: str) -> None:
    try:
        found = find_spec(NEEDS[via])
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise ConfigurationError(
            f"claude.via is {via}, and what that needs is not installed.",
            mend=installing(via),
        )
