"""Policies as documents: JSON values as a run freezes them, and the version that they have."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from worker.domain.policy import NOTHING_SHOWN, Policy

_ADAPTER: TypeAdapter[Policy] = TypeAdapter(Policy)


def to_document(policy: Policy) -> dict[str, Any]:
    """The policy as JSON values, as a run freezes it."""
    document: dict[str, Any] = _ADAPTER.dump_python(policy, mode="json")
    for name in ("certificate", "in_force"):
        # What is not used does not change the versions of policies that were there before it.
        if document["accept"][name] is None:
            del document["accept"][name]
    if policy.context == NOTHING_SHOWN:
        del document["context"]
    else:
        unused = {"pages": "auto", "retriever": None}
        for name in [one for one, usual in unused.items() if document["context"][one] == usual]:
            del document["context"][name]
    if not policy.knowledge:
        del document["knowledge"]
    if policy.prompts is None:
        del document["prompts"]
    return document


def from_document(document: Mapping[str, Any]) -> Policy:
    """The policy that a run froze. Raises pydantic.ValidationError for a foreign document."""
    return _ADAPTER.validate_python(dict(document))


def version_of(policy: Policy) -> str:
    """First 12 hex digits of SHA-256 over the canonical JSON. Where the prompts lie is no rule:
    what they say has versions of its own."""
    document = to_document(policy)
    document.pop("prompts", None)
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def rules_of(policy: Policy) -> str:
    """As `version_of`, of what decides alone: policies that differ in name or in the certificate
    that is in force decide alike otherwise."""
    document = to_document(policy)
    del document["name"]
    document.pop("prompts", None)
    for name in ("certificate", "in_force"):
        document["accept"].pop(name, None)
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]
