"""Why a job went the way it did, in sentences. Pure: reads a receipt, and adds nothing to it."""

from collections.abc import Sequence

from models.vocabulary import PERSON
from worker.domain.receipt import Receipt, ReceiptAttempt, ReceiptReview, ReceiptStep
from worker.domain.wording import plural, reason, span, state_word

GROUNDS = {
    "schema": "its answer did not have the form that is asked for",
    "malformed": "its answer was not the structure that is asked for",
    "placeholder": "it left a placeholder in the reply",
    "length": "its reply was too long or too short",
    "truncated": "its answer was cut off",
    "empty": "its reply was empty",
    "too_long": "the message is too long for it",
    "too_costly": "that could have cost more than a message may",
}
"""Reasons of the record that need more words than their own."""


def headline(found: Receipt) -> str:
    """The whole story in a sentence or two."""
    climbs = [
        f"{_step(one.escalation)}, because {because(one)}"
        for one in found.attempts
        if one.escalation is not None
    ]
    end = _ending(found)
    if not climbs:
        return f"It did not climb. {end}"
    return f"It went {'; then '.join(climbs)}. {end}"


def _step(step: ReceiptStep) -> str:
    to = "to a person" if step.to_tier == PERSON else f"to {step.to_tier}"
    return f"from {step.from_tier} {to}"


def because(attempt: ReceiptAttempt) -> str:
    """Why an answer was not good enough: every reason, in words."""
    words = list(attempt.reasons) or [attempt.escalation.reason if attempt.escalation else ""]
    grounds = [ground(word, attempt) for word in words if word]
    return " and ".join(grounds) or "of its policy"


def ground(word: str, attempt: ReceiptAttempt) -> str:
    """One reason, in words."""
    if word == "low_confidence":
        if attempt.confidence is None:
            return "it did not say how sure it was, which counts as low"
        return f"it was {attempt.confidence:.2f} sure, and {attempt.threshold:.2f} is asked"
    if word == "uncertified":
        return f"certificate {attempt.certificate_id} asks for more than its score"
    family, _, kind = word.partition(":")
    if family == "refused":
        return f"it refused ({kind or 'no category given'})"
    if family == "lookup":
        return _why_empty(word, attempt) or f"look-up {kind} brought nothing"
    return GROUNDS.get(word) or f"it failed the check “{reason(word)}”"


def _why_empty(word: str, attempt: ReceiptAttempt) -> str | None:
    """`look-up orders did not answer within 5 s`; None in a record from before it was kept, and
    where the text was erased."""
    said = (f["finding"] for f in attempt.findings or () if f["validator"] == word)
    return next(said, None) or None


def _ending(found: Receipt) -> str:
    result, state = found.result, found.state
    match state:
        case "answered" if result is not None:
            sure = f", {result.confidence:.2f} sure" if result.confidence is not None else ""
            return f"{result.tier} answered it{sure}."
        case "review" if found.reviews:
            return decided(found.reviews[-1])
        case "review":
            kept = "its best effort is kept" if result is not None else "there is no best effort"
            return f"A person must look: {kept}."
        case "dead":
            return f"It is a dead letter: {reason(found.reason) or 'no reason was recorded'}."
        case "cancelled":
            return f"It was cancelled: {reason(found.reason) or 'by hand'}."
    return f"It is not done yet: {state_word(state, found.tier)}."


def decided(review: ReceiptReview) -> str:
    """What a person's verdict came to; a later one counts, not an earlier one."""
    who = review.reviewer
    match review.verdict:
        case "accept":
            return f"{who} accepted its best effort: it may go out."
        case "edit":
            return f"{who} wrote the reply that goes out."
    return f"{who} rejected it: nothing goes out."


def title(attempt: ReceiptAttempt) -> str:
    """What an attempt was for and who was asked."""
    if attempt.stage == "route":
        if attempt.model is None:
            return f"Routed by {attempt.rule or 'a rule'}, nobody was asked"
        return f"{attempt.tier} was asked how hard it is"
    if _unready(attempt):
        return "Nobody was asked to answer"
    asked = "was to be asked" if attempt.model is None else "was asked"
    return f"{attempt.tier} {asked} to answer"


def _unready(attempt: ReceiptAttempt) -> bool:
    return any(word.startswith("lookup:") for word in attempt.reasons)


def outcome(attempt: ReceiptAttempt) -> str:
    """What came of it, and what followed."""
    word, decision = attempt.outcome, attempt.decision or ""
    kind, _, where = decision.partition(":")
    match word:
        case "started":
            return "It is being worked on."
        case "routed":
            if attempt.difficulty:
                return f"{attempt.difficulty.capitalize()}: it starts at {where}."
            return f"It starts at {where}."
        case "accepted":
            return "The answer was accepted."
        case "deferred" if _unready(attempt):
            return f"It waits: {because(attempt)}; it is tried again, and this cost no try."
        case "deferred":
            return "Claude would not take it just then; it was tried later, and this cost no try."
        case "lost":
            return "Its worker died or Claude’s answer never came; it is charged at its worst case."
        case "failed":
            return f"It failed: {', '.join(map(reason, attempt.reasons)) or 'see the calls'}."
        case "withheld":
            grounds = because(attempt)
            return f"Nobody was asked, because {grounds}; so a person must look."
        case "superseded":
            return "Another attempt’s answer came first; this one was not needed."
    then = {
        "climb": f"so {where} was asked",
        "again": "so it was asked once more, and told what to fix",
        "review": "so a person must look",
        "accept": "and it was kept",
    }.get(kind, "")
    return f"Not good enough: {because(attempt)}{', ' + then if then else ''}."


def summary(attempts: Sequence[ReceiptAttempt]) -> str:
    """`3 attempts, 4 calls, 12 s of calling and 3 s of waiting`."""
    calls = sum(len(attempt.calls) for attempt in attempts)
    waited = sum(max(attempt.waited_s, 0) for attempt in attempts)
    took = sum(attempt.took_s or 0 for attempt in attempts)
    return (
        f"{plural(len(attempts), 'attempt')}, {plural(calls, 'call')};"
        f" {span(waited)} waiting for its turn, {span(took)} with Claude"
    )
