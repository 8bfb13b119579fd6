"""What a filter says of a customer: the values it chose by, with fingerprints in their place."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

from worker.domain.filter_parsing import parse
from worker.domain.filters import (
    METADATA,
    OF_TEXT,
    ORDER,
    And,
    Comparison,
    FilterError,
    Node,
    Not,
    Or,
    Value,
    show,
)

PERSONAL = ("customer", "subject", METADATA)
"""Fields whose values say who somebody is, or what they wrote."""
ID = "external_id"
"""One more, where that is erased too."""
Hides = Callable[[Comparison, str], bool]
"""Whether this value of a comparison is to go."""
Instead = Callable[[str], str]
"""What comes in its place."""
MASKED = "…"


def fingerprint(identity: str) -> str:
    """What is kept of an id: whoever knows it can find the event, and nobody learns it."""
    return f"sha256:{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def masked(words: str) -> str:
    """For who may not read what customers wrote: without what a filter says of that."""
    return without_names(words, lambda one, _: one.field in OF_TEXT, lambda _: MASKED)


def without_names(words: str, hides: Hides, instead: Instead = fingerprint) -> str:
    """Words that are a filter, or end with one after a comma, with fingerprints in place of what is
    to go; all others as they are."""
    start = 0
    while start <= len(words):
        try:
            node = parse(words[start:])
        except FilterError:
            comma = words.find(", ", start)
            if comma < 0:
                return words
            start = comma + len(", ")
        else:
            hidden = _hidden(node, hides, instead)
            return words if hidden == node else words[:start] + show(hidden)
    return words


def _hidden(node: Node, hides: Hides, instead: Instead) -> Node:
    match node:
        case Comparison():
            values = tuple(_value(node, one, hides, instead) for one in node.values)
            return replace(node, values=values)
        case Not(part):
            return Not(_hidden(part, hides, instead))
        case And(parts):
            return And(tuple(_hidden(part, hides, instead) for part in parts))
        case Or(parts):
            return Or(tuple(_hidden(part, hides, instead) for part in parts))


def _value(comparison: Comparison, value: Value, hides: Hides, instead: Instead) -> Value:
    if not isinstance(value, str) or comparison.op in ORDER or value.startswith("sha256:"):
        return value
    return instead(value) if hides(comparison, value) else value
