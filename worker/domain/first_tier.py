"""Where a message starts: rules first, then the policy's fixed tier or a classification."""

import re
from dataclasses import dataclass
from typing import Any

from worker.domain.messages import MessageText
from worker.domain.policy import CLASSIFY, Difficulty, Policy, Rule
from worker.domain.validation.patterns import MAX_CHARS, search

REMEMBERED = "remembered label"
"""Stands in `attempts.rule` when an identical text had been classified before."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Start at `tier` without asking."""

    tier: str
    rule: str | None = None
    difficulty: Difficulty | None = None


@dataclass(frozen=True, slots=True)
class AskDifficulty:
    """No rule decides: the routing call must."""


StartDecision = Decided | AskDifficulty


def decide_start(
    policy: Policy, message: MessageText, remembered: Difficulty | None = None
) -> StartDecision:
    """The first rule with a tier wins; a rule that only marks a message critical goes on.
    `remembered` is the label of an identical text."""
    for rule in policy.start.rules:
        if rule.tier is not None and holds(rule, message):
            return Decided(rule.tier, rule.name)
    if policy.start.otherwise != CLASSIFY:
        return Decided(policy.start.otherwise)
    if remembered is not None:
        return Decided(policy.tier_for(remembered), REMEMBERED, remembered)
    return AskDifficulty()


def critical_by(policy: Policy, message: MessageText) -> str | None:
    """The name of the first rule that marks the message as critical."""
    marking = (r.name for r in policy.start.rules if r.critical and holds(r, message))
    return next(marking, None)


def holds(rule: Rule, message: MessageText) -> bool:
    """Whether every condition that the rule states is met."""
    text = message.text
    return (
        (not rule.channels or _is_one_of(message.channel, rule.channels))
        and (not rule.languages or _is_spoken(message.language, rule.languages))
        and (not rule.customers or message.customer_id in rule.customers)
        and (rule.min_chars is None or len(text) >= rule.min_chars)
        and (rule.max_chars is None or len(text) <= rule.max_chars)
        and all(
            key in message.attributes and _word(message.attributes[key]) == _word(wanted)
            for key, wanted in rule.metadata.items()
        )
        and (not rule.keywords or _has_keyword(rule.keywords, text))
        and (rule.pattern is None or search(rule.pattern, text))
    )


def _is_one_of(found: str | None, wanted: tuple[str, ...]) -> bool:
    return found is not None and found.casefold() in (one.casefold() for one in wanted)


def _is_spoken(language: str | None, wanted: tuple[str, ...]) -> bool:
    """`pt` holds for `pt-BR` too, and `pt-BR` for nothing else."""
    spoken = (language or "").casefold().replace("_", "-")
    return any(f"{spoken}-".startswith(f"{one.casefold()}-") for one in wanted)


def _word(value: Any) -> str:
    """A value of metadata as text: CSV brings `true` as a word, JSON as a truth."""
    return str(value).casefold()


def _has_keyword(keywords: tuple[str, ...], text: str) -> bool:
    alternatives = "|".join(re.escape(keyword) for keyword in keywords)
    pattern = rf"(?<!\w)(?:{alternatives})(?!\w)"
    return re.search(pattern, text[:MAX_CHARS], re.IGNORECASE) is not None
