"""A certificate in force: what it asks of an answer in each of its states."""

from dataclasses import replace
from decimal import Decimal

import pytest

from worker.domain.in_force import CertifiedScore, InForce, segment_of, standing
from worker.domain.messages import MessageText

HELD = InForce(
    number=3,
    tier="haiku",
    threshold=Decimal("0.8"),
    fallback=Decimal("0.9"),
    scorer=None,
    segment_by="channel",
    key={},
)
MESSAGE = MessageText(body="Hello", channel="mail", language="de", attributes={"plan": 7})


@pytest.mark.parametrize(
    ("state", "score", "passes"),
    [
        ("valid", "0.8", True),
        ("valid", "0.79", False),
        ("amber", "0.89", False),
        ("amber", "0.9", True),
        ("void", "1", False),
    ],
)
def test_each_state_asks_for_its_score(state: str, score: str, passes: bool) -> None:
    held = replace(HELD, state=state)  # type: ignore[arg-type]
    found = standing(held, MESSAGE, None, "Hello", Decimal(score))
    assert (found.certificate, found.score, found.passes) == (3, Decimal(score), passes)


def test_an_amber_one_without_a_stricter_threshold_lets_nothing_through() -> None:
    held = replace(HELD, state="amber", fallback=None)
    assert not standing(held, MESSAGE, None, "Hello", Decimal(1)).passes
    assert not CertifiedScore(1, Decimal(1), None).passes


def test_no_confidence_is_none_at_all() -> None:
    assert standing(HELD, MESSAGE, None, "Hello", None).score == 0


@pytest.mark.parametrize(
    ("by", "segment"),
    [("difficulty", "SIMPLE"), ("channel", "mail"), ("language", "de"), ("plan", "7"), ("x", "")],
)
def test_a_message_is_parted_by_what_the_certificate_says(by: str, segment: str) -> None:
    assert segment_of(by, MESSAGE, "SIMPLE") == segment
    assert segment_of("difficulty", MESSAGE, None) == ""
