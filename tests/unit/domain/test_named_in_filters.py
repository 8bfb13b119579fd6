"""A filter's values that say who somebody is, with fingerprints in their place."""

import pytest

from worker.domain.filters import Comparison
from worker.domain.named_in_filters import fingerprint, masked, without_names

PRINT = fingerprint("c-77")


def hides(comparison: Comparison, value: str) -> bool:
    return comparison.field == "customer" and value == "c-77"


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("customer = c-77", f"customer = {PRINT}"),
        ("run day, customer = c-77", f"run day, customer = {PRINT}"),
        ("run a, b, not (customer in (c-1, c-77))", f"run a, b, not customer in (c-1, {PRINT})"),
        (
            "state = review and (customer != 'c-77' or cost > 1)",
            f"state = review and (customer != {PRINT} or cost > 1)",
        ),
        # What is another's, another field's, or no filter, is as it was, spelling and all.
        ("customer  =  c-78", "customer  =  c-78"),
        ("source = 'c-77'", "source = 'c-77'"),
        ("run customer = , c-77", "run customer = , c-77"),
        ("the customer c-77", "the customer c-77"),
        ("", ""),
        (f"customer = {PRINT}", f"customer = {PRINT}"),
    ],
)
def test_only_the_names_go(words: str, left: str) -> None:
    assert without_names(words, hides) == left


def test_what_is_compared_by_size_says_nobodys_name() -> None:
    assert without_names("metadata.age > 17", lambda *_: True) == "metadata.age > 17"


def test_what_customers_wrote_is_masked_and_who_they_are_is_not() -> None:
    words = "run day, subject contains 'my card' and customer = c-77 or metadata.order in (1, 2)"
    assert masked(words) == (
        "run day, subject contains … and customer = c-77 or metadata.order in (…, …)"
    )
