"""The batch lane: slices of ready jobs go to Claude as Message Batches, at half price.

One thread in every worker process; an advisory lock lets one of them at a time tend the batches.
Each step reads what has ended before it sends what is ready, so answers of one slice climb while
the next still runs. Whatever dies at whatever point, the next step finds the intent in Postgres and
goes on from there. A batch is created twice only if Claude took one, lost our reply, and does not
list it within `batch.adopt_after_s`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from sqlalchemy.exc import DBAPIError

from models.vocabulary import ROUTING, BatchState
from worker.claude.batches import MAX_BYTES, NO_BATCHES, Batches
from worker.config.addresses import claude_address
from worker.domain.attempt import Attempt
from worker.domain.claimed import Claimed
from worker.domain.reports import AttemptReport
from worker.domain.trouble import Trouble
from worker.failpoints import failpoint
from worker.lanes.batch.deadline import leave_for_deadlines
from worker.lanes.batch.reader import Reader
from worker.lanes.batch.request_sizes import request_bytes
from worker.lanes.batch.sender import Sender
from worker.lanes.realtime.runtime import Runtime
from worker.lanes.routine import Routine
from worker.lookups.preparation import prepare
from worker.store.engine import was_stopped
from worker.store.queue import message_batches
from worker.store.queue.batch_claims import BatchClaims
from worker.store.queue.message_batches import Batch
from worker.store.queue.record import record
from worker.store.queue.slices import ready
from worker.store.statistics import after_submission

log = logging.getLogger(__name__)
SKEW_S = 300.0
"""Claude's clock and ours may differ by so much when recent batches are looked through."""
PATIENCE_S = 300.0
"""A batch may answer 404 for a while after it was made."""
SIMULATED_S = 1.0
"""The simulator's batches take seconds: against it, nothing waits for longer than this."""
READ, SUBMIT = "read batches", "submit batches"
"""Steps that take their time, and say after each batch that they go on."""


class BatchLane:
    """Tends the batches; `step` does one round."""

    def __init__(self, runtime: Runtime) -> None:
        settings, address = runtime.settings, claude_address(runtime.settings)
        self._runtime, self._settings = runtime, settings.batch
        self._standards, self._engine = runtime.standards, runtime.engine
        self._claude = Batches(address, settings.timing.connect_s)
        self._simulated = address.simulated
        most = SIMULATED_S if address.simulated else float("inf")
        self._poll_s = min(settings.batch.poll_s, most)
        # What goes nowhere is not waited for: its run is told so at the next look.
        self._gather_s = min(settings.batch.gather_s, most) if self._claude.offered else 0.0
        self._sizes = dict.fromkeys((ROUTING, *settings.tiers), settings.batch.slice)
        batch_claims = BatchClaims()
        self._reader = Reader(
            engine=runtime.engine,
            claude=self._claude,
            batch_claims=batch_claims,
            standards=runtime.standards,
            learn=runtime.planner.learn,
        )
        self._sender = Sender(
            engine=runtime.engine,
            claude=self._claude,
            batch_claims=batch_claims,
            standards=runtime.standards,
            planner=runtime.planner,
            settings=settings.batch,
            poll_s=self._poll_s,
            sizes=self._sizes,
        )
        self._routine = Routine("batch lane", self._go_on, lambda _: self.step())

    def start(self) -> None:
        """Starts the thread."""
        for name in self._parts():
            self._runtime.rounds.expect(name, self._poll_s)
        self._routine.start()

    def stop(self) -> None:
        """Ends it; a batch that is under way is found again by whoever comes next."""
        self._runtime.stopping.set()
        self._routine.join(10)
        self.close()

    def close(self) -> None:
        """Closes the connections to Claude."""
        self._claude.close()

    def _go_on(self) -> bool:
        return not self._runtime.stopping.wait(self._poll_s)

    def step(self) -> None:
        """One round, if nobody else tends the batches just now."""
        with message_batches.leading(self._engine) as mine:
            for name, part in self._parts().items() if mine else ():
                try:
                    with self._runtime.rounds.step(name):
                        part()
                except DBAPIError as error:
                    # Named in the log where it happened; the other parts do not depend on it.
                    if not was_stopped(error):
                        raise

    def _parts(self) -> Mapping[str, Callable[[], object]]:
        settings = self._runtime.settings
        leave = partial(leave_for_deadlines, self._engine, settings, simulated=self._simulated)
        return {
            "leave for the deadline": leave,
            "adopt batches": self._adopt,
            "cancel batches": self._cancel_unwanted,
            "look at batches": self._look,
            READ: self._read,
            SUBMIT: self._submit,
        }

    def _open(self, state: BatchState) -> list[Batch]:
        with self._engine.begin() as connection:
            return message_batches.open_batches(connection, state)

    def _adopt(self) -> None:
        """Intents whose create was never answered: Claude's list says whether it was taken."""
        intents = list[Batch]()
        for intent in self._open(BatchState.INTENDED):
            if intent.refused:
                self._sender.send(intent.id)
            else:
                intents.append(intent)
        if not intents:
            return
        found = self._claude.recent(intents[0].created_at, SKEW_S)
        offered = not isinstance(found, Trouble) or found.kind != NO_BATCHES
        if not offered:
            # Where there are none, none was taken: sending it once more says so, and gives it back.
            found = []
        if isinstance(found, Trouble):
            self._note(intents, found)
            return
        with self._engine.begin() as connection:
            known = message_batches.known_ids(connection, [seen.external_id for seen in found])
        free = [seen for seen in found if seen.external_id not in known]
        for intent in intents:
            match = next((seen for seen in free if seen.requests == intent.requests), None)
            if match is not None:
                free.remove(match)
                with self._engine.begin() as connection:
                    message_batches.note_submitted(
                        connection, intent.id, match.external_id, match.simulated
                    )
                failpoint("batch adopted")
                log.warning("batch adopted", extra={"batch": intent.id})
            elif intent.age_s >= self._settings.adopt_after_s or not offered:
                self._sender.send(intent.id)

    def _cancel_unwanted(self) -> None:
        with self._engine.begin() as connection:
            unwanted = message_batches.unwanted_batches(connection)
        for batch in unwanted:
            assert batch.external_id is not None, "a submitted batch has Claude's id"
            if trouble := self._claude.cancel(batch.external_id):
                self._note([batch], trouble)
                continue
            failpoint("batch cancelled")
            with self._engine.begin() as connection:
                message_batches.note_cancelling(connection, batch.id)

    def _look(self) -> None:
        """How the submitted ones stand."""
        for batch in self._open(BatchState.SUBMITTED):
            assert batch.external_id is not None, "a submitted batch has Claude's id"
            seen = self._claude.look(batch.external_id)
            if isinstance(seen, Trouble):
                if seen.status == 404 and batch.age_s > PATIENCE_S:
                    self._reader.give_up(batch, "Claude no longer knows this batch")
                else:
                    self._note([batch], seen)
                continue
            with self._engine.begin() as connection:
                message_batches.note_look(
                    connection, batch.id, seen.counts, seen.ended, self._poll_s
                )
            failpoint("batch looked")

    def _read(self) -> None:
        for batch in self._open(BatchState.ENDED):
            if trouble := self._reader.read(batch):
                self._note([batch], trouble)
            self._runtime.maybe_ready.set()
            self._runtime.rounds.came_round(READ)

    def _submit(self) -> None:
        """Full slices, and smaller ones when somebody has waited long enough."""
        stuck, sent = set[str](), 0
        while not self._runtime.stopping.is_set():
            size = max(self._sizes.values())
            with self._engine.begin() as connection:
                chosen = ready(connection, list(self._sizes), size, self._gather_s)
            left = [gathered for gathered in chosen if gathered.tier not in stuck]
            if not left:
                break
            for gathered in left:
                self._runtime.rounds.came_round(SUBMIT)
                ids = gathered.ids[: self._sizes[gathered.tier]]
                if self._submit_slice(gathered.tier, ids):
                    sent += len(ids)
                else:
                    stuck.add(gathered.tier)
        with self._engine.begin() as connection:
            after_submission(connection, sent)

    def _submit_slice(self, tier: str, ids: Sequence[int]) -> bool:
        """False when nothing could be claimed, or Claude would not take it."""
        claims = self._runtime.claims
        prepared = {} if tier == ROUTING else prepare(claims, self._runtime.desk, ids)
        planner = self._runtime.planner
        weigh = partial(request_bytes, planner)
        taken = claims.take_slice(tier, ids, planner, weigh, MAX_BYTES, prepared)
        failpoint("batch intended")
        if taken.begun:
            record(self._engine, [self._begun(claimed) for claimed in taken.begun])
        if taken.batch_id is None:
            return bool(taken.begun)
        return self._sender.send(taken.batch_id)

    def _begun(self, claimed: Claimed) -> AttemptReport:
        report = Attempt(claimed, self._standards).begin()
        assert isinstance(report, AttemptReport), "nothing is asked about it"
        return report

    def _note(self, batches: Sequence[Batch], trouble: Trouble) -> None:
        with self._engine.begin() as connection:
            for batch in batches:
                message_batches.note_error(connection, batch.id, trouble.label, self._poll_s)
