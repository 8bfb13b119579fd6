"""Certifying recorded runs: what may be claimed of answers that people judged."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection

from worker.domain.policy_documents import from_document, rules_of
from worker.domain.proof.certificates import labelled_evenly
from worker.domain.proof.claims import Claim, ClaimTerms
from worker.domain.proof.exact_tails import proves
from worker.domain.proof.graded import GradedMessage, in_order
from worker.domain.proof.ladder_certificates import (
    Certificate,
    CertificateQuestion,
    certify,
    stricter,
)
from worker.errors import UsageError
from worker.store.actions import certificates
from worker.store.actions.certificates import Issue
from worker.store.audit import Actor
from worker.store.reading.graded import population
from worker.store.reading.populations import AnswerKey, Population
from worker.store.runs import StoredRun

LOOKS_SHARE = 0.8
"""Of delta, for the first look; of what is left, for each later one. Who looks again and again
until it passes would be wrong far more often than delta says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationRequest:
    """What is to be certified of which runs. `rehearse` takes simulated answers, and certifies
    nothing by them."""

    tier: str | None
    claim: Claim
    alpha: float
    delta: float
    fitted: bool
    segment_by: str | None
    first: int | None = None
    rehearse: bool = False
    store: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationOutcome:
    """A certification of runs. `number` is the stored certificate's, None when there is none;
    `look` counts the looks at new labels for this very question, and `spent` is the delta of this
    one."""

    made: Certificate
    found: Population
    number: int | None
    look: int
    spent: float
    runs: list[str]
    rehearsal: bool


def certify_runs(
    connection: Connection, actor: Actor, runs: Sequence[StoredRun], request: CertificationRequest
) -> CertificationOutcome:
    """Looks at the labels of the runs, and stores what is granted. Raises UsageError when the
    answers were not all given under one key, or the tier is none of theirs."""
    ladder = from_document(runs[0].policy).ladder
    tier = request.tier or ladder[0]
    if tier not in ladder:
        raise UsageError(f"Run {runs[0].name} has no tier {tier!r}; it has {', '.join(ladder)}.")
    found = population(connection, [run.id for run in runs], request.segment_by or "difficulty")
    key = one_key(found, tier, runs)
    asked, labels = _digests(found, tier, runs, request)
    look, new = certificates.look(connection, asked, labels)
    spent = request.delta * LOOKS_SHARE * (1 - LOOKS_SHARE) ** (look - 1)
    question = _question(found, ladder, tier, request, spent)
    if new and could_prove(question):
        certificates.remember_look(connection, actor, asked, labels)
    made = certify(question, segments=request.segment_by is not None)
    number = None
    if made.result.certified and request.store:
        rehearsal = found.simulated
        issue = Issue(
            made=made,
            fallback=stricter(question.messages, made),
            segment_by=request.segment_by or "difficulty",
            key=asdict(key) if key is not None else {},
            runs=[run.name for run in runs],
            sources={
                "verdicts": found.verdicts,
                "begun": found.begun,
                "ended": found.ended,
                "twice": found.twice,
                "differing": found.differing,
            },
            rehearsal=rehearsal,
        )
        number = certificates.issue(connection, actor, issue)
    return CertificationOutcome(
        made=made,
        found=found,
        number=number,
        look=look,
        spent=spent,
        runs=[run.name for run in runs],
        rehearsal=found.simulated and request.rehearse,
    )


def one_key(found: Population, tier: str, runs: Sequence[StoredRun]) -> AnswerKey | None:
    """The one key of the tier's accepted answers, with the rules of the policy for its version.
    Raises UsageError when there are several; None when nothing was accepted there."""
    rules = {run.policy_version: rules_of(from_document(run.policy)) for run in runs}
    keys = {
        replace(key, policy_version=rules.get(key.policy_version, key.policy_version))
        for key in found.keys.get(tier, ())
    }
    if len(keys) > 1:
        differing = [
            name for name in AnswerKey.__slots__ if len({getattr(key, name) for key in keys}) > 1
        ]
        raise UsageError(
            f"The answers accepted at {tier} were given under {len(keys)} versions, which differ in"
            f" {' and '.join(differing).replace('_', ' ')}; a certificate holds for one.",
            mend="name runs of one version alone",
        )
    return next(iter(keys), None)


def could_prove(question: CertificateQuestion) -> bool:
    """Whether so many labels could prove the claim, if none of them were wrong. A look that could
    prove nothing whatever it found cannot be false, so it costs nothing."""
    labels = len(question.labelled)
    return not question.simulated and proves(0, labels, question.alpha, question.delta)


def _digests(
    found: Population, tier: str, runs: Sequence[StoredRun], request: CertificationRequest
) -> tuple[str, str]:
    """Which question is put, and to which labels. Another alpha or another way of scoring is
    another look at the same question, not another question."""
    words = "|".join([*sorted(str(run.id) for run in runs), tier])
    asked = replace(request, store=True, rehearse=False)
    labels = "|".join([*sorted(found.labels), repr(asked)])
    return _digest(words), _digest(labels)


def _question(
    found: Population, ladder: Sequence[str], tier: str, request: CertificationRequest, delta: float
) -> CertificateQuestion:
    terms = ClaimTerms(
        claim=request.claim, tier=tier, top=ladder[-1], alpha=request.alpha, delta=delta
    )
    labelled = in_order(labelled_evenly(_Settled(found.sampled, terms), terms))
    return CertificateQuestion(
        messages=found.messages,
        labelled=labelled[: request.first],
        ladder=ladder,
        tier=tier,
        claim=request.claim,
        alpha=request.alpha,
        delta=delta,
        fitted=request.fitted,
        simulated=found.simulated and not request.rehearse,
        twice=found.twice,
        differing=found.differing,
    )


@dataclass(frozen=True, slots=True)
class _Settled:
    """These messages, each time anew. What a judging tier handed to people counts as wrong until
    they have looked: what waits of it is no random part."""

    messages: Iterable[GradedMessage]
    terms: ClaimTerms

    def __iter__(self) -> Iterator[GradedMessage]:
        return map(self._settled, self.messages)

    def _settled(self, message: GradedMessage) -> GradedMessage:
        tier = self.terms.tier
        answer = message.answered(tier)
        if answer is None or not answer.waits:
            return message
        return replace(message, answers={**message.answers, tier: replace(answer, right=False)})


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:24]
