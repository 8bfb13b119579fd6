"""A certificate in sentences that a person can sign or object to."""

from worker.domain.proof.certificates import PILOT_SHARE
from worker.domain.proof.claims import Certification, Claim, Refusal
from worker.domain.wording import percent, plural


def claim_sentence(result: Certification) -> str:
    """What is claimed, whether or not it is granted."""
    terms = result.terms
    if terms.claim is Claim.PARITY:
        return (
            f"at most {percent(terms.alpha, 1)} of all messages are answered worse at {terms.tier}"
            f" than {terms.top} would have answered them."
        )
    right = percent(1 - terms.alpha, 1)
    return f"at least {right} of the answers accepted at {terms.tier} are right."


def rests_on(result: Certification, source: str) -> str:
    """Threshold, counts, bound, share and level of a claim that is granted."""
    return (
        f"At a score of {result.threshold:.3f} or more, which {percent(result.coverage, 1)} of the"
        f" messages reach: {plural(result.errors, 'error')} in {plural(result.labels, 'label')}"
        f" of {source}, so at most {percent(result.upper, 2)}, said falsely in at most"
        f" {percent(result.terms.delta, 2)} of the cases."
    )


def refusal_sentence(result: Certification) -> str:
    """What is missing: how many labels with how few errors would have been enough."""
    needs, errors, labels = result.needs or 0, result.errors, result.labels
    match result.refusal:
        case Refusal.SIMULATED:
            return "A simulator made these answers up; they certify nothing about a real model."
        case Refusal.NOISE:
            return (
                f"The judges differ on {errors} of the {labels:,} answers that two of them judged,"
                " more than the claim allows answers to be wrong. Agree first on what right means."
            )
        case Refusal.NOTHING_ACCEPTED:
            return (
                f"No answer of {result.terms.tier} that passed the validators reaches any"
                " threshold, so nothing would be accepted under it."
            )
    takes = f"It takes {plural(needs, 'label')} with at most {plural(result.allowed, 'error')}"
    if result.refusal is Refusal.FEW_LABELS or not labels:
        return f"{takes}; there are {labels:,}.{_beside(result)}"
    have = f"there are {labels:,} with {errors}"
    if errors >= result.terms.alpha * labels:
        return (
            f"The labels speak against it: there are {plural(labels, 'label')} with"
            f" {plural(errors, 'error')}, {percent(errors / labels, 1)}. More of them will not"
            " help; a better prompt, more signals or a larger alpha may."
        )
    return f"{takes}; {have}.{_beside(result)}"


def _beside(result: Certification) -> str:
    """Why not all labels count, where a scorer was fitted."""
    if not result.pilot:
        return ""
    return (
        f" {percent(PILOT_SHARE)} of all labels, here {result.pilot:,}, serve for the scorer and"
        " are not among them."
    )
