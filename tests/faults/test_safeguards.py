"""A suite that cannot fail proves nothing: each safeguard is switched off, here and nowhere else,
and then a promise is seen to break. With it on, the same story ends well.

The result's primary key has no switch: nothing gets past it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from tests.faults.test_state_machine import Protocol
from tests.support import servers as serving
from tests.support.bench import Bench, benched
from worker.store.queue import budgets, claim, dispatch, record
from worker.store.queue import rescue as rescuing

Switch = Callable[[pytest.MonkeyPatch, Bench], None]
Story = Callable[[Protocol], None]


@dataclass(frozen=True, slots=True)
class Safeguard:
    """`off` takes it away, `story` needs it, and `broken` is what the checker then says."""

    off: Switch
    story: Story
    broken: str


def without(module: Any, name: str, words: str, instead: str = "") -> Switch:
    """A statement with some of its words left out, or others in their place."""

    def off(patch: pytest.MonkeyPatch, _: Bench) -> None:
        statement = str(getattr(module, name))
        assert words in statement, f"{name} has changed; say anew how to switch its safeguard off"
        patch.setattr(module, name, text(statement.replace(words, instead)))

    return off


def no_claim_check(patch: pytest.MonkeyPatch, bench: Bench) -> None:
    """Whoever has the id may claim, whoever holds the lease."""
    without(claim, "LOCK_READY", "AND j.lease_until IS NULL")(patch, bench)


def no_rescue(patch: pytest.MonkeyPatch, _: Bench) -> None:
    patch.setattr(rescuing, "_rescue", lambda *_: 0)


def no_reservation(patch: pytest.MonkeyPatch, bench: Bench) -> None:
    """Every amount fits, and the table's own check, which would still refuse, is gone."""
    patch.setattr(budgets.Purse, "fits", lambda *_: True)
    bench.do("ALTER TABLE budgets DROP CONSTRAINT ck_budgets_cap")


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


SAFEGUARDS = {
    "claim check": Safeguard(no_claim_check, delivered_twice, "one attempt at a time"),
    "fence": Safeguard(
        without(record, "LOCK", "j.fence AS job_fence", "a.fence AS job_fence"),
        reported_late,
        "a lease has its attempt|one attempt at a time|a terminal job is let go",
    ),
    "rescue": Safeguard(no_rescue, killed, "every attempt is closed"),
    "re-dispatch": Safeguard(
        without(
            dispatch, "FORGET_STALE", "WHERE dispatched_at <", "WHERE false AND dispatched_at <"
        ),
        flushed,
        "every job is terminal",
    ),
    "reservation": Safeguard(
        no_reservation, short_of_money, "settled and reserved stay under the cap"
    ),
}


def tell(bench: Bench, story: Story) -> None:
    """Tells the story to its end, and checks every promise after it."""
    told = type("Told", (Protocol,), {"bench": bench})()
    story(told)
    told.teardown()


@pytest.mark.parametrize("name", SAFEGUARDS)
def test_without_it_a_promise_is_seen_to_break(
    name: str, servers: serving.Servers, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeguard = SAFEGUARDS[name]
    with benched(servers, f"t_off_{seed}_{name.replace(' ', '_').replace('-', '_')}") as bench:
        # given: with the safeguard, all is well
        tell(bench, safeguard.story)
        # when
        safeguard.off(monkeypatch, bench)
        with pytest.raises(AssertionError) as caught:
            tell(bench, safeguard.story)
    # then
    assert caught.match(safeguard.broken)
