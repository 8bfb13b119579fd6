"""The policies that come with Rung, by name."""

from worker.domain.ladder import Ladder
from worker.domain.policy import (
    AGAIN,
    TO_PERSON,
    TOP,
    Accept,
    Climb,
    Policy,
    Rule,
    Start,
    ValidatorUse,
)

PRESETS = ("ladder", "escalate", "route", "fallback")
SINGLE = "single:"

BASIC_VALIDATORS = tuple(
    ValidatorUse(name) for name in ("schema", "placeholder", "length", "leaked_prompt", "obeyed")
)
CRITICAL_RULE = Rule(name="marked critical", critical=True, metadata={"priority": "critical"})
BY_REASON = {"schema": AGAIN, "malformed": AGAIN, "truncated": AGAIN}


def preset(name: str, ladder: Ladder) -> Policy:
    """The preset `name` over `ladder`. Raises KeyError for a name that is not a preset."""
    if name.startswith(SINGLE) and (tier := name.removeprefix(SINGLE)) in ladder.names:
        return _single(name, tier)
    return {"ladder": _ladder, "escalate": _escalate, "route": _route, "fallback": _fallback}[name](
        ladder
    )


def _ladder(ladder: Ladder) -> Policy:
    """Rules, classify, validators, inline confidence, climb one rung at a time."""
    return Policy(
        name="ladder",
        ladder=ladder.names,
        accept=Accept(validators=BASIC_VALIDATORS, confidence="inline"),
        climb=Climb(by_reason=BY_REASON),
    )


def _escalate(ladder: Ladder) -> Policy:
    """Start at the cheapest, ask HIGH or LOW separately; LOW climbs, critical ones to the top."""
    return Policy(
        name="escalate",
        ladder=ladder.names,
        start=Start(otherwise=ladder.bottom, rules=(CRITICAL_RULE,)),
        accept=Accept(validators=BASIC_VALIDATORS, confidence="separate"),
        climb=Climb(by_reason=BY_REASON, critical_low_confidence=TOP),
    )


def _route(ladder: Ladder) -> Policy:
    """Classify, then answer once at that tier; what does not pass goes to a person."""
    return Policy(
        name="route",
        ladder=ladder.names,
        accept=Accept(validators=BASIC_VALIDATORS, confidence="off"),
        climb=Climb(otherwise=TO_PERSON),
    )


def _fallback(ladder: Ladder) -> Policy:
    """Cheapest first, validators decide, climb until they pass; best effort at the top."""
    return Policy(
        name="fallback",
        ladder=ladder.names,
        start=Start(otherwise=ladder.bottom),
        accept=Accept(validators=BASIC_VALIDATORS, confidence="off"),
        climb=Climb(),
    )


def _single(name: str, tier: str) -> Policy:
    """Everything at one tier: what the other presets are compared with."""
    return Policy(
        name=name,
        ladder=(tier,),
        start=Start(otherwise=tier),
        accept=Accept(validators=BASIC_VALIDATORS, confidence="off"),
        climb=Climb(otherwise=TO_PERSON),
    )
