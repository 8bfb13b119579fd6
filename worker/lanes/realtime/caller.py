"""Carries out claimed attempts: asks what they want to know, until their reports come. Runs on the
event loop.

No transaction is open while a call is under way, and nothing here touches Postgres but one door:
`open_call` writes a further call's row before that call is sent.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from worker.claude.client import Claude
from worker.claude.planner import Planner
from worker.claude.requests import Ask
from worker.domain.answers import Answer, Troubled
from worker.domain.attempt import Attempt, Standards
from worker.domain.claimed import Claimed, Question
from worker.domain.reports import AttemptReport
from worker.domain.shared_labels import parts_of
from worker.domain.trouble import Meaning, Trouble
from worker.domain.validation import BUILTIN
from worker.failpoints import failpoint

HELD_UP = "the worker was held up between claim and call"
LEAST_S = 1.0
"""A further call has at least so long, whatever the one before it has left of the deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Makes the calls of a worker process."""

    claude: Claude
    planner: Planner
    standards: Standards
    open_call: Callable[[Claimed, Question], Awaitable[None]]
    ended: Callable[[Claimed, Question, Answer | Troubled], None]
    """Hears of every call that ended, for the rate limits, by the first message that shared it;
    must not block."""
    lease_s: float
    deadline_s: float

    async def carry_out(self, request: Sequence[Claimed], claimed_at: float) -> list[AttemptReport]:
        """The reports of attempts that share one request, mostly of one alone; never raises.
        `claimed_at` is on the monotonic clock, taken before the claim, so that a worker which was
        frozen meanwhile sends nothing."""
        attempts = [Attempt(claimed, self.standards) for claimed in request]
        late = time.monotonic() - claimed_at > self.lease_s - self.deadline_s
        try:
            steps = [attempt.begin() for attempt in attempts]
            if late and isinstance(steps[0], Question):
                return [attempt.held_back(HELD_UP) for attempt in attempts]
            deadline = time.monotonic() + self.deadline_s
            while isinstance(question := steps[0], Question):
                steps = await self._next(request, attempts, question, deadline)
            return [step for step in steps if isinstance(step, AttemptReport)]
        except Exception as error:
            return [attempt.failed(error) for attempt in attempts]

    async def _next(
        self,
        request: Sequence[Claimed],
        attempts: Sequence[Attempt],
        question: Question,
        deadline: float,
    ) -> list[Question | AttemptReport]:
        """What follows from the answer to a question; `deadline` is on the monotonic clock."""
        if attempts[0].calls and (trouble := await self._unopened(request[0], question)):
            return [attempt.put_off(trouble) for attempt in attempts]
        got = await self.claude.ask(
            self._request(request, question), max(deadline - time.monotonic(), LEAST_S)
        )
        failpoint("after send")
        self.planner.learn(request[0].candidate, question, got)
        self.ended(request[0], question, got)
        parts = [got] if question.together == 1 else parts_of(got, request)
        known, uses = self.standards.validators, request[0].candidate.policy.accept.validators
        if all(known.get(use.name) is BUILTIN.get(use.name) for use in uses):
            return _heard(attempts, parts)
        # A validator of somebody's own may take its whole bound, while other calls' answers wait.
        return await asyncio.to_thread(_heard, attempts, parts)

    def _request(self, request: Sequence[Claimed], question: Question) -> Ask:
        if question.together == 1:
            return self.planner.ask(request[0], question)
        return self.planner.ask_together(request, question)

    async def _unopened(self, claimed: Claimed, question: Question) -> Trouble | None:
        """Why a further call has no row in the ledger: then it is not sent. Should the row be there
        after all (the reply to COMMIT was lost), it goes; the answer before it stays, paid."""
        try:
            await self.open_call(claimed, question)
        except Exception as error:
            return Trouble(
                meaning=Meaning.NOT_SENT, kind=f"not in the ledger ({type(error).__name__})"
            )
        return None


def _heard(
    attempts: Sequence[Attempt], parts: Sequence[Answer | Troubled]
) -> list[Question | AttemptReport]:
    return [attempt.heard(part) for attempt, part in zip(attempts, parts, strict=True)]
