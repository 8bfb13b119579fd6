"""The breaker's decisions: what counts as trouble, when it opens, how it closes again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import Breaker, CallState, Purpose
from worker.domain.breaker import BreakerRule, Pulse, Standing, hear, pulse_of
from worker.domain.reports import CallReport
from worker.domain.trouble import Meaning

RULE = BreakerRule()
CALL = CallReport(
    purpose=Purpose.ANSWER,
    state=CallState.FAILED,
    error="500 api_error: words",
    http_status=500,
    meaning=Meaning.UNKNOWN,
)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (CallReport(purpose=Purpose.ANSWER, state=CallState.DONE, http_status=200), Pulse(good=1)),
        (CALL, Pulse(0, 1, "500 api_error")),
        (
            replace(
                CALL, http_status=529, error="529 overloaded_error", meaning=Meaning.OVERLOADED
            ),
            Pulse(0, 1, "529 overloaded_error"),
        ),
        (replace(CALL, http_status=None, error="timeout"), Pulse(0, 1, "timeout")),
        (
            replace(
                CALL,
                http_status=None,
                error="not connected: words",
                sent=False,
                meaning=Meaning.NOT_SENT,
            ),
            Pulse(0, 1, "not connected"),
        ),
        (replace(CALL, error="429 rate_limit_error", meaning=Meaning.RATE_LIMITED), Pulse()),
        (replace(CALL, error="400 invalid_request_error", meaning=Meaning.PERMANENT), Pulse()),
        (replace(CALL, error="401 authentication_error", meaning=Meaning.CONFIGURATION), Pulse()),
        (CallReport(purpose=Purpose.ANSWER, state=CallState.FAILED, sent=False), Pulse()),
        (CallReport(purpose=Purpose.ANSWER, state=CallState.LOST, error="died"), Pulse()),
    ],
)
def test_only_what_speaks_of_claude_counts(call: CallReport, expected: Pulse) -> None:
    assert pulse_of((call,)) == expected


def test_many_in_a_row_open_it_with_a_reason_and_a_time() -> None:
    standing = Standing()
    for _ in range(RULE.in_row - 1):
        standing = hear(standing, Pulse(troubled=1, last="timeout"), RULE)
        assert standing.state is Breaker.CLOSED
    standing = hear(standing, Pulse(troubled=1, last="timeout"), RULE)
    assert standing == Standing(
        state=Breaker.OPEN,
        trips=1,
        open_s=10.0,
        reason="10 calls in a row failed, last with timeout",
    )


def test_half_of_a_window_opens_it_and_less_does_not() -> None:
    calm = hear(Standing(), Pulse(11, 9, "timeout"), RULE)
    assert (calm.state, calm.good, calm.troubled) == (Breaker.CLOSED, 11, 9)
    opened = hear(replace(calm, age_s=29.0), Pulse(1, 3, "timeout"), RULE)
    assert opened.state is Breaker.OPEN
    assert opened.reason == "12 of 24 calls failed within 30 s, last with timeout"


def test_an_old_window_is_forgotten() -> None:
    old = Standing(good=0, troubled=19, in_row=0, age_s=30.1)
    assert hear(old, Pulse(1, 1, "timeout"), RULE) == Standing(
        in_row=1, good=1, troubled=1, age_s=0.0
    )


def test_a_healthy_queue_is_not_written() -> None:
    healthy = Standing()
    assert hear(healthy, Pulse(good=1_000), RULE) is healthy


def test_an_open_breaker_hears_nothing() -> None:
    opened = Standing(state=Breaker.OPEN, trips=2)
    assert hear(opened, Pulse(5, 5, "timeout"), RULE) is opened


def test_probes_close_it_and_a_failed_probe_opens_it_for_twice_as_long() -> None:
    probing = Standing(state=Breaker.HALF_OPEN, trips=1)
    one = hear(probing, Pulse(good=1), RULE)
    assert (one.state, one.good) == (Breaker.HALF_OPEN, 1)
    assert hear(one, Pulse(good=2), RULE) == Standing()
    again = hear(one, Pulse(1, 1, "529 overloaded_error"), RULE)
    assert (again.state, again.trips, again.open_s) == (Breaker.OPEN, 2, 20.0)
    assert again.reason == "a probe failed: 529 overloaded_error"


@given(st.integers(0, 10_000))
def test_it_never_stays_open_for_longer_than_its_bound(trips: int) -> None:
    assert RULE.open_s <= RULE.open_for(trips) <= RULE.max_open_s


@given(st.lists(st.builds(Pulse, st.integers(0, 5), st.integers(0, 5), st.just("timeout"))))
def test_only_trouble_opens_it_and_only_a_probe_closes_it(pulses: list[Pulse]) -> None:
    standing = Standing()
    for pulse in pulses:
        after = hear(standing, pulse, RULE)
        if standing.state is Breaker.CLOSED and after.state is not Breaker.CLOSED:
            assert after.state is Breaker.OPEN
            assert pulse.troubled
            assert after.reason
        if standing.state is Breaker.HALF_OPEN and after.state is Breaker.CLOSED:
            assert pulse.troubled == 0
        # Time passes: an open breaker lets probes through.
        is_open = after.state is Breaker.OPEN
        standing = replace(after, state=Breaker.HALF_OPEN, good=0) if is_open else after
