"""One attempt as a machine: no clock, no I/O, the same in both lanes and in a replay.

```
begin ─┬─> report                    a rule, the policy or a label decides; or it could be too dear
       └─> question ─heard─┬─> report
                           └─> question ─heard─> report     the separate check of an answer
```

A question whose report comes before its answer was never sent: its row leaves the ledger.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.vocabulary import AttemptOutcome, Purpose
from worker.domain.answers import Answer, ModelAnswer, Troubled, read_difficulty
from worker.domain.best_effort import best_effort, earlier_answer
from worker.domain.claimed import Claimed, Question, Unready, Withheld
from worker.domain.endings import Again, Deferred, Ending, Failed, RoutedTo, ToReview
from worker.domain.first_tier import Decided, critical_by
from worker.domain.judgement import Judgement, NeedsCheck, judge, too_long
from worker.domain.next_step import decide
from worker.domain.pricing import Price
from worker.domain.reports import AttemptReport, CallReport, call_of, lost_call, unsent_call
from worker.domain.shown import Shown
from worker.domain.trouble import NOT_NOW, Meaning, Trouble, follow_up, lookup_delay_s
from worker.domain.validation import Finding, Validator
from worker.domain.wording import dollars

FAILED_INSIDE_DELAY_S = 60.0
NO_CHECK = ModelAnswer("", "check failed")
"""A check that brought nothing leaves confidence unreadable, which is LOW."""
TOO_COSTLY = "too_costly"
"""Reason of an attempt that could have cost more than a message may."""
NO_LABEL = "no label"
"""Reason of an attempt whose label the answer to a shared request lacked."""
SPOILT = frozenset({Meaning.TOO_LONG, Meaning.PERMANENT})
"""Trouble with a shared request that may be about one of its messages only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standards:
    """What answers are judged by: the price of a model, the answer's prompt (which a reply must
    not give away), and validators by name. `jitter` gives a number from 0 to 1."""

    price: Callable[[str], Price | None]
    instructions: str
    validators: Mapping[str, Validator]
    jitter: Callable[[], float]
    knowledge: tuple[Shown, ...] = ()
    """The knowledge that stands in the answer's prompt."""


class Attempt:
    """`begin`, then `heard` of every call, until a report comes. `calls` are those that ended."""

    def __init__(self, claimed: Claimed, standards: Standards) -> None:
        self.calls: tuple[CallReport, ...] = ()
        self._candidate, self._plan, self._standards = claimed.candidate, claimed.plan, standards
        self._open = claimed.question
        kept = claimed.candidate.kept
        self._answer = kept.answer if kept is not None else None

    def begin(self) -> Question | AttemptReport:
        """The first question, or a report where nothing has to be asked."""
        if isinstance(self._plan, Decided):
            return self._routed(self._plan.tier, self._plan.difficulty, self._plan.rule)
        if isinstance(self._plan, Withheld):
            return self._withheld(self._plan)
        if isinstance(self._plan, Unready):
            return self._unready(self._plan)
        return self._judged(self._plan) if self._plan.purpose is Purpose.CHECK else self._plan

    def heard(self, got: Answer | Troubled) -> Question | AttemptReport:
        """What the open question brought."""
        question, self._open = self._asked(), None
        self.calls += (call_of(question, got, self._standards.price(question.model)),)
        if question.purpose is Purpose.CLASSIFY:
            return self._labelled(question, got)
        if isinstance(got, Troubled):
            return self._unanswered(question, got.trouble)
        check = got.answer if question.purpose is Purpose.CHECK else None
        if check is None:
            self._answer = got.answer
        return self._judged(question, check)

    def put_off(self, trouble: Trouble) -> AttemptReport:
        """The open question cannot be asked."""
        return self._troubled(self._asked(), trouble)

    def unheard(self, trouble: Trouble) -> AttemptReport:
        """The open question was asked, and nothing will be heard of it any more."""
        question, self._open = self._asked(), None
        price = self._standards.price(question.model)
        self.calls += (call_of(question, Troubled(trouble, None), price),)
        return self._troubled(question, trouble)

    def held_back(self, why: str) -> AttemptReport:
        """The open question is better not asked by whoever has it now: ready again at once."""
        return self._report(AttemptOutcome.DEFERRED, Deferred(0, why), ("not sent",))

    def failed(self, error: Exception) -> AttemptReport:
        """A bug of ours. The open question may have been asked: it is charged its worst case."""
        trouble = Trouble(meaning=Meaning.UNKNOWN, kind=f"internal error ({type(error).__name__})")
        ending = self._follow_up(trouble, "")
        if isinstance(ending, Failed):
            ending = replace(ending, delay_s=FAILED_INSIDE_DELAY_S)
        if (question := self._open) is not None:
            self.calls, self._open = (*self.calls, lost_call(question, trouble)), None
        return self._report(AttemptOutcome.FAILED, ending, (trouble.kind,))

    def _unready(self, plan: Unready) -> AttemptReport:
        """Asked later, or left to a person with the best that there was before."""
        ending: Ending = ToReview(plan.reason, earlier_answer(self._candidate.history))
        if not plan.for_person:
            ending = Deferred(lookup_delay_s(self._candidate.deferrals), plan.why)
        outcome = AttemptOutcome.FAILED if plan.for_person else AttemptOutcome.DEFERRED
        why = Finding(plan.reason, "warn", plan.why)
        return self._report(outcome, ending, (plan.reason,), findings=(why,))

    def _asked(self) -> Question:
        assert self._open is not None, "an attempt that asks has an open question"
        return self._open

    def _labelled(self, question: Question, got: Answer | Troubled) -> AttemptReport:
        policy, shared = self._candidate.policy, got.shared > 1
        if isinstance(got, Answer):
            difficulty = read_difficulty(got.answer)
            if difficulty is None and shared:
                return self._alone(AttemptOutcome.MALFORMED, NO_LABEL)
            return self._routed(policy.tier_for(difficulty), difficulty)
        if shared and got.trouble.meaning in SPOILT:
            return self._alone(AttemptOutcome.FAILED, "shared request refused")
        if got.trouble.meaning is Meaning.TOO_LONG:
            # Too long even to classify: it starts where the unknown ones do.
            return self._routed(policy.tier_for(None), None)
        return self._troubled(question, got.trouble)

    def _withheld(self, plan: Withheld) -> AttemptReport:
        """A person takes over, with the best that was paid for."""
        words = (
            f"up to {dollars(plan.worst)} more after {dollars(plan.spent)}, and a message may cost"
            f" {dollars(plan.most)}"
        )
        return self._report(
            AttemptOutcome.WITHHELD,
            ToReview(TOO_COSTLY, earlier_answer(self._candidate.history)),
            (TOO_COSTLY,),
            findings=(Finding("max_cost_per_message", "reject", words),),
        )

    def _alone(self, outcome: AttemptOutcome, reason: str) -> AttemptReport:
        """The message's label is asked for once more, by itself."""
        return self._report(outcome, Again({"alone": True}), (reason,))

    def _routed(self, tier: str, difficulty: str | None, rule: str | None = None) -> AttemptReport:
        ending = RoutedTo(tier, self._candidate.policy.rungs.rung(tier), difficulty)
        reasons = ("unknown label",) if self.calls and difficulty is None else ()
        return self._report(
            AttemptOutcome.ROUTED, ending, reasons, difficulty=difficulty, rule=rule
        )

    def _unanswered(self, question: Question, trouble: Trouble) -> Question | AttemptReport:
        """A message too long for the tier climbs. A check that cannot be asked for now defers the
        attempt: its answer stays in the ledger, paid, and is checked later."""
        if question.purpose is Purpose.CHECK and trouble.meaning not in NOT_NOW:
            return self._judged(question, NO_CHECK)
        if question.purpose is Purpose.ANSWER and trouble.meaning is Meaning.TOO_LONG:
            return self._decided(question, too_long())
        return self._troubled(question, trouble)

    def _judged(
        self, question: Question, check: ModelAnswer | None = None
    ) -> Question | AttemptReport:
        """Validators, then confidence: a report, or the check as the next question."""
        if self._answer is None:
            return self.held_back("the answer to be checked is gone")
        frozen, standards = self._candidate.prompts, self._standards
        prompt = frozen[Purpose.ANSWER] if frozen is not None else None
        judged = judge(
            self._candidate.policy,
            question.tier,
            self._candidate.message,
            self._answer,
            check,
            validators=standards.validators,
            instructions=prompt.instructions if prompt is not None else standards.instructions,
            difficulty=self._candidate.difficulty,
            context=self._candidate.context,
            knowledge=prompt.shown if prompt is not None else standards.knowledge,
        )
        if isinstance(judged, NeedsCheck):
            self._open = question.check(judged.reply)
            return self._open
        return self._decided(question, judged)

    def _decided(self, question: Question, judgement: Judgement) -> AttemptReport:
        """Accept, climb, ask again or hand over."""
        candidate = self._candidate
        ending: Ending = decide(
            candidate.policy,
            question.tier,
            judgement,
            [answer.past for answer in candidate.history],
            critical=critical_by(candidate.policy, candidate.message),
        )
        if isinstance(ending, ToReview):
            ending = replace(ending, best=best_effort(candidate, question, judgement, self.calls))
        return self._report(
            judgement.outcome,
            ending,
            judgement.reasons,
            findings=judgement.findings,
            confidence=judgement.confidence,
            threshold=judgement.threshold,
            standing=judgement.standing,
        )

    def _troubled(self, question: Question, trouble: Trouble) -> AttemptReport:
        ending = self._follow_up(trouble, question.queue)
        put_off = isinstance(ending, Deferred)
        outcome = AttemptOutcome.DEFERRED if put_off else AttemptOutcome.FAILED
        return self._report(outcome, ending, (trouble.kind,))

    def _follow_up(self, trouble: Trouble, queue: str) -> Ending:
        return follow_up(
            trouble,
            queue=queue,
            failures=self._candidate.failures,
            deferrals=self._candidate.deferrals,
            jitter=self._standards.jitter(),
        )

    def _report(
        self, outcome: AttemptOutcome, ending: Ending, reasons: tuple[str, ...] = (), **more: Any
    ) -> AttemptReport:
        unsent = () if self._open is None else (unsent_call(self._open),)
        return AttemptReport(
            job_id=self._candidate.job_id,
            fence=self._candidate.fence,
            outcome=outcome,
            ending=ending,
            calls=(*self.calls, *unsent),
            reasons=reasons,
            **more,
        )
