"""A stronger tier as a judge: what it is asked, under which policy, and what it said."""

from collections.abc import Mapping
from typing import Any

from worker.domain.policy import TO_PERSON, Accept, Climb, Policy, Start, ValidatorUse

NAME = "judge:"
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
    )


def verdict_of(fields: Mapping[str, Any]) -> bool | None:
    """Whether the judge found the answer right; None where it did not say."""
    said = fields.get("right")
    return said if isinstance(said, bool) else None
