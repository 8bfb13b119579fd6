"""One attempt: ask, decide, and say what happened as a report. Runs on the event loop.

No transaction is open while a call is under way, and nothing here touches Postgres but one door:
`open_call` writes a further call's row before that call is sent.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from models.vocabulary import (
    CallState,
    Purpose,
    Stage,
)
from worker.classifying import Together
from worker.claude.client import Answer, Claude, Troubled
from worker.claude.requests import Ask
from worker.domain.answers import ModelAnswer, read_difficulty
from worker.domain.climbing import Accepted, AskAgain, Climbed, HandOver, decide
from worker.domain.judging import Judgement, NeedsCheck, judge, too_long
from worker.domain.reports import (
    Again,
    Answered,
    AttemptReport,
    CallReport,
    ClimbTo,
    Ending,
    ToReview,
)
from worker.domain.start import Begin, decide_start, is_critical
from worker.domain.trouble import Meaning, Trouble
from worker.domain.validation import Validator
from worker.failpoints import failpoint
from worker.planning import Planner
from worker.reporting import (
    answered_call,
    best_effort,
    check_answer,
    failed_inside,
    not_sent,
    routed,
    troubled_call,
    troubled_report,
)
from worker.store.claimed import Claimed

NOT_NOW = frozenset(
    {Meaning.NOT_SENT, Meaning.REFUSED_FOR_NOW, Meaning.CONFIGURATION, Meaning.MONEY}
)
"""What keeps a check from being asked, and says nothing about the answer."""
REMEMBERED = "remembered label"
"""Stands in `attempts.rule` when an identical text had been classified before."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one call brought: its ledger entry, and an answer or trouble."""

    call: CallReport
    got: Answer | Troubled


@dataclass(frozen=True, slots=True)
class Asker:
    """Carries out claimed attempts. `jitter` gives a number from 0 to 1."""

    claude: Claude
    planner: Planner
    validators: dict[str, Validator]
    open_call: Callable[[Claimed, Ask, Decimal], Awaitable[None]]
    ended: Callable[[str, Purpose, Answer | Troubled], None]
    """Hears of every call that ended, for the rate limits; must not block."""
    jitter: Callable[[], float]
    lease_s: float
    deadline_s: float

    async def attempt(self, claimed: Claimed, claimed_at: float) -> AttemptReport:
        """The report of one attempt; never raises. `claimed_at` is on the monotonic clock, taken
        before the claim, so that a worker which was frozen meanwhile sends nothing."""
        try:
            if claimed.plan.purpose is None:
                return self._begin(claimed)
            if time.monotonic() - claimed_at > self.lease_s - self.deadline_s:
                return not_sent(claimed, "the worker was held up between claim and call")
            if claimed.candidate.stage is Stage.ROUTE:
                return await self._route(claimed)
            return await self._answer(claimed)
        except Exception as error:
            # A bug of ours: the money may be spent, so the ledger keeps the worst case.
            return failed_inside(claimed, error, self.jitter())

    def _begin(self, claimed: Claimed) -> AttemptReport:
        """A rule, the policy's fixed tier or a remembered label decides; nothing is asked."""
        candidate = claimed.candidate
        start = decide_start(candidate.policy, candidate.message)
        if isinstance(start, Begin):
            return routed(claimed, start.tier, start.difficulty, (), start.rule)
        tier = candidate.policy.tier_for(candidate.remembered)
        return routed(claimed, tier, candidate.remembered, (), REMEMBERED)

    async def _route(self, claimed: Claimed) -> AttemptReport:
        asked = await self._ask(claimed, self.planner.ask(claimed), self.deadline_s)
        if isinstance(asked.got, Troubled):
            if asked.got.trouble.meaning is Meaning.TOO_LONG:
                # Too long even to classify: it starts where the unknown ones do.
                tier = claimed.candidate.policy.tier_for(None)
                return routed(claimed, tier, None, (asked.call,), None)
            return self._troubled(claimed, asked.got.trouble, (asked.call,))
        difficulty = read_difficulty(asked.got.answer)
        tier = claimed.candidate.policy.tier_for(difficulty)
        return routed(claimed, tier, difficulty, (asked.call,), None)

    async def attempt_together(
        self, group: Sequence[Claimed], claimed_at: float
    ) -> list[AttemptReport]:
        """As `attempt`, for routing attempts that share one request; never raises."""
        if group[0].plan.together == 1:
            return [await self.attempt(group[0], claimed_at)]
        try:
            if time.monotonic() - claimed_at > self.lease_s - self.deadline_s:
                held_up = "the worker was held up between claim and call"
                return [not_sent(claimed, held_up) for claimed in group]
            ask = self.planner.ask_together(group)
            got = await self.claude.ask(ask, self.deadline_s)
            self.ended(group[0].plan.tier or "", ask.purpose, got)
            price = self.planner.prices[ask.model]
            return Together(group, got, price, self.jitter()).reports()
        except Exception as error:
            return [failed_inside(claimed, error, self.jitter()) for claimed in group]

    async def _answer(self, claimed: Claimed) -> AttemptReport:
        if claimed.plan.answer_fence is not None and claimed.candidate.kept is not None:
            return await self._check_kept(claimed, claimed.candidate.kept.answer)
        started = time.monotonic()
        asked = await self._ask(claimed, self.planner.ask(claimed), self.deadline_s)
        calls: tuple[CallReport, ...] = (asked.call,)
        if isinstance(asked.got, Troubled):
            if asked.got.trouble.meaning is Meaning.TOO_LONG:
                return self._judged(claimed, too_long(), calls)
            return self._troubled(claimed, asked.got.trouble, calls)
        answer = asked.got.answer
        judged = self._judge(claimed, answer)
        if isinstance(judged, NeedsCheck):
            ask = self.planner.check(claimed, judged.reply)
            worst = claimed.plan.worst_cost - claimed.plan.call_worst_cost
            try:
                await self.open_call(claimed, ask, worst)
            except Exception as error:
                return self._unopened(claimed, calls, error)
            remaining = max(self.deadline_s - (time.monotonic() - started), 1.0)
            return await self._checked(claimed, answer, calls, (ask, remaining, worst))
        return self._judged(claimed, judged, calls)

    def _unopened(
        self, claimed: Claimed, calls: tuple[CallReport, ...], error: Exception
    ) -> AttemptReport:
        """The check has no row in the ledger, so it is not sent. Should the row be there after all
        (the reply to COMMIT was lost), it goes; the answer stays, paid, and is checked later."""
        unsent = CallReport(Purpose.CHECK, CallState.FAILED, sent=False)
        trouble = Trouble(Meaning.NOT_SENT, f"not in the ledger ({type(error).__name__})")
        return self._troubled(claimed, trouble, (*calls, unsent))

    async def _check_kept(self, claimed: Claimed, answer: ModelAnswer) -> AttemptReport:
        """An earlier attempt's answer could not be checked then: ask for the check alone."""
        judged = self._judge(claimed, answer)
        if isinstance(judged, Judgement):
            # Other validators are installed by now, and they need no check to reject it.
            unsent = CallReport(Purpose.CHECK, CallState.FAILED, sent=False)
            return self._judged(claimed, judged, (unsent,))
        ask = self.planner.check(claimed, judged.reply)
        worst = claimed.plan.call_worst_cost
        return await self._checked(claimed, answer, (), (ask, self.deadline_s, worst))

    async def _checked(
        self,
        claimed: Claimed,
        answer: ModelAnswer,
        calls: tuple[CallReport, ...],
        check: tuple[Ask, float, Decimal],
    ) -> AttemptReport:
        """Asks for the confidence, with seconds left and worst cost. A check that cannot be asked
        for now defers the attempt: its answer stays in the ledger, paid, and is checked later."""
        checked = await self._ask(claimed, *check)
        calls += (checked.call,)
        if isinstance(checked.got, Troubled) and checked.got.trouble.meaning in NOT_NOW:
            return self._troubled(claimed, checked.got.trouble, calls)
        judged = self._judge(claimed, answer, check_answer(checked.got))
        assert isinstance(judged, Judgement), "a checked answer is judged"
        return self._judged(claimed, judged, calls)

    def _judge(
        self, claimed: Claimed, answer: ModelAnswer, check: ModelAnswer | None = None
    ) -> Judgement | NeedsCheck:
        candidate = claimed.candidate
        tier = claimed.plan.tier or candidate.policy.rungs.bottom
        return judge(
            candidate.policy,
            tier,
            candidate.message,
            answer,
            check,
            self.validators,
            self.planner.prompts[Purpose.ANSWER].instructions,
        )

    async def _ask(
        self, claimed: Claimed, ask: Ask, remaining_s: float, worst: Decimal | None = None
    ) -> Asked:
        got = await self.claude.ask(ask, remaining_s)
        failpoint("after send")
        self.ended(claimed.plan.tier or "", ask.purpose, got)
        price = self.planner.prices[ask.model]
        worst = claimed.plan.call_worst_cost if worst is None else worst
        if isinstance(got, Troubled):
            return Asked(troubled_call(ask.purpose, got, worst if price else None), got)
        return Asked(answered_call(ask.purpose, got, price), got)

    def _troubled(
        self, claimed: Claimed, trouble: Trouble, calls: tuple[CallReport, ...]
    ) -> AttemptReport:
        return troubled_report(claimed, trouble, calls, self.jitter())

    def _judged(
        self, claimed: Claimed, judgement: Judgement, calls: tuple[CallReport, ...]
    ) -> AttemptReport:
        candidate, tier = claimed.candidate, claimed.plan.tier or ""
        decision = decide(
            candidate.policy,
            tier,
            judgement,
            tuple(answer.past for answer in candidate.history),
            critical=is_critical(candidate.policy, candidate.message),
        )
        ending: Ending
        match decision:
            case Accepted():
                ending = Answered(judgement.reply or "", judgement.fields)
            case Climbed(to, reason):
                ending = ClimbTo(to, candidate.policy.rungs.rung(to), reason)
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
