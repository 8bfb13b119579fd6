"""The batch lane: slices of ready jobs go to Claude as Message Batches, at half price.

One thread in every worker process; an advisory lock lets one of them at a time tend the batches.
Each step reads what has ended before it sends what is ready, so answers of one slice climb while
the next still runs. Whatever dies at whatever point, the next step finds the intent in Postgres and
goes on from there. A batch is created twice only if Claude took one, lost our reply, and does not
list it within `batch.adopt_after_s`.
"""

import itertools
import logging
import threading
from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy.exc import DBAPIError

from models.vocabulary import ROUTING, BatchState, CallState, Purpose
from worker.batch_results import Reader
from worker.claude.batches import MAX_BYTES, MAX_REQUESTS, Batches
from worker.claude.requests import Ask
from worker.domain.judging import Judgement
from worker.domain.reports import AttemptReport, CallReport
from worker.domain.trouble import Meaning, Trouble
from worker.failpoints import failpoint
from worker.hurrying import hurry
from worker.reporting import not_sent
from worker.runtime import Runtime
from worker.services import claude_address
from worker.store import batching
from worker.store.batching import Batch
from worker.store.claimed import Claimed
from worker.store.engine import is_outage
from worker.store.record import record
from worker.store.slack import turnaround_s
from worker.store.slices import Claimants, ready

log = logging.getLogger(__name__)
SKEW_S = 300.0
"""Claude's clock and ours may differ by so much when recent batches are looked through."""
PATIENCE_S = 300.0
"""A batch may answer 404 for a while after it was made."""
SIMULATED_S = 1.0
"""The simulator's batches take seconds: against it, nothing waits for longer than this."""
FRAME_BYTES = 4_000
"""Room for a request's own frame: schema, names, punctuation."""
REFUSED_AS_A_WHOLE = (Meaning.PERMANENT, Meaning.TOO_LONG)
NEEDS_A_PERSON = (Meaning.CONFIGURATION, Meaning.MONEY)


class BatchLane:
    """Tends the batches; `step` does one round."""

    def __init__(self, runtime: Runtime) -> None:
        settings, address = runtime.settings, claude_address(runtime.settings)
        self._runtime, self._settings = runtime, settings.batch
        self._decider, self._engine = runtime.decider, runtime.engine
        self._claude = Batches(address, settings.timing.connect_s)
        self._simulated = address.simulated
        most = SIMULATED_S if address.simulated else float("inf")
        self._poll_s = min(settings.batch.poll_s, most)
        self._gather_s = min(settings.batch.gather_s, most)
        self._claimants = Claimants()
        self._reader = Reader(runtime.engine, self._claude, self._claimants, runtime.decider)
        self._sizes = dict.fromkeys((ROUTING, *settings.tiers), settings.batch.slice)
        self._thread = threading.Thread(target=self._run, name="batches", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends it; a batch that is under way is found again by whoever comes next."""
        self._runtime.stopping.set()
        self._thread.join(10)
        self.close()

    def close(self) -> None:
        """Closes the connections to Claude."""
        self._claude.close()

    def _run(self) -> None:
        while not self._runtime.stopping.wait(self._poll_s):
            try:
                self.step()
            except DBAPIError as error:
                if is_outage(error):
                    log.warning("postgres away, batches wait")
                else:
                    log.exception("batches could not be tended")
            except Exception:
                log.exception("batches could not be tended")

    def step(self) -> None:
        """One round, if nobody else tends the batches just now."""
        with batching.leading(self._engine) as mine:
            if mine:
                hurry(self._engine, self._runtime.settings, simulated=self._simulated)
                self._adopt()
                self._cancel_unwanted()
                self._look()
                self._read()
                self._submit()

    def _open(self, state: BatchState) -> list[Batch]:
        with self._engine.connect() as connection:
            return batching.open_batches(connection, state)

    def _adopt(self) -> None:
        """Intents whose create was never answered: Claude's list says whether it was taken."""
        intents = self._open(BatchState.INTENDED)
        if not intents:
            return
        found = self._claude.recent(intents[0].created_at, SKEW_S)
        if isinstance(found, Trouble):
            self._note(intents, found)
            return
        with self._engine.connect() as connection:
            known = batching.known_ids(connection, [seen.external_id for seen in found])
        free = [seen for seen in found if seen.external_id not in known]
        for intent in intents:
            match = next((seen for seen in free if seen.requests == intent.requests), None)
            if match is not None:
                free.remove(match)
                with self._engine.begin() as connection:
                    batching.submitted(connection, intent.id, match.external_id, match.simulated)
                log.warning("batch adopted", extra={"batch": intent.id})
            elif intent.age_s >= self._settings.adopt_after_s:
                self._send(intent.id)

    def _cancel_unwanted(self) -> None:
        with self._engine.connect() as connection:
            unwanted = batching.unwanted(connection)
        for batch in unwanted:
            assert batch.external_id is not None, "a submitted batch has Claude's id"
            if trouble := self._claude.cancel(batch.external_id):
                self._note([batch], trouble)
                continue
            with self._engine.begin() as connection:
                batching.cancelling(connection, batch.id)

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
                batching.looked(connection, batch.id, seen.counts, seen.ended, self._poll_s)
            failpoint("batch looked")

    def _read(self) -> None:
        for batch in self._open(BatchState.ENDED):
            if trouble := self._reader.read(batch):
                self._note([batch], trouble)
            self._runtime.news.set()

    def _submit(self) -> None:
        """Full slices, and smaller ones when somebody has waited long enough."""
        stuck = set[str]()
        while not self._runtime.stopping.is_set():
            size = max(self._sizes.values())
            with self._engine.connect() as connection:
                chosen = ready(connection, list(self._sizes), size, self._gather_s)
            left = [gathered for gathered in chosen if gathered.tier not in stuck]
            if not left:
                return
            for gathered in left:
                ids = gathered.ids[: self._sizes[gathered.tier]]
                if not self._submit_slice(gathered.tier, ids):
                    stuck.add(gathered.tier)

    def _submit_slice(self, tier: str, ids: Sequence[int]) -> bool:
        """False when nothing could be claimed, or Claude would not take it."""
        taken = self._runtime.claims.take_slice(
            tier, ids, self._decider.planner, self._weigh, MAX_BYTES
        )
        failpoint("batch intended")
        if taken.begun:
            record(self._engine, [self._decider.begin(claimed) for claimed in taken.begun])
        if taken.batch_id is None:
            return bool(taken.begun)
        return self._send(taken.batch_id)

    def _weigh(self, claimed: Claimed) -> int:
        """Bytes of a request, a little too many."""
        purpose = claimed.plan.purpose
        if purpose is None:
            return 0
        said = len(claimed.candidate.message.body.encode())
        answered = sum(len((past.output or "").encode()) for past in claimed.candidate.history)
        kept = claimed.candidate.kept
        answered += len(kept.answer.text.encode()) if kept is not None else 0
        prompt = self._decider.planner.prompts[purpose].size_bytes
        return prompt + 2 * (said + answered) + FRAME_BYTES

    def _send(self, batch_id: int) -> bool:
        """Builds the requests from the record, and creates the batch. Whether Claude has it."""
        with self._engine.connect() as connection:
            keys = batching.open_attempts(connection, batch_id, MAX_REQUESTS)
            claimed = list(self._claimants.of(connection, keys).values())
            takes_s = turnaround_s(connection, self._settings.turnaround_s)
        asks, claims, settled = list[Ask](), list[Claimed](), list[AttemptReport]()
        for one in claimed:
            made = self._request(one)
            if isinstance(made, Ask):
                asks.append(made)
                claims.append(one)
            else:
                settled.append(made)
        if settled:
            self._record(settled)
            with self._engine.begin() as connection:
                batching.resize(connection, batch_id, len(asks))
        if not asks:
            self._close(batch_id, "nothing was left to be asked")
            return False
        created = self._claude.create(self._decider.planner.in_one_batch(asks, takes_s))
        failpoint("batch created")
        if isinstance(created, Trouble):
            self._refused(batch_id, claims, created)
            return False
        with self._engine.begin() as connection:
            batching.submitted(connection, batch_id, created.external_id, created.simulated)
        log.info("batch submitted", extra={"batch": batch_id, "requests": len(asks)})
        return True

    def _request(self, claimed: Claimed) -> Ask | AttemptReport:
        """The request that the record says; a report where the configuration has changed since."""
        plan, planner = claimed.plan, self._decider.planner
        assert plan.purpose is not None, "only what asks is put into a batch"
        prompt = Purpose.ANSWER if plan.purpose is Purpose.CHECK else plan.purpose
        if plan.prompt_version != planner.prompts[prompt].version:
            return not_sent(claimed, "the prompt changed before the batch was sent")
        if plan.purpose is not Purpose.CHECK:
            return planner.ask(claimed)
        kept = claimed.candidate.kept
        if kept is None:
            return not_sent(claimed, "the answer to be checked is gone")
        judged = self._decider.judge(claimed, kept.answer)
        if isinstance(judged, Judgement):
            unsent = CallReport(plan.purpose, CallState.FAILED, sent=False)
            return self._decider.judged(claimed, judged, (unsent,))
        return planner.check(claimed, judged.reply)

    def _refused(self, batch_id: int, claims: Sequence[Claimed], trouble: Trouble) -> None:
        """What a create without a batch means. Only what certainly was not taken is released."""
        log.warning("batch not created", extra={"batch": batch_id, "trouble": trouble.kind})
        if trouble.meaning in REFUSED_AS_A_WHOLE and len(claims) > 1:
            # One bad request spoils all of them: smaller slices find out which.
            queue = self._queue_of(claims[0])
            self._sizes[queue] = max(len(claims) // 2, 1)
            self._record(not_sent(claimed, trouble.summary) for claimed in claims)
            self._close(batch_id, trouble.summary)
        elif trouble.meaning in (*REFUSED_AS_A_WHOLE, *NEEDS_A_PERSON):
            meaning = trouble.meaning
            wrong = Meaning.PERMANENT if meaning in REFUSED_AS_A_WHOLE else meaning
            told = Trouble(wrong, trouble.kind, trouble.words, trouble.status)
            self._record(self._decider.troubled(one, told, _unsent(one)) for one in claims)
            self._close(batch_id, trouble.summary)
        else:
            with self._engine.begin() as connection:
                batching.note_error(connection, batch_id, trouble.summary, self._poll_s)

    @staticmethod
    def _queue_of(claimed: Claimed) -> str:
        routing = claimed.plan.purpose is Purpose.CLASSIFY
        return ROUTING if routing else claimed.plan.tier or ROUTING

    def _record(self, reports: Iterable[AttemptReport]) -> None:
        for group in _groups(reports):
            record(self._engine, group)

    def _close(self, batch_id: int, error: str) -> None:
        with self._engine.begin() as connection:
            batching.close(connection, batch_id, BatchState.FAILED, Counter(), error)

    def _note(self, batches: Sequence[Batch], trouble: Trouble) -> None:
        with self._engine.begin() as connection:
            for batch in batches:
                batching.note_error(connection, batch.id, trouble.summary, self._poll_s)


def _unsent(claimed: Claimed) -> tuple[CallReport, ...]:
    assert claimed.plan.purpose is not None, "only what asks is put into a batch"
    return (CallReport(claimed.plan.purpose, CallState.FAILED, sent=False),)


def _groups(reports: Iterable[AttemptReport], size: int = 200) -> Iterable[list[AttemptReport]]:
    left = iter(reports)
    while group := list(itertools.islice(left, size)):
        yield group
