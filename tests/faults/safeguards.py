"""Safeguards: how each is switched off, the story that needs it, and what is said of its loss."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from tests.faults.stories import (
    Story,
    answered_late,
    changed,
    claimed,
    delivered_twice,
    flushed,
    held_back,
    killed,
    out_in_a_batch,
    paused,
    reconciled,
    reported_late,
    short_of_money,
    still_coming_in,
    undelivered,
    unsure,
)
from tests.support.bench import Bench
from worker.domain import next_step
from worker.store.queue import (
    budgets,
    claim,
    dispatch,
    expire,
    leases,
    record,
    reservations,
    rows_of_report,
)
from worker.store.queue import (
    rescue as rescuing,
)

Switch = Callable[[pytest.MonkeyPatch, Bench], None]


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


def no_late_answers(patch: pytest.MonkeyPatch, _: Bench) -> None:
    """An answer that comes after the lease is over is nobody's."""
    patch.setattr(rows_of_report, "Accepted", type("Never", (), {}))


def no_rising(patch: pytest.MonkeyPatch, bench: Bench) -> None:
    """Whatever climbs comes to the cheapest tier, and the statement that moves it lets it."""
    patch.setattr(next_step, "_target", lambda policy, *_: policy.ladder[0])
    words = "t.rung IS NULL OR t.rung >= j.rung OR j.state = 'queued'"
    without(record, "MOVE_JOBS", words, "true")(patch, bench)


def no_purse_of_the_day(patch: pytest.MonkeyPatch, _: Bench) -> None:
    patch.setattr(leases, "reservations", lambda *_: [])


SAFEGUARDS = {
    "run state": Safeguard(
        without(claim, "LOCK_READY", "AND r.state = 'active'"),
        held_back("a paused run is left alone", paused),
        "a paused run is left alone",
    ),
    "erased": Safeguard(
        without(claim, "LOCK_READY", "AND m.erased_at IS NULL"),
        held_back(
            "what is forgotten is not sent",
            changed("UPDATE messages SET erased_at = now()"),
            changed("UPDATE messages SET erased_at = NULL"),
        ),
        "what is forgotten is not sent",
    ),
    "due": Safeguard(
        without(claim, "LOCK_READY", "j.available_at <= now() AND"),
        held_back(
            "what waits is not begun",
            changed("UPDATE jobs SET available_at = now() + interval '1 hour'"),
        ),
        "what waits is not begun",
    ),
    "pause": Safeguard(
        without(claim, "LOCK_READY", "t.paused OR"),
        held_back(
            "a paused tier is left alone",
            changed("INSERT INTO tiers (name, paused) VALUES ('everything', true)"),
        ),
        "a paused tier is left alone",
    ),
    "dispatch of runs": Safeguard(
        without(dispatch, "TAKE", "r.state = 'active' AND"),
        undelivered("a paused run is not dispatched", paused),
        "a paused run is not dispatched",
    ),
    "dispatch of tiers": Safeguard(
        without(dispatch, "ROOM", "t.paused OR"),
        undelivered(
            "a paused tier is not dispatched",
            changed("INSERT INTO tiers (name, paused) VALUES ('everything', true)"),
        ),
        "a paused tier is not dispatched",
    ),
    "workers that stop": Safeguard(
        without(dispatch, "ROOM", "AND NOT stopping"),
        undelivered(
            "nobody who stops is given work",
            changed("UPDATE workers SET stopping = true"),
            changed("UPDATE workers SET stopping = false"),
        ),
        "nobody who stops is given work",
    ),
    "first paid answer": Safeguard(
        no_late_answers, answered_late, "the first paid answer is the result"
    ),
    "tier rises": Safeguard(no_rising, unsure, "the tier only rises"),
    "batches and rescue": Safeguard(
        without(rescuing, "EXPIRED", "AND batch_id IS NULL"),
        out_in_a_batch,
        "rescue never takes what is at Claude",
    ),
    "reconciliation": Safeguard(
        without(
            reservations, "RECONCILE", "batch_id IS NOT NULL", "batch_id IS NOT NULL AND false"
        ),
        reconciled,
        "a run's budget reserves what is open",
    ),
    "intake and deadline": Safeguard(
        without(expire, "EXPIRE", "AND NOT accepting"),
        still_coming_in,
        "what is still coming in is not over",
    ),
    "purses": Safeguard(no_purse_of_the_day, claimed, "budget reserves what is open"),
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
