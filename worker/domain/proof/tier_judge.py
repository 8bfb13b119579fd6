"""A tier that is asked only to know more: as a judge of answers, or for an answer that was not
needed; under which policy, and what the judge said."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from worker.domain.policy import TO_PERSON, Accept, Climb, Policy, Start, ValidatorUse

NAME, SHADOW = "judge:", "shadow:"
LEAST = Decimal("0.0001")
"""A threshold that every answer passes which states its confidence at all."""
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"reply": {"type": "string"}, "right": {"type": "boolean"}},
    "required": ["reply", "right"],
    "additionalProperties": False,
}
"""Grounds first, so that the verdict rests on them; `reply` holds them in one sentence."""


def judge_policy(tier: str, judged: Policy) -> Policy:
    """Everything at one tier, answered in the judge's schema; what is unusable is no verdict. The
    judge is shown what the model was that answered under `judged`."""
    return Policy(
        name=f"{NAME}{tier}",
        ladder=(tier,),
        start=Start(otherwise=tier),
        accept=Accept(validators=(ValidatorUse("schema"),), confidence="off", answer_schema=SCHEMA),
        climb=Climb(otherwise=TO_PERSON),
        context=judged.context,
        knowledge=judged.knowledge,
    )


def shadow_policy(tier: str, answered: Policy) -> Policy:
    """What `tier` would have said: the same question under the same rules, but for the threshold,
    for whether the answer would have been sure enough is asked later, at any threshold."""
    accept = replace(
        answered.accept, threshold=LEAST, thresholds={}, certificate=None, in_force=None
    )
    return Policy(
        name=f"{SHADOW}{tier}",
        ladder=(tier,),
        start=Start(otherwise=tier),
        accept=accept,
        climb=Climb(otherwise=TO_PERSON),
        context=answered.context,
        knowledge=answered.knowledge,
    )


def verdict_of(fields: Mapping[str, Any]) -> bool | None:
    """Whether the judge found the answer right; None where it did not say."""
    said = fields.get("right")
    return said if isinstance(said, bool) else None
