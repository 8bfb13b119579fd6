"""What an answer is worth: accepted · rejected · refused · truncated · empty · malformed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from models.vocabulary import AttemptOutcome
from worker.domain.answers import (
    REFUSAL,
    TRUNCATING_STOPS,
    USABLE_STOPS,
    ModelAnswer,
    parse_object,
    read_check,
    read_confidence,
)
from worker.domain.context import NO_CONTEXT, MessageContext
from worker.domain.in_force import UNCERTIFIED, CertifiedScore, standing
from worker.domain.messages import MessageText
from worker.domain.policy import Accept, Policy
from worker.domain.schemas import HAND_OVER, NO_REPLY, REPLY, judged_by
from worker.domain.shown import Shown
from worker.domain.text import is_blank
from worker.domain.validation import BUILTIN, Draft, Finding, Validator, findings_of

LOW_CONFIDENCE = "low_confidence"
TOO_LONG = "too_long"
HANDED_OVER, NOT_COVERED = "handed_over", "not_covered"
"""The answer itself says that a person must take over: because of what the matter is, or because
nothing that was shown answers it (it names no source)."""
REASONS = (
    *("malformed", "empty", "truncated", TOO_LONG, "refused", LOW_CONFIDENCE, UNCERTIFIED),
    *(HANDED_OVER, NOT_COVERED),
)
"""Why an answer is not accepted, but for the names of validators; `refused` and `malformed` may be
followed by a colon and what it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """An outcome with its grounds. `reply` is set whenever there is text a person could use."""

    outcome: AttemptOutcome
    reasons: tuple[str, ...] = ()
    reply: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    confidence: Decimal | None = None
    threshold: Decimal | None = None
    standing: CertifiedScore | None = None

    @property
    def accepted(self) -> bool:
        """Whether the answer may go out."""
        return self.outcome is AttemptOutcome.ACCEPTED


@dataclass(frozen=True, slots=True)
class NeedsCheck:
    """Everything passes so far; the policy wants the confidence asked for separately."""

    reply: str


def judge(
    policy: Policy,
    tier: str,
    message: MessageText,
    answer: ModelAnswer,
    check: ModelAnswer | None = None,
    validators: Mapping[str, Validator] = BUILTIN,
    instructions: str = "",
    difficulty: str | None = None,
    context: MessageContext = NO_CONTEXT,
    knowledge: tuple[Shown, ...] = (),
) -> Judgement | NeedsCheck:
    """Judge one answer of `tier`. With `confidence = "separate"` call again with the check."""
    if (unusable := _unusable(answer)) is not None:
        return unusable
    document = parse_object(answer.text)
    if document is None or not isinstance(document.get("reply"), str):
        return Judgement(outcome=AttemptOutcome.MALFORMED, reasons=("malformed",))
    reply, action = str(document["reply"]), action_of(document)
    if is_blank(reply) and action == REPLY:
        return Judgement(outcome=AttemptOutcome.EMPTY, reasons=("empty",))
    if action == HAND_OVER:
        return _handed_over(policy.accept, tier, reply, document)
    draft = Draft(
        reply=reply,
        document=document,
        schema=judged_by(policy.accept, document),
        message=message,
        instructions=instructions,
        context=context,
        knowledge=knowledge,
    )
    findings = findings_of(policy.accept.validators if action == REPLY else (), draft, validators)
    rejecting = tuple(dict.fromkeys(f.validator for f in findings if f.severity == "reject"))
    if not rejecting and policy.accept.confidence == "separate" and check is None:
        return NeedsCheck(reply)
    confidence, low = _confidence(policy.accept, tier, document, check, asked=not rejecting)
    held = policy.accept.certified_at(tier)
    stands = standing(held, message, difficulty, reply, confidence) if held is not None else None
    reasons = _reasons(rejecting, low, stands)
    return Judgement(
        outcome=AttemptOutcome.REJECTED if reasons else AttemptOutcome.ACCEPTED,
        reasons=reasons,
        reply=reply,
        fields=_fields(document),
        findings=findings,
        confidence=confidence,
        threshold=None if policy.accept.confidence == "off" else policy.accept.threshold_at(tier),
        standing=stands,
    )


def _reasons(
    rejecting: tuple[str, ...], low: bool, stands: CertifiedScore | None
) -> tuple[str, ...]:
    """Why an answer is not taken; none where it is."""
    reasons = rejecting + ((LOW_CONFIDENCE,) if low else ())
    if stands is not None and not reasons and not stands.passes:
        return (UNCERTIFIED,)
    return reasons


def action_of(document: Mapping[str, Any]) -> str:
    """What an answer says is to be done with it. The case of enum values is not guaranteed, and
    schemas of one's own need not ask for it."""
    said = document.get("action")
    named = said.casefold() if isinstance(said, str) else REPLY
    return named if named in (HAND_OVER, NO_REPLY) else REPLY


def _fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """The rest of the answer, beside its reply and confidence."""
    fields = {name: said for name, said in document.items() if name not in ("reply", "confidence")}
    if "action" in fields:
        fields["action"] = action_of(document)
    return fields


def _handed_over(accept: Accept, tier: str, reply: str, document: Mapping[str, Any]) -> Judgement:
    """Nothing of it goes out, so nothing of it is checked; a person may use its words."""
    sources = document.get("sources")
    named = isinstance(sources, list) and any(isinstance(one, str) and one for one in sources)
    return Judgement(
        outcome=AttemptOutcome.REJECTED,
        reasons=(HANDED_OVER if named else NOT_COVERED,),
        reply=reply if not is_blank(reply) else None,
        fields=_fields(document),
        confidence=read_confidence(document.get("confidence")),
        threshold=None if accept.confidence == "off" else accept.threshold_at(tier),
    )


def too_long() -> Judgement:
    """The judgement on a message that does not fit into a tier's context."""
    return Judgement(outcome=AttemptOutcome.TRUNCATED, reasons=(TOO_LONG,))


def _unusable(answer: ModelAnswer) -> Judgement | None:
    stop = answer.stop_reason
    if stop == REFUSAL:
        return Judgement(
            outcome=AttemptOutcome.REFUSED, reasons=(f"refused:{answer.category or 'unnamed'}",)
        )
    if stop == "model_context_window_exceeded":
        return too_long()
    if stop in TRUNCATING_STOPS:
        return Judgement(outcome=AttemptOutcome.TRUNCATED, reasons=("truncated",))
    if stop not in USABLE_STOPS:
        # The name of a stop reason that nobody knows yet is worth a receipt, cut to a sane size.
        return Judgement(
            outcome=AttemptOutcome.MALFORMED, reasons=(f"malformed:stop_reason {str(stop)[:40]}",)
        )
    if not answer.text.strip():
        return Judgement(outcome=AttemptOutcome.EMPTY, reasons=("empty",))
    return None


def _confidence(
    accept: Accept,
    tier: str,
    document: Mapping[str, Any],
    check: ModelAnswer | None,
    *,
    asked: bool,
) -> tuple[Decimal | None, bool]:
    """Confidence and whether it is too low. What is missing or unreadable is LOW."""
    match accept.confidence:
        case "off":
            return None, False
        case "inline":
            value = read_confidence(document.get("confidence"))
        case "separate":
            if not asked:
                return None, False
            value = read_check(check) if check is not None else None
    return value, value is None or value < accept.threshold_at(tier)
