"""What Claude said becomes a report: the same decisions in both lanes, with no I/O of their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from models.vocabulary import Purpose
from worker.domain.answers import Answer, ModelAnswer, Troubled, read_difficulty
from worker.domain.attempts import Claimed
from worker.domain.first_tier import Begin, critical_by, decide_start
from worker.domain.judgement import LOW_CONFIDENCE, Judgement, NeedsCheck, judge, too_long
from worker.domain.next_step import Accepted, AskAgain, Climbed, HandOver, decide
from worker.domain.policy import Policy
from worker.domain.pricing import Price
from worker.domain.reporting import (
    answered_call,
    best_effort,
    check_answer,
    routed,
    troubled_call,
    troubled_report,
)
from worker.domain.reports import (
    Again,
    Answered,
    AttemptReport,
    CallReport,
    ClimbTo,
    Ending,
    ToReview,
)
from worker.domain.trouble import NOT_NOW, Meaning, Trouble
from worker.domain.validation import Validator

REMEMBERED = "remembered label"
"""Stands in `attempts.rule` when an identical text had been classified before."""


@dataclass(frozen=True, slots=True)
class Decider:
    """Decides about claimed attempts. `prices` are by model; `instructions` is the answer's
    prompt, which a reply must not give away; `jitter` gives a number from 0 to 1."""

    prices: Mapping[str, Price | None]
    instructions: str
    validators: dict[str, Validator]
    jitter: Callable[[], float]

    def begin(self, claimed: Claimed) -> AttemptReport:
        """A rule, the policy's fixed tier or a remembered label decides; nothing is asked."""
        candidate = claimed.candidate
        start = decide_start(candidate.policy, candidate.message)
        if isinstance(start, Begin):
            return routed(claimed, start.tier, start.difficulty, (), start.rule)
        tier = candidate.policy.tier_for(candidate.remembered)
        return routed(claimed, tier, candidate.remembered, (), REMEMBERED)

    def call(
        self, purpose: Purpose, model: str, got: Answer | Troubled, worst: Decimal
    ) -> CallReport:
        """The ledger's entry of one call. `worst` is what one that may be billed is charged."""
        price = self.prices.get(model)
        if isinstance(got, Troubled):
            return troubled_call(purpose, got, worst if price else None)
        return answered_call(purpose, got, price)

    def routed(self, claimed: Claimed, got: Answer | Troubled, call: CallReport) -> AttemptReport:
        """After the classification."""
        policy = claimed.candidate.policy
        if isinstance(got, Troubled):
            if got.trouble.meaning is Meaning.TOO_LONG:
                # Too long even to classify: it starts where the unknown ones do.
                return routed(claimed, policy.tier_for(None), None, (call,), None)
            return self.troubled(claimed, got.trouble, (call,))
        difficulty = read_difficulty(got.answer)
        return routed(claimed, policy.tier_for(difficulty), difficulty, (call,), None)

    def unanswered(
        self, claimed: Claimed, got: Troubled, calls: tuple[CallReport, ...]
    ) -> AttemptReport:
        """The call for the answer brought trouble; a message too long for the tier climbs."""
        if got.trouble.meaning is Meaning.TOO_LONG:
            return self.judged(claimed, too_long(), calls)
        return self.troubled(claimed, got.trouble, calls)

    def checked(
        self,
        claimed: Claimed,
        answer: ModelAnswer,
        got: Answer | Troubled,
        calls: tuple[CallReport, ...],
    ) -> AttemptReport:
        """After the separate check. One that cannot be asked for now defers the attempt: its answer
        stays in the ledger, paid, and is checked later."""
        if isinstance(got, Troubled) and got.trouble.meaning in NOT_NOW:
            return self.troubled(claimed, got.trouble, calls)
        judged = self.judge(claimed, answer, check_answer(got))
        assert isinstance(judged, Judgement), "a checked answer is judged"
        return self.judged(claimed, judged, calls)

    def judge(
        self, claimed: Claimed, answer: ModelAnswer, check: ModelAnswer | None = None
    ) -> Judgement | NeedsCheck:
        """Validators, then confidence."""
        candidate = claimed.candidate
        return judge(
            candidate.policy,
            claimed.plan.tier or candidate.policy.rungs.bottom,
            candidate.message,
            answer,
            check,
            self.validators,
            self.instructions,
        )

    def troubled(
        self, claimed: Claimed, trouble: Trouble, calls: tuple[CallReport, ...]
    ) -> AttemptReport:
        """What follows from trouble with a call."""
        return troubled_report(claimed, trouble, calls, self.jitter())

    def judged(
        self, claimed: Claimed, judgement: Judgement, calls: tuple[CallReport, ...]
    ) -> AttemptReport:
        """Accept, climb, ask again or hand over."""
        candidate = claimed.candidate
        critical = critical_by(candidate.policy, candidate.message)
        decision = decide(
            candidate.policy,
            claimed.plan.tier or "",
            judgement,
            tuple(answer.past for answer in candidate.history),
            critical=critical is not None,
        )
        ending: Ending
        match decision:
            case Accepted():
                ending = Answered(judgement.reply or "", judgement.fields)
            case Climbed(to, reason):
                detail = _grounds(candidate.policy, judgement, critical)
                ending = ClimbTo(to, candidate.policy.rungs.rung(to), reason, detail)
            case AskAgain(_, hint):
                ending = Again(hint)
            case HandOver(reason):
                ending = ToReview(reason, best_effort(claimed, judgement, calls))
        return AttemptReport(
            candidate.job_id,
            candidate.fence,
            judgement.outcome,
            ending,
            calls,
            judgement.reasons,
            judgement.findings,
            confidence=judgement.confidence,
            threshold=judgement.threshold,
        )


def _grounds(policy: Policy, judgement: Judgement, critical: str | None) -> str | None:
    """What an escalation says beside its reason: the rule that made it a longer step."""
    if critical is None or judgement.reasons[0] != LOW_CONFIDENCE:
        return None
    if policy.climb.critical_low_confidence is None:
        return None
    return f"{', '.join(judgement.reasons)}; critical by rule: {critical}"
