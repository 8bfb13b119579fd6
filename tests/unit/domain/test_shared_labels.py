"""Labels of several messages in one answer: each by its id, and never one for another."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.answers import ModelAnswer, read_difficulty
from worker.domain.labels import entries_of
from worker.domain.policy import DIFFICULTIES
from worker.domain.pricing import Usage
from worker.domain.shared_labels import shared_out

KEYS = ["1", "2", "3"]


def labels(*entries: tuple[object, object], stop: str = "end_turn") -> dict[str, str | None]:
    text = json.dumps({"labels": [{"id": key, "difficulty": said} for key, said in entries]})
    found = entries_of(ModelAnswer(text, stop), KEYS)
    return {key: read_difficulty(ModelAnswer(entry)) for key, entry in found.items()}


def test_every_label_is_found_by_its_id_in_any_order_and_case() -> None:
    assert labels(("3", "complex"), ("1", "SIMPLE"), ("2", "Moderate")) == {
        "1": "SIMPLE",
        "2": "MODERATE",
        "3": "COMPLEX",
    }


def test_an_id_as_a_number_is_the_same_id() -> None:
    assert labels((1, "SIMPLE"))["1"] == "SIMPLE"


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (("2", "SIMPLE"),),
        (("1", "EASY"),),
        (("1", None),),
        (("1", "SIMPLE"), ("1", "COMPLEX")),
        (("01", "SIMPLE"),),
    ],
)
def test_missing_unknown_and_doubled_labels_are_none(
    entries: tuple[tuple[object, object], ...],
) -> None:
    assert labels(*entries)["1"] is None


def test_an_answer_that_was_cut_short_has_no_labels() -> None:
    assert set(labels(("1", "SIMPLE"), stop="max_tokens").values()) == {None}


@given(st.text())
def test_any_text_is_an_answer(said: str) -> None:
    found = entries_of(ModelAnswer(said), KEYS)
    assert list(found) == KEYS
    assert {read_difficulty(ModelAnswer(entry)) for entry in found.values()} <= {
        *DIFFICULTIES,
        None,
    }


tokens = st.integers(0, 100_000)


@given(
    st.builds(Usage, **dict.fromkeys(Usage.__slots__, tokens)),
    st.lists(st.decimals(0, 1, places=6), min_size=1, max_size=20),
)
def test_shares_add_up_to_the_token(usage: Usage, weights: list[Decimal]) -> None:
    shares = shared_out(usage, weights)
    assert len(shares) == len(weights)
    for kind in Usage.__slots__:
        parts = [getattr(share, kind) for share in shares]
        assert sum(parts) == getattr(usage, kind)
        assert all(part >= 0 for part in parts)


def test_shares_follow_the_weights() -> None:
    shares = shared_out(Usage(input_tokens=1_000, output_tokens=90), [Decimal(1), Decimal(8)])
    assert [(s.input_tokens, s.output_tokens) for s in shares] == [(111, 10), (889, 80)]
