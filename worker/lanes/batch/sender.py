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

from models.vocabulary import BatchState, Purpose
from worker.claude.batches import NO_BATCHES, Batches
from worker.claude.planner import Planner
from worker.claude.requests import Ask
from worker.claude.shared_prefixes import in_one_batch
from worker.config.sections import BatchSettings
from worker.domain.attempt import Attempt, Standards
from worker.domain.claimed import Claimed, Question
from worker.domain.limit_headers import MAX_HOLD_S
from worker.domain.reports import AttemptReport
from worker.domain.trouble import UNCOUNTED, Meaning, Trouble
from worker.failpoints import failpoint
from worker.store.queue import batch_attempts, message_batches
from worker.store.queue.batch_claims import BatchClaims
from worker.store.queue.leaving_batch import pause_lane, turnaround_s
from worker.store.queue.record import record

log = logging.getLogger(__name__)
REFUSED_AS_A_WHOLE = (Meaning.PERMANENT, Meaning.TOO_LONG)
NEEDS_A_PERSON = (Meaning.CONFIGURATION, Meaning.MONEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Creates batches. `sizes` holds the requests of the next slice, by tier and `routing`: halved
    by a refusal, doubled again by what Claude takes."""

    engine: Engine
    claude: Batches
    batch_claims: BatchClaims
    standards: Standards
    planner: Planner
    settings: BatchSettings
    poll_s: float
    sizes: dict[str, int]

    def send(self, batch_id: int) -> bool:
        """Builds the requests from the record, and creates the batch. Whether Claude has it."""
        with self.engine.begin() as connection:
            keys = batch_attempts.open_attempts(connection, batch_id)
            claimed = list(self.batch_claims.of(connection, keys).values())
            waited_for = batch_attempts.waited_for(connection, batch_id)
            takes_s = turnaround_s(connection, self.settings.turnaround_s)
        asks, claims, settled = list[Ask](), list[Claimed](), list[AttemptReport]()
        for one in claimed:
            wanted = one.attempt in waited_for
            made = self._request(one, wanted=wanted)
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
            message_batches.note_create(connection, batch_id, len(asks))
        created = self.claude.create(in_one_batch(asks, takes_s, self.planner.price))
        failpoint("batch created")
        if isinstance(created, Trouble):
            self._refused(batch_id, claims, created)
            return False
        with self.engine.begin() as connection:
            message_batches.note_submitted(
                connection, batch_id, created.external_id, created.simulated
            )
        failpoint("batch submitted")
        log.info("batch submitted", extra={"batch": batch_id, "requests": len(asks)})
        queue = _queue_of(claims[0])
        self.sizes[queue] = min(2 * self.sizes[queue], self.settings.slice)
        return True

    def _request(self, claimed: Claimed, *, wanted: bool) -> Ask | AttemptReport:
        """The request that the record says; a report where nobody wants it any more, or the
        configuration has changed since."""
        attempt = Attempt(claimed, self.standards)
        if not wanted:
            return attempt.held_back("nobody waits for it any more")
        step = attempt.begin()
        if not isinstance(step, Question):
            return step
        prompt = Purpose.ANSWER if step.purpose is Purpose.CHECK else step.purpose
        if step.prompt_version != self.planner.prompt_of(claimed.candidate, prompt).version:
            return attempt.held_back("the prompt changed before the batch was sent")
        return self.planner.ask(claimed, step)

    def _refused(self, batch_id: int, claims: Sequence[Claimed], trouble: Trouble) -> None:
        """What a create without a batch means. Only what certainly was not taken is released."""
        log.warning("batch not created", extra={"batch": batch_id, "trouble": trouble.kind})
        if trouble.kind == NO_BATCHES:
            # Nothing is wrong with the tier: the runs that want batches wait for a person, alone.
            pause_lane(self.engine, {claimed.candidate.run_id for claimed in claims})
            attempts = (Attempt(claimed, self.standards) for claimed in claims)
            self._record(attempt.held_back(trouble.label) for attempt in attempts)
            self._close(batch_id, trouble.label)
            return
        if trouble.meaning in REFUSED_AS_A_WHOLE and len(claims) > 1:
            # One bad request spoils all of them: smaller slices find out which.
            queue = _queue_of(claims[0])
            self.sizes[queue] = max(len(claims) // 2, 1)
            attempts = (Attempt(claimed, self.standards) for claimed in claims)
            self._record(attempt.held_back(trouble.label) for attempt in attempts)
            self._close(batch_id, trouble.label)
        elif trouble.meaning in (*REFUSED_AS_A_WHOLE, *NEEDS_A_PERSON):
            meaning = trouble.meaning
            wrong = Meaning.PERMANENT if meaning in REFUSED_AS_A_WHOLE else meaning
            told = Trouble(
                meaning=wrong, kind=trouble.kind, words=trouble.words, status=trouble.status
            )
            attempts = (Attempt(claimed, self.standards) for claimed in claims)
            self._record(attempt.put_off(told) for attempt in attempts)
            self._close(batch_id, trouble.label)
        else:
            # Of what is unknown, the listing of recent batches tells; what was refused for now goes
            # again as soon as Claude's own time is over.
            refused = {"refused": True} if trouble.meaning in UNCOUNTED else None
            wait_s = max(self.poll_s, min(trouble.retry_after_s or 0.0, MAX_HOLD_S))
            with self.engine.begin() as connection:
                message_batches.note_error(connection, batch_id, trouble.label, wait_s, refused)

    def _record(self, reports: Iterable[AttemptReport]) -> None:
        for group in _groups(reports):
            record(self.engine, group)

    def _close(self, batch_id: int, error: str) -> None:
        with self.engine.begin() as connection:
            message_batches.close_batch(connection, batch_id, BatchState.FAILED, Counter(), error)


def _queue_of(claimed: Claimed) -> str:
    assert claimed.question is not None, "only what asks is put into a batch"
    return claimed.question.queue


def _groups(reports: Iterable[AttemptReport], size: int = 200) -> Iterable[list[AttemptReport]]:
    left = iter(reports)
    while group := list(itertools.islice(left, size)):
        yield group
