"""One attempt: ask, decide, and say what happened as a report. Runs on the event loop.

No transaction is open while a call is under way, and nothing here touches Postgres but one door:
`open_call` writes a further call's row before that call is sent.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from models.vocabulary import CallState, Purpose, Stage
from worker.claude.client import Claude
from worker.claude.planner import Planner
from worker.claude.requests import Ask
from worker.domain.answers import Answer, ModelAnswer, Troubled
from worker.domain.attempts import Claimed
from worker.domain.deciding import Decider
from worker.domain.judgement import Judgement, NeedsCheck
from worker.domain.reporting import failed_inside, not_sent
from worker.domain.reports import AttemptReport, CallReport
from worker.domain.shared_labels import Together
from worker.domain.trouble import Meaning, Trouble
from worker.failpoints import failpoint


@dataclass(frozen=True, slots=True)
class Asked:
    """What one call brought: its ledger entry, and an answer or trouble."""

    call: CallReport
    got: Answer | Troubled


@dataclass(frozen=True, slots=True)
class Asker:
    """Carries out claimed attempts."""

    claude: Claude
    planner: Planner
    decider: Decider
    open_call: Callable[[Claimed, Ask, Decimal], Awaitable[None]]
    ended: Callable[[str, Purpose, Answer | Troubled], None]
    """Hears of every call that ended, for the rate limits; must not block."""
    lease_s: float
    deadline_s: float

    async def attempt(self, claimed: Claimed, claimed_at: float) -> AttemptReport:
        """The report of one attempt; never raises. `claimed_at` is on the monotonic clock, taken
        before the claim, so that a worker which was frozen meanwhile sends nothing."""
        try:
            if claimed.plan.purpose is None:
                return self.decider.begin(claimed)
            if time.monotonic() - claimed_at > self.lease_s - self.deadline_s:
                return not_sent(claimed, "the worker was held up between claim and call")
            if claimed.candidate.stage is Stage.ROUTE:
                return await self._route(claimed)
            return await self._answer(claimed)
        except Exception as error:
            # A bug of ours: the money may be spent, so the ledger keeps the worst case.
            return failed_inside(claimed, error, self.decider.jitter())

    async def _route(self, claimed: Claimed) -> AttemptReport:
        asked = await self._ask(claimed, self.planner.ask(claimed), self.deadline_s)
        return self.decider.routed(claimed, asked.got, asked.call)

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
            return Together(group, got, price, self.decider.jitter()).reports()
        except Exception as error:
            return [failed_inside(claimed, error, self.decider.jitter()) for claimed in group]

    async def _answer(self, claimed: Claimed) -> AttemptReport:
        if claimed.plan.answer_fence is not None and claimed.candidate.kept is not None:
            return await self._check_kept(claimed, claimed.candidate.kept.answer)
        started = time.monotonic()
        asked = await self._ask(claimed, self.planner.ask(claimed), self.deadline_s)
        calls: tuple[CallReport, ...] = (asked.call,)
        if isinstance(asked.got, Troubled):
            return self.decider.unanswered(claimed, asked.got, calls)
        answer = asked.got.answer
        judged = self.decider.judge(claimed, answer)
        if isinstance(judged, NeedsCheck):
            ask = self.planner.check(claimed, judged.reply)
            worst = claimed.plan.worst_cost - claimed.plan.call_worst_cost
            try:
                await self.open_call(claimed, ask, worst)
            except Exception as error:
                return self._unopened(claimed, calls, error)
            remaining = max(self.deadline_s - (time.monotonic() - started), 1.0)
            return await self._checked(claimed, answer, calls, (ask, remaining, worst))
        return self.decider.judged(claimed, judged, calls)

    def _unopened(
        self, claimed: Claimed, calls: tuple[CallReport, ...], error: Exception
    ) -> AttemptReport:
        """The check has no row in the ledger, so it is not sent. Should the row be there after all
        (the reply to COMMIT was lost), it goes; the answer stays, paid, and is checked later."""
        unsent = CallReport(Purpose.CHECK, CallState.FAILED, sent=False)
        trouble = Trouble(Meaning.NOT_SENT, f"not in the ledger ({type(error).__name__})")
        return self.decider.troubled(claimed, trouble, (*calls, unsent))

    async def _check_kept(self, claimed: Claimed, answer: ModelAnswer) -> AttemptReport:
        """An earlier attempt's answer could not be checked then: ask for the check alone."""
        judged = self.decider.judge(claimed, answer)
        if isinstance(judged, Judgement):
            # Other validators are installed by now, and they need no check to reject it.
            unsent = CallReport(Purpose.CHECK, CallState.FAILED, sent=False)
            return self.decider.judged(claimed, judged, (unsent,))
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
        """Asks for the confidence; `check` is the question, its seconds left and worst cost."""
        checked = await self._ask(claimed, *check)
        return self.decider.checked(claimed, answer, checked.got, (*calls, checked.call))

    async def _ask(
        self, claimed: Claimed, ask: Ask, remaining_s: float, worst: Decimal | None = None
    ) -> Asked:
        got = await self.claude.ask(ask, remaining_s)
        failpoint("after send")
        self.ended(claimed.plan.tier or "", ask.purpose, got)
        worst = claimed.plan.call_worst_cost if worst is None else worst
        return Asked(self.decider.call(ask.purpose, ask.model, got, worst), got)
