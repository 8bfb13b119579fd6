"""A suite that cannot fail proves nothing: each safeguard is switched off, here and nowhere else,
and then a promise is seen to break.

The result's primary key has no switch: nothing gets past it.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis.errors import Flaky
from sqlalchemy import text

from tests.faults.test_state_machine import run_machine
from tests.support import servers as serving
from tests.support.bench import Bench, benched
from worker.store import budgets, claim, dispatch, record
from worker.store import rescue as rescuing

EXAMPLES = 300
Switch = Callable[[pytest.MonkeyPatch, Bench], None]


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


SWITCHES: dict[str, tuple[Switch, str]] = {
    "claim check": (no_claim_check, "one attempt at a time"),
    "fence": (
        without(record, "LOCK", "j.fence AS job_fence", "a.fence AS job_fence"),
        "a lease has its attempt|one attempt at a time|the tier only rises",
    ),
    "rescue": (no_rescue, "every attempt is closed"),
    "re-dispatch": (
        without(
            dispatch, "FORGET_STALE", "WHERE dispatched_at <", "WHERE false AND dispatched_at <"
        ),
        "every job is terminal",
    ),
    "reservation": (no_reservation, "settled and reserved stay under the cap"),
}


@pytest.mark.slow
@pytest.mark.parametrize("safeguard", SWITCHES)
def test_without_it_a_promise_is_seen_to_break(
    safeguard: str, servers: serving.Servers, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch, broken = SWITCHES[safeguard]
    with benched(servers, f"t_off_{seed}_{safeguard.replace(' ', '_').replace('-', '_')}") as bench:
        # given
        switch(monkeypatch, bench)
        # when
        with pytest.raises((AssertionError, Flaky)) as caught:
            run_machine(bench, seed, EXAMPLES, shrink=False)
    # then
    assert caught.match(broken)
