"""What is known of the fixed part of requests: the least that was counted, never too little."""

from models.vocabulary import Purpose
from worker.claude.counted import CountedInputs
from worker.domain.prompts import RequestKind

ANSWER = RequestKind(
    purpose=Purpose.ANSWER, model="haiku", prompt_version="p1", schema_version="s1"
)
OTHER = RequestKind(purpose=Purpose.ANSWER, model="haiku", prompt_version="p2", schema_version="s1")


def noted(*counts: int, expected: int | None = None) -> CountedInputs:
    inputs = CountedInputs()
    for counted in counts:
        inputs.note(ANSWER, counted, simulated=False, expected=expected)
    return inputs


def test_the_least_that_was_counted_bounds_the_part_that_all_share() -> None:
    inputs = noted(900, 870, 950)
    assert (inputs.tokens(ANSWER), inputs.tokens(OTHER)) == (870, None)


def test_an_answer_without_usage_teaches_nothing() -> None:
    assert noted(0).tokens(ANSWER) is None
    assert noted(900, 0).tokens(ANSWER) == 900


def test_more_than_was_expected_replaces_what_was_known() -> None:
    inputs = noted(900, 1_000, expected=1_000)
    assert inputs.tokens(ANSWER) == 900
    inputs.note(ANSWER, 1_001, simulated=False, expected=1_000)
    assert inputs.tokens(ANSWER) == 1_001


def test_what_a_simulator_counts_is_nothing_to_claude() -> None:
    inputs = noted(900)
    inputs.note(OTHER, 5, simulated=True)
    assert (inputs.tokens(ANSWER), inputs.tokens(OTHER)) == (None, 5)
    assert inputs.unsaved() == ({OTHER: 5}, True)


def test_what_is_new_is_handed_over_once() -> None:
    inputs = noted(900, 950)
    assert inputs.unsaved() == ({ANSWER: 900}, False)
    inputs.note(ANSWER, 901, simulated=False)
    assert inputs.unsaved() == ({}, False)


def test_what_earlier_calls_came_to_is_taken_where_nothing_is_known() -> None:
    inputs = noted(900)
    inputs.remember({ANSWER: 800, OTHER: 700})
    assert (inputs.tokens(ANSWER), inputs.tokens(OTHER)) == (900, 700)
