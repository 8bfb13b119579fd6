"""Any order of events over the real SQL: whatever happens, every promise holds after each step.

Two workers claim, ask a scripted Claude through the worker's own code, and record; between any two
of their steps deliveries come twice, late or to the wrong queue, leases run out, workers die, and
people pause, cancel, retry and change budgets.
"""

import os
import time
from contextlib import suppress
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from models.vocabulary import Purpose
from tests.support import servers as serving
from tests.support.bench import WORK, Bench, Held, benched
from tests.support.checker import ledger_against
from tests.support.scripted import BEHAVIOURS, DIES, Died
from tests.support.works import hand_in, unexplained
from worker.errors import RungError
from worker.store.actions import changes, holds
from worker.store.actions.selection import whole
from worker.store.audit import Actor
from worker.store.queue.dispatch import dispatch
from worker.store.queue.expire import expire
from worker.store.queue.record import record
from worker.store.queue.rescue import rescue, rescue_from
from worker.store.queue.run_ends import finish_runs
from worker.store.runs import RunRef

ME = Actor("a machine")
STEPS = 30
EXAMPLES = 400 if os.environ.get("FAULTS") == "all" else 60
"""`make faults` looks further."""
POLICIES = ("ladder", "escalate", "fallback", "single:haiku", "route")
CAPS = (None, None, Decimal(0), Decimal("0.02"), Decimal("0.2"))
some = st.integers(0, 11)
"""Picks one of a list, whatever its length."""


class Protocol(RuleBasedStateMachine):
    """The rules are events; `holds` is what must be true between any two."""

    bench: Bench

    def __init__(self) -> None:
        super().__init__()
        self.bench.begin()
        self.engine = self.bench.engine
        self.runs: list[RunRef] = []
        self.deliveries: list[tuple[str, tuple[int, ...]]] = []
        self.held: list[Held] = []

    @invariant()
    def holds(self) -> None:
        with self.bench.looking.begin():
            found = self.bench.checker.always(self.bench.looking)
        assert found == [], "\n".join(found)

    # -- work ------------------------------------------------------------------------------

    @rule(jobs=st.integers(1, 3), policy=st.sampled_from(POLICIES), cap=st.sampled_from(CAPS))
    def hand_in(self, jobs: int, policy: str, cap: Decimal | None) -> None:
        name = f"e{self.bench.examples:06d}-{len(self.runs):02d}"
        bodies = [f"Where is my card number {n} of {name}? It was due." for n in range(jobs)]
        bench = self.bench
        self.runs.append(
            hand_in(self.engine, bench.settings, bodies, policy=policy, cap=cap, name=name)
        )

    @initialize(jobs=st.integers(1, 3), policy=st.sampled_from(POLICIES), claimed=st.booleans())
    def begin(self, jobs: int, policy: str, claimed: bool) -> None:
        """Most events need a run, and many a claim: few orders would come to one by themselves."""
        self.hand_in(jobs, policy, None)
        if claimed:
            self.dispatch()
            self.deliver(0, 0, False, False)

    @precondition(lambda self: self.runs)
    @rule()
    def dispatch(self) -> None:
        # An UPDATE returns its rows in an order that changes as Postgres cleans up.
        taken = dispatch(self.engine, chunk=2, redispatch_s=3600)
        marked = sorted((chunk.queue, job) for chunk in taken for job in chunk.ids)
        for queue, group in groupby(marked, key=itemgetter(0)):
            ids = [job for _, job in group]
            self.deliveries += [(queue, (*ids[at : at + 2],)) for at in range(0, len(ids), 2)]

    @precondition(lambda self: self.deliveries)
    @rule(which=some, worker=st.integers(0, 1), again=st.booleans(), astray=st.booleans())
    def deliver(self, which: int, worker: int, again: bool, astray: bool) -> None:
        """To one of the workers, perhaps once more later, perhaps from the wrong queue."""
        place = which % len(self.deliveries)
        queue, ids = self.deliveries[place] if again else self.deliveries.pop(place)
        if astray:
            queue = WORK[which % len(WORK)]
        runtime = self.bench.workers[worker]
        granted = runtime.claims.take(queue, ids, runtime.planner).granted
        self.held += [Held(worker, claimed) for claimed in granted]

    @precondition(lambda self: any(not held.reports for held in self.held))
    @rule(
        which=some,
        first=st.sampled_from([*BEHAVIOURS, "sure", "sure", "unsure", DIES]),
        check=st.sampled_from([*BEHAVIOURS, "sure", "unsure", DIES]),
    )
    def ask(self, which: int, first: str, check: str) -> None:
        waiting = [held for held in self.held if not held.reports]
        self._ask(waiting[which % len(waiting)], first, check)

    def _ask(self, held: Held, first: str, check: str) -> None:
        script = {Purpose.CLASSIFY: first, Purpose.ANSWER: first, Purpose.CHECK: check}
        self.bench.claude.script = script
        asking = self.bench.caller.carry_out([held.claimed], time.monotonic())
        try:
            held.reports = self.bench.loop.run_until_complete(asking)
        except Died:
            self.held.remove(held)

    @precondition(lambda self: any(held.reports for held in self.held))
    @rule(which=some, together=st.integers(1, 3), twice=st.booleans())
    def record(self, which: int, together: int, twice: bool) -> None:
        """A group, perhaps once more because the reply to COMMIT was lost."""
        told = [held for held in self.held if held.reports]
        start = which % len(told)
        group = told[start : start + together]
        for _ in range(2 if twice else 1):
            record(self.engine, [report for held in group for report in held.reports])
        self.held = [held for held in self.held if held not in group]

    # -- trouble ---------------------------------------------------------------------------

    @precondition(lambda self: self.held)
    @rule(worker=st.integers(0, 1), seen=st.booleans())
    def crash(self, worker: int, seen: bool) -> None:
        """What it held is gone; perhaps its supervisor saw it."""
        self.held = [held for held in self.held if held.worker != worker]
        if seen:
            rescue_from(self.engine, [self.bench.workers[worker].worker_id])

    @precondition(lambda self: self.held)
    @rule(part=st.integers(0, 2))
    def leases_expire(self, part: int) -> None:
        """All of them or some; their workers live, and may yet report."""
        self.bench.do(
            "UPDATE jobs SET lease_until = now() - interval '1 second'"
            " WHERE lease_until IS NOT NULL AND (:part = 2 OR (id - :newest) % 2 = :part)",
            part=part,
            newest=self.bench.newest_job,
        )

    @precondition(lambda self: self.runs)
    @rule()
    def rescue(self) -> None:
        rescue(self.engine, 180)

    @precondition(lambda self: self.runs)
    @rule()
    def time_passes(self) -> None:
        """What was deferred is due, what was dispatched and not claimed is stale."""
        self.bench.do(
            "UPDATE jobs SET available_at = now() WHERE finished_at IS NULL AND lease_until IS NULL"
        )
        self.bench.do("UPDATE dispatches SET dispatched_at = dispatched_at - interval '2 hours'")
        self.bench.do("UPDATE tiers SET breaker_until = now() WHERE breaker_until > now()")

    @rule(tier=st.sampled_from((*WORK, "everything")))
    def breaker_opens(self, tier: str) -> None:
        self.bench.do(
            "INSERT INTO tiers (name, breaker, breaker_until)"
            " VALUES (:tier, 'open', now() + interval '1 hour') ON CONFLICT (name)"
            " DO UPDATE SET breaker = 'open', breaker_until = excluded.breaker_until",
            tier=tier,
        )

    # -- people ----------------------------------------------------------------------------

    @rule(tier=st.sampled_from((*WORK, "everything")), pause=st.booleans())
    def a_tier_is_paused_or_resumed(self, tier: str, pause: bool) -> None:
        if pause:
            holds.pause_queue(self.engine, ME, tier, "as told")
        else:
            holds.resume_queue(self.engine, ME, tier)

    @precondition(lambda self: self.runs)
    @rule(which=some)
    def a_run_is_paused(self, which: int) -> None:
        run = self.runs[which % len(self.runs)]
        holds.pause_run(self.engine, ME, whole(run), "as told")

    @precondition(lambda self: self.runs)
    @rule(which=some, cap=st.sampled_from((None, Decimal(0), Decimal("0.01"), Decimal(5))))
    def a_run_is_resumed(self, which: int, cap: Decimal | None) -> None:
        run = self.runs[which % len(self.runs)]
        with suppress(RungError):  # over, or the budget is too small
            holds.resume_run(self.engine, ME, whole(run), cap)

    @precondition(lambda self: self.runs)
    @rule(which=some)
    def a_run_is_cancelled(self, which: int) -> None:
        run = self.runs[which % len(self.runs)]
        changes.apply(self.engine, ME, changes.CANCEL, whole(run))

    @precondition(lambda self: self.runs)
    @rule(which=some)
    def dead_letters_are_retried(self, which: int) -> None:
        run = self.runs[which % len(self.runs)]
        changes.apply(self.engine, ME, changes.RETRY, whole(run))

    @precondition(lambda self: self.runs)
    @rule(which=some)
    def a_deadline_passes(self, which: int) -> None:
        run = self.runs[which % len(self.runs)]
        past = "now() - interval '1 minute'"
        self.bench.do(f"UPDATE runs SET deadline = {past} WHERE id = :run", run=run.id)
        expire(self.engine, self.bench.settings.worker.max_age)
        self.bench.do("UPDATE runs SET deadline = NULL WHERE id = :run", run=run.id)

    @precondition(lambda self: self.runs)
    @rule()
    def runs_finish(self) -> None:
        finish_runs(self.engine)

    # -- the end ---------------------------------------------------------------------------

    def teardown(self) -> None:
        """Everything is mended, and everything comes to its end."""
        bench = self.bench
        self.held.clear()
        rescue_from(self.engine, [worker.worker_id for worker in bench.workers])
        bench.do("DELETE FROM tiers")
        bench.do("UPDATE budgets SET cap = NULL")
        bench.do("UPDATE runs SET state = 'active' WHERE state = 'paused'")
        for _ in range(40):
            if not bench.do("SELECT FROM jobs WHERE finished_at IS NULL LIMIT 1"):
                break
            self.time_passes()
            self.deliveries.clear()
            self.dispatch()
            while self.deliveries:
                self.deliver(0, 0, False, False)
            for held in list(self.held):
                self._ask(held, "sure", "sure")
            record(self.engine, [report for held in self.held for report in held.reports])
            self.held.clear()
        finish_runs(self.engine)
        with bench.looking.begin():
            found = bench.checker.at_rest(bench.looking)
            found += ledger_against(bench.looking, bench.claude.asked)
        found += [words for run in self.runs for words in unexplained(self.engine, run)]
        assert found == [], "\n".join(found)
        bench.broken = False


def run_machine(bench: Bench, seed: int, examples: int) -> None:
    """Runs the machine. Raises what the first broken promise raises: as it was found, for making it
    smaller takes minutes; add `Phase.shrink` where that helps."""
    made = type("Bound", (Protocol,), {"bench": bench})
    run_state_machine_as_test(
        hypothesis.seed(seed)(made),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
def test_the_promises_hold_whatever_happens_in_whatever_order(
    servers: serving.Servers, seed: int
) -> None:
    with benched(servers) as bench:
        run_machine(bench, seed, EXAMPLES)
        assert bench.examples >= EXAMPLES
