"""Reads the results of a batch into the record, in whatever order and shape they come.

Promises: results read twice change nothing; what is unknown, repeated, missing or malformed is
counted beside the batch; only what succeeded is paid for, except that an item of which nothing is
heard is charged its worst case.
"""

import itertools
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from models.vocabulary import BatchState, Purpose
from worker.claude.batches import Batches, Item
from worker.claude.errors import trouble_of
from worker.domain.answers import Answer, Troubled
from worker.domain.attempt import Attempt, Standards
from worker.domain.claimed import Candidate, Claimed, Question
from worker.domain.reports import AttemptReport
from worker.domain.trouble import Meaning, Trouble
from worker.failpoints import failpoint
from worker.store.queue import batch_attempts, message_batches
from worker.store.queue.batch_claims import BatchClaims
from worker.store.queue.message_batches import Batch
from worker.store.queue.record import record

log = logging.getLogger(__name__)
GROUP = 200
KEPT_FOR_S = 29 * 86_400.0
"""Claude keeps results for 29 days."""
KEY = re.compile(r"(\d{1,18})-(\d{1,9})-(?:classify|answer|check)")
MAX_READS = 4
"""Results that stay short for so many looks are taken as they are."""
SHORT = Trouble(
    meaning=Meaning.UNKNOWN, kind="short results", words="they hold fewer lines than Claude counted"
)
CHECKED_NEXT = Trouble(
    meaning=Meaning.NOT_SENT, kind="check waits", words="it goes into a batch of its own"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads ended batches."""

    engine: Engine
    claude: Batches
    batch_claims: BatchClaims
    standards: Standards
    learn: Callable[[Candidate, Question, Answer | Troubled], None]

    def read(self, batch: Batch) -> Trouble | None:
        """Records everything that came of a batch. Trouble means that it is to be read again."""
        assert batch.external_id is not None, "an ended batch has Claude's id"
        tally, seen = Counter[str](), set[tuple[int, int]]()
        try:
            with self.claude.results(batch.external_id) as items:
                for group in _grouped(items):
                    if not self._take(batch, group, tally, seen):
                        return None
                    failpoint("batch half read")
        except Exception as error:
            trouble = trouble_of(error)
            if batch.age_s > KEPT_FOR_S and self._gone(batch.external_id):
                self.give_up(batch, "its results are gone: Claude keeps them for 29 days")
                return None
            return trouble
        if self._is_short(batch, tally.pop("heard", 0)):
            return SHORT
        tally["missing"] = self._charge_rest(batch, "missing from the results")
        failpoint("batch read")
        with self.engine.begin() as connection:
            message_batches.close_batch(connection, batch.id, BatchState.RECORDED, +tally)
        odd = {name: tally[name] for name in ("unknown", "repeated", "missing", "malformed")}
        say = log.warning if any(odd.values()) else log.info
        say("batch recorded", extra={"batch": batch.id, "items": len(seen), **odd})
        return None

    def _is_short(self, batch: Batch, heard: int) -> bool:
        """Whether the results hold less than Claude counted, and are to be fetched again: what is
        not in them may be in the next copy, and must not be asked and paid for twice."""
        reads = int(batch.counts.get("reads", 0)) + 1
        if heard >= batch.results or reads >= MAX_READS:
            return False
        with self.engine.begin() as connection:
            counts = {"reads": reads}
            message_batches.note_error(connection, batch.id, SHORT.summary, 0, counts)
        told = {"batch": batch.id, "items": heard, "of": batch.results}
        log.warning("results are short, and fetched again", extra=told)
        return True

    def _gone(self, external_id: str) -> bool:
        """Whether Claude says that it keeps the results no longer."""
        seen = self.claude.look(external_id)
        return seen.status == 404 if isinstance(seen, Trouble) else seen.gone

    def give_up(self, batch: Batch, why: str) -> None:
        """Nothing will come of it any more; what it may have cost is charged."""
        lost = self._charge_rest(batch, why)
        with self.engine.begin() as connection:
            message_batches.close_batch(
                connection, batch.id, BatchState.FAILED, {"missing": lost}, why
            )
        log.error("batch given up", extra={"batch": batch.id, "items": lost})

    def _take(
        self,
        batch: Batch,
        group: Sequence[Item | None],
        tally: Counter[str],
        seen: set[tuple[int, int]],
    ) -> bool:
        """Records a group of lines. False when they are not this batch's: its id at Claude has been
        put right, and the next round reads on."""
        got = dict[tuple[int, int], Answer | Troubled]()
        for item in group:
            key = _key_of(item)
            if item is None or key is None:
                tally["malformed" if item is None else "unknown"] += 1
            elif key in seen:
                tally["repeated"] += 1
            else:
                seen.add(key)
                got[key] = item.got
        with self.engine.begin() as connection:
            owners = batch_attempts.owners(connection, list(got))
            claimed = self.batch_claims.of(connection, [key for key in got if key in owners])
        if misplaced := set(owners.values()) - {batch.id}:
            self._put_right(batch, misplaced.pop())
            return False
        if not owners and len(seen) == len(got) and got:
            with self.engine.begin() as connection:
                message_batches.disown(connection, batch.id, batch.external_id or "")
            log.error("adopted a batch that is not ours", extra={"batch": batch.id})
            return False
        tally["unknown"] += len(got) - len(owners)
        tally["heard"] += len(owners) + group.count(None)
        reports = [self._report(one, got[key]) for key, one in claimed.items()]
        if reports:
            record(self.engine, reports)
        return True

    def _put_right(self, batch: Batch, other_id: int) -> None:
        with self.engine.begin() as connection:
            message_batches.exchange(connection, batch, other_id)
        log.warning("batches were adopted crosswise", extra={"batch": batch.id, "other": other_id})

    def _report(self, claimed: Claimed, got: Answer | Troubled) -> AttemptReport:
        """As the realtime lane would decide, except that a check waits for the next batch."""
        attempt, question = Attempt(claimed, self.standards), claimed.question
        if question is not None and question.purpose is not Purpose.CHECK:
            # The check's own prompt may have changed since the batch was sent.
            self.learn(claimed.candidate, question, got)
        try:
            step = attempt.heard(got)
            return attempt.put_off(CHECKED_NEXT) if isinstance(step, Question) else step
        except Exception as error:
            log.exception("a result could not be judged", extra={"job": claimed.candidate.job_id})
            return attempt.failed(error)

    def _charge_rest(self, batch: Batch, why: str) -> int:
        """Attempts of which nothing is heard use up one try, at worst case. Returns how many."""
        trouble, total = Trouble(meaning=Meaning.UNKNOWN, kind="no result", words=why), 0
        with self.engine.begin() as connection:
            keys = batch_attempts.open_attempts(connection, batch.id)
        for start in range(0, len(keys), GROUP):
            with self.engine.begin() as connection:
                claimed = self.batch_claims.of(connection, keys[start : start + GROUP])
            attempts = [Attempt(one, self.standards) for one in claimed.values()]
            record(self.engine, [attempt.unheard(trouble) for attempt in attempts])
            total += len(attempts)
        return total


def _key_of(item: Item | None) -> tuple[int, int] | None:
    match = KEY.fullmatch(item.key) if item is not None else None
    return (int(match[1]), int(match[2])) if match else None


def _grouped(items: Iterator[Item | None]) -> Iterator[list[Item | None]]:
    while group := list(itertools.islice(items, GROUP)):
        yield group
