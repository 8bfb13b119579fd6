"""Where a message starts: rules first, then the policy's fixed tier or a classification."""

import re
from dataclasses import dataclass

from worker.domain.messages import MessageText
from worker.domain.policy import CLASSIFY, Difficulty, Policy, Rule
from worker.domain.validation.patterns import MAX_CHARS, search


@dataclass(frozen=True, slots=True)
class Begin:
    """Start at `tier` without asking."""

    tier: str
    rule: str | None = None
    difficulty: Difficulty | None = None


@dataclass(frozen=True, slots=True)
class AskDifficulty:
    """No rule decides: the routing call must."""


StartDecision = Begin | AskDifficulty


def decide_start(policy: Policy, message: MessageText) -> StartDecision:
    """The first rule with a tier wins; a rule that only marks a message critical goes on."""
    for rule in policy.start.rules:
        if rule.tier is not None and holds(rule, message):
            return Begin(rule.tier, rule=rule.name)
    if policy.start.otherwise == CLASSIFY:
        return AskDifficulty()
    return Begin(policy.start.otherwise)


def is_critical(policy: Policy, message: MessageText) -> bool:
    """Whether any rule marks the message as critical."""
    return any(rule.critical and holds(rule, message) for rule in policy.start.rules)


def holds(rule: Rule, message: MessageText) -> bool:
    """Whether every condition that the rule states is met."""
    text = message.text
    return (
        (not rule.channels or message.channel in rule.channels)
        and (not rule.languages or message.language in rule.languages)
        and (not rule.customers or message.customer_id in rule.customers)
        and (rule.min_chars is None or len(text) >= rule.min_chars)
        and (rule.max_chars is None or len(text) <= rule.max_chars)
        and all(str(message.attributes.get(k)) == v for k, v in rule.metadata.items())
        and (not rule.keywords or _has_keyword(rule.keywords, text))
        and (rule.pattern is None or search(rule.pattern, text))
    )


def _has_keyword(keywords: tuple[str, ...], text: str) -> bool:
    alternatives = "|".join(re.escape(keyword) for keyword in keywords)
    pattern = rf"(?<!\w)(?:{alternatives})(?!\w)"
    return re.search(pattern, text[:MAX_CHARS], re.IGNORECASE) is not None
