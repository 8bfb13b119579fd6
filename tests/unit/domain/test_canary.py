"""What an attempt says of a new prompt, and when a new prompt is proven or given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import AttemptOutcome, CallState, Purpose
from worker.domain.canary import FORGIVEN, HOPELESS, NEEDED, CanaryVerdict, speaks_well, verdict
from worker.domain.endings import Accepted, ClimbTo, Dead, Deferred, Ending, Failed, RoutedTo
from worker.domain.reports import AttemptReport, CallReport
from worker.domain.trouble import Meaning

DONE = CallReport(purpose=Purpose.ANSWER, state=CallState.DONE, http_status=200)
REFUSED = CallReport(
    purpose=Purpose.ANSWER, state=CallState.FAILED, error="400 invalid", meaning=Meaning.PERMANENT
)
CUT_OFF = CallReport(
    purpose=Purpose.ANSWER, state=CallState.FAILED, error="timeout", meaning=Meaning.UNKNOWN
)
CLIMB = ClimbTo(tier="sonnet", rung=1, reason="whatever")
OUTCOME = AttemptOutcome


@pytest.mark.parametrize(
    ("outcome", "ending", "call", "reasons", "expected"),
    [
        (OUTCOME.ACCEPTED, Accepted("", {}), DONE, (), True),
        (OUTCOME.REJECTED, CLIMB, DONE, ("low_confidence",), True),
        (OUTCOME.REJECTED, CLIMB, DONE, ("length",), False),
        (OUTCOME.REJECTED, CLIMB, DONE, ("length", "low_confidence"), False),
        (OUTCOME.MALFORMED, CLIMB, DONE, ("malformed",), False),
        (OUTCOME.EMPTY, CLIMB, DONE, ("empty",), False),
        (OUTCOME.REFUSED, CLIMB, DONE, ("refused:unnamed",), False),
        (OUTCOME.TRUNCATED, CLIMB, DONE, ("truncated",), False),
        (OUTCOME.TRUNCATED, CLIMB, DONE, ("too_long",), None),
        (OUTCOME.FAILED, Dead("400"), REFUSED, ("invalid",), False),
        (OUTCOME.FAILED, Dead("failed 3 times"), CUT_OFF, ("timeout",), None),
        (OUTCOME.FAILED, Failed(1, "timeout"), CUT_OFF, ("timeout",), None),
        (OUTCOME.DEFERRED, Deferred(1, "529"), CUT_OFF, ("529",), None),
        (OUTCOME.SUPERSEDED, Accepted("", {}), DONE, (), None),
    ],
)
def test_what_an_attempt_says(
    outcome: AttemptOutcome,
    ending: Ending,
    call: CallReport,
    reasons: tuple[str, ...],
    expected: bool | None,
) -> None:
    assert (
        speaks_well(
            AttemptReport(
                job_id=1, fence=1, outcome=outcome, ending=ending, calls=(call,), reasons=reasons
            )
        )
        is expected
    )


@pytest.mark.parametrize(("label", "expected"), [("SIMPLE", True), (None, False)])
def test_a_label_that_nobody_knows_speaks_against_the_classifier(
    label: str | None, expected: bool
) -> None:
    ending = RoutedTo("haiku", 0, label)
    report = AttemptReport(
        job_id=1, fence=1, outcome=OUTCOME.ROUTED, ending=ending, calls=(DONE,), difficulty=label
    )
    assert speaks_well(report) is expected


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        (0, 0, CanaryVerdict.UNDECIDED),
        (NEEDED, 0, CanaryVerdict.PROVEN),
        (0, NEEDED, CanaryVerdict.GIVEN_UP),
        (FORGIVEN, NEEDED, CanaryVerdict.GIVEN_UP),
        (FORGIVEN + 1, NEEDED, CanaryVerdict.UNDECIDED),
        (NEEDED - 1, HOPELESS, CanaryVerdict.GIVEN_UP),
    ],
)
def test_the_verdict(good: int, bad: int, expected: CanaryVerdict) -> None:
    assert verdict(good, bad) is expected


@given(st.lists(st.booleans(), min_size=NEEDED + HOPELESS))
def test_every_sequence_of_calls_is_decided(said: list[bool]) -> None:
    good = bad = 0
    decided = []
    for well in said:
        good, bad = good + well, bad + (not well)
        decided.append(verdict(good, bad) is not CanaryVerdict.UNDECIDED)
    assert any(decided[: NEEDED + HOPELESS])
