"""Stories in which a safeguard is needed, told to the state machine's own parts."""

from collections.abc import Callable
from decimal import Decimal

from tests.faults.test_state_machine import ME, Protocol
from worker.store.actions import holds
from worker.store.actions.selection import whole
from worker.store.queue import expire
from worker.store.queue.reservations import reconcile

Story = Callable[[Protocol], None]
Change = Callable[[Protocol], None]


def delivered_twice(told: Protocol) -> None:
    """Redis delivers one chunk to two workers."""
    told.hand_in(jobs=1, policy="single:haiku", cap=None)
    told.dispatch()
    told.deliver(which=0, worker=0, again=True, astray=False)
    told.deliver(which=0, worker=1, again=False, astray=False)
    told.holds()


def reported_late(told: Protocol) -> None:
    """A frozen worker wakes and reports, while another holds the job."""
    told.hand_in(jobs=1, policy="escalate", cap=None)
    told.dispatch()
    told.deliver(which=0, worker=0, again=False, astray=False)
    told.ask(which=0, first="sure", check="unsure")
    told.leases_expire(part=2)
    told.rescue()
    told.time_passes()
    told.dispatch()
    told.deliver(which=0, worker=1, again=False, astray=False)
    assert [held.worker for held in told.held] == [0, 1]
    told.record(which=0, together=1, twice=False)
    told.holds()
    told.dispatch()
    while told.deliveries:
        told.deliver(which=0, worker=0, again=False, astray=False)
    told.holds()


def claimed(told: Protocol) -> None:
    """A worker has begun."""
    told.hand_in(jobs=1, policy="single:haiku", cap=None)
    told.dispatch()
    told.deliver(which=0, worker=0, again=False, astray=False)
    told.ask(which=0, first="sure", check="sure")
    told.record(which=0, together=1, twice=False)
    told.dispatch()
    told.deliver(which=0, worker=0, again=False, astray=False)
    told.holds()


def killed(told: Protocol) -> None:
    """A worker dies, and nobody sees it."""
    told.hand_in(jobs=1, policy="single:haiku", cap=None)
    told.dispatch()
    told.deliver(which=0, worker=0, again=False, astray=False)
    told.crash(worker=0, seen=False)
    told.leases_expire(part=2)


def flushed(told: Protocol) -> None:
    """Redis loses what was dispatched."""
    told.hand_in(jobs=1, policy="single:haiku", cap=None)
    told.dispatch()
    told.deliveries.clear()


def short_of_money(told: Protocol) -> None:
    """Three jobs are ready to be answered, and the budget is enough for none."""
    told.hand_in(jobs=3, policy="single:haiku", cap=Decimal("0.0001"))
    for _ in ("route", "answer"):
        told.dispatch()
        while told.deliveries:
            told.deliver(which=0, worker=0, again=False, astray=False)
        told.holds()
        while told.held:
            told.ask(which=0, first="sure", check="sure")
            told.record(which=0, together=1, twice=False)


def held_back(words: str, change: Change, back: Change = lambda _: None) -> Story:
    """A delivery of a job that must not be begun meanwhile."""

    def story(told: Protocol) -> None:
        told.hand_in(jobs=1, policy="single:haiku", cap=None)
        told.dispatch()
        change(told)
        told.deliver(which=0, worker=0, again=False, astray=False)
        back(told)
        assert not told.held, words

    return story


def changed(statement: str) -> Change:
    def change(told: Protocol) -> None:
        told.bench.do(statement)

    return change


def undelivered(words: str, change: Change, back: Change = lambda _: None) -> Story:
    """A round of dispatch that must bring nothing."""

    def story(told: Protocol) -> None:
        told.hand_in(jobs=1, policy="single:haiku", cap=None)
        change(told)
        told.dispatch()
        back(told)
        assert not told.deliveries, words

    return story


def paused(told: Protocol) -> None:
    holds.pause_run(told.engine, ME, whole(told.runs[-1]), "as told")


def answered_late(told: Protocol) -> None:
    """The first paid answer comes from a worker whose lease is over, while another holds the job;
    then the other's comes as well."""
    told.hand_in(jobs=1, policy="ladder", cap=None)
    told.dispatch()
    told.deliver(which=0, worker=0, again=False, astray=False)
    told.ask(which=0, first="sure", check="sure")
    told.record(which=0, together=1, twice=False)
    told.dispatch()
    told.deliver(which=0, worker=0, again=False, astray=False)
    told.ask(which=0, first="sure", check="sure")
    told.leases_expire(part=2)
    told.rescue()
    told.time_passes()
    told.dispatch()
    told.deliver(which=0, worker=1, again=False, astray=False)
    told.ask(which=0, first="sure", check="sure")
    told.record(which=0, together=1, twice=False)
    told.holds()
    (first,) = told.bench.do(
        "SELECT min(r.fence) = 2 AS wins FROM results AS r JOIN jobs AS j ON j.id = r.job_id"
        " WHERE j.run_id = :run",
        run=told.runs[-1].id,
    )
    assert first.wins, "the first paid answer is the result"
    told.record(which=0, together=1, twice=False)


def unsure(told: Protocol) -> None:
    """Two answers that climb."""
    told.hand_in(jobs=1, policy="ladder", cap=None)
    for _ in range(4):
        told.time_passes()
        told.dispatch()
        while told.deliveries:
            told.deliver(which=0, worker=0, again=False, astray=False)
        while told.held:
            told.ask(which=0, first="unsure", check="unsure")
            told.record(which=0, together=1, twice=False)
        told.holds()


def out_in_a_batch(told: Protocol) -> None:
    """A job is at Claude in a batch for longer than any lease; rescue passes by."""
    told.hand_in(jobs=1, policy="single:haiku", cap=None)
    told.dispatch()
    told.deliver(which=0, worker=0, again=False, astray=False)
    told.bench.do(
        "WITH b AS (INSERT INTO message_batches (stage, tier, model, requests) VALUES"
        " ('answer', 'haiku', 'm', 1) RETURNING id) UPDATE attempts SET batch_id = b.id,"
        " claimed_at = now() - interval '1 day' FROM b WHERE outcome = 'started'"
    )
    told.bench.do(
        "UPDATE jobs SET state = 'submitted', lease_until = NULL WHERE lease_until IS NOT NULL"
    )
    told.rescue()
    (left,) = told.bench.do("SELECT count(*) AS open FROM attempts WHERE outcome = 'started'")
    told.bench.do("UPDATE attempts SET batch_id = NULL WHERE outcome = 'started'")
    assert left.open == 1, "rescue never takes what is at Claude"


def reconciled(told: Protocol) -> None:
    """Budgets are reconciled while a job is at Claude in a batch, and another in a call."""
    out_in_a_batch_of(told)
    reconcile(told.engine)
    told.holds()
    told.bench.do("UPDATE attempts SET batch_id = NULL WHERE outcome = 'started'")


def out_in_a_batch_of(told: Protocol) -> None:
    told.hand_in(jobs=1, policy="single:haiku", cap=Decimal(1))
    told.dispatch()
    told.deliver(which=0, worker=0, again=False, astray=False)
    told.ask(which=0, first="sure", check="sure")
    told.record(which=0, together=1, twice=False)
    told.dispatch()
    told.deliver(which=0, worker=0, again=False, astray=False)
    told.bench.do(
        "WITH b AS (INSERT INTO message_batches (stage, tier, model, requests) VALUES"
        " ('answer', 'haiku', 'm', 1) RETURNING id) UPDATE attempts SET batch_id = b.id"
        " FROM b WHERE outcome = 'started'"
    )


def still_coming_in(told: Protocol) -> None:
    """A deadline passes while the backlog is still being submitted."""
    told.hand_in(jobs=1, policy="single:haiku", cap=None)
    told.bench.do("UPDATE runs SET accepting = true, deadline = now() - interval '1 minute'")
    expire.expire(told.engine, told.bench.settings.worker.max_age)
    (row,) = told.bench.do(
        "SELECT count(*) AS dead FROM jobs WHERE state = 'dead' AND run_id = :run",
        run=told.runs[-1].id,
    )
    told.bench.do("UPDATE runs SET accepting = false, deadline = NULL")
    assert row.dead == 0, "what is still coming in is not over"
