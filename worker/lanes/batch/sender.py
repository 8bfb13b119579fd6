"""Sends a slice to Claude, and says what a refusal means.

Promise: only what certainly was not taken is released; a create of which nothing is known stays an
intent, for the listing of recent batches to tell.
"""

import itertools
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from models.vocabulary import ROUTING, BatchState, CallState, Purpose
from worker.claude.batches import MAX_REQUESTS, Batches
from worker.claude.planner import Planner
from worker.claude.requests import Ask
from worker.config.sections import BatchSettings
from worker.domain.attempts import Claimed
from worker.domain.deciding import Decider
from worker.domain.judgement import Judgement
from worker.domain.reporting import not_sent
from worker.domain.reports import AttemptReport, CallReport
from worker.domain.trouble import Meaning, Trouble
from worker.failpoints import failpoint
from worker.store.queue import message_batches
from worker.store.queue.leaving_batch import turnaround_s
from worker.store.queue.record import record
from worker.store.queue.slices import Claimants

log = logging.getLogger(__name__)
REFUSED_AS_A_WHOLE = (Meaning.PERMANENT, Meaning.TOO_LONG)
NEEDS_A_PERSON = (Meaning.CONFIGURATION, Meaning.MONEY)


@dataclass(frozen=True, slots=True)
class Sender:
    """Creates batches. `sizes` holds the requests of the next slice, by tier and `routing`: halved
    by a refusal, doubled again by what Claude takes."""

    engine: Engine
    claude: Batches
    claimants: Claimants
    decider: Decider
    planner: Planner
    settings: BatchSettings
    poll_s: float
    sizes: dict[str, int]

    def send(self, batch_id: int) -> bool:
        """Builds the requests from the record, and creates the batch. Whether Claude has it."""
        with self.engine.connect() as connection:
            keys = message_batches.open_attempts(connection, batch_id, MAX_REQUESTS)
            claimed = list(self.claimants.of(connection, keys).values())
            waited_for = message_batches.waited_for(connection, batch_id)
            takes_s = turnaround_s(connection, self.settings.turnaround_s)
        asks, claims, settled = list[Ask](), list[Claimed](), list[AttemptReport]()
        for one in claimed:
            wanted = (one.candidate.job_id, one.candidate.fence) in waited_for
            made = self._request(one) if wanted else not_sent(one, "nobody waits for it any more")
            if isinstance(made, Ask):
                asks.append(made)
                claims.append(one)
            else:
                settled.append(made)
        self._record(settled)
        if not asks:
            self._close(batch_id, "nothing was left to be asked")
            return False
        with self.engine.begin() as connection:
            message_batches.resize(connection, batch_id, len(asks))
        created = self.claude.create(self.planner.in_one_batch(asks, takes_s))
        failpoint("batch created")
        if isinstance(created, Trouble):
            self._refused(batch_id, claims, created)
            return False
        with self.engine.begin() as connection:
            message_batches.submitted(connection, batch_id, created.external_id, created.simulated)
        failpoint("batch submitted")
        log.info("batch submitted", extra={"batch": batch_id, "requests": len(asks)})
        queue = _queue_of(claims[0])
        self.sizes[queue] = min(2 * self.sizes[queue], self.settings.slice)
        return True

    def _request(self, claimed: Claimed) -> Ask | AttemptReport:
        """The request that the record says; a report where the configuration has changed since."""
        plan, planner = claimed.plan, self.planner
        assert plan.purpose is not None, "only what asks is put into a batch"
        prompt = Purpose.ANSWER if plan.purpose is Purpose.CHECK else plan.purpose
        if plan.prompt_version != planner.prompts[prompt].version:
            return not_sent(claimed, "the prompt changed before the batch was sent")
        if plan.purpose is not Purpose.CHECK:
            return planner.ask(claimed)
        kept = claimed.candidate.kept
        if kept is None:
            return not_sent(claimed, "the answer to be checked is gone")
        judged = self.decider.judge(claimed, kept.answer)
        if isinstance(judged, Judgement):
            unsent = CallReport(plan.purpose, CallState.FAILED, sent=False)
            return self.decider.judged(claimed, judged, (unsent,))
        return planner.check(claimed, judged.reply)

    def _refused(self, batch_id: int, claims: Sequence[Claimed], trouble: Trouble) -> None:
        """What a create without a batch means. Only what certainly was not taken is released."""
        log.warning("batch not created", extra={"batch": batch_id, "trouble": trouble.kind})
        if trouble.meaning in REFUSED_AS_A_WHOLE and len(claims) > 1:
            # One bad request spoils all of them: smaller slices find out which.
            queue = _queue_of(claims[0])
            self.sizes[queue] = max(len(claims) // 2, 1)
            self._record(not_sent(claimed, trouble.summary) for claimed in claims)
            self._close(batch_id, trouble.summary)
        elif trouble.meaning in (*REFUSED_AS_A_WHOLE, *NEEDS_A_PERSON):
            meaning = trouble.meaning
            wrong = Meaning.PERMANENT if meaning in REFUSED_AS_A_WHOLE else meaning
            told = Trouble(wrong, trouble.kind, trouble.words, trouble.status)
            self._record(self.decider.troubled(one, told, _unsent(one)) for one in claims)
            self._close(batch_id, trouble.summary)
        else:
            with self.engine.begin() as connection:
                message_batches.note_error(connection, batch_id, trouble.summary, self.poll_s)

    def _record(self, reports: Iterable[AttemptReport]) -> None:
        for group in _groups(reports):
            record(self.engine, group)

    def _close(self, batch_id: int, error: str) -> None:
        with self.engine.begin() as connection:
            message_batches.close(connection, batch_id, BatchState.FAILED, Counter(), error)


def _queue_of(claimed: Claimed) -> str:
    routing = claimed.plan.purpose is Purpose.CLASSIFY
    return ROUTING if routing else claimed.plan.tier or ROUTING


def _unsent(claimed: Claimed) -> tuple[CallReport, ...]:
    assert claimed.plan.purpose is not None, "only what asks is put into a batch"
    return (CallReport(claimed.plan.purpose, CallState.FAILED, sent=False),)


def _groups(reports: Iterable[AttemptReport], size: int = 200) -> Iterable[list[AttemptReport]]:
    left = iter(reports)
    while group := list(itertools.islice(left, size)):
        yield group
