"""What a forecast goes by, where a part of a file is known already."""

from hypothesis import given
from hypothesis import strategies as st

from worker.domain.proof.strata import in_proportion
from worker.intake.outcome import Counts


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10_000)), st.integers(0, 50_000))
def test_so_many_messages_are_parted_as_all_rows_are(strata: dict[str, int], wanted: int) -> None:
    found, total = in_proportion(strata, wanted), sum(strata.values())
    assert sum(found.values()) == min(wanted, total)
    assert all(
        abs(found.get(name, 0) - count * min(wanted, total) / total) < 1
        for name, count in strata.items()
        if total
    )


def test_a_forecast_is_of_what_was_accepted() -> None:
    counts = Counts(accepted=10, duplicates=90)
    counts.strata.update(short=80, long=20)
    assert counts.coming == {"short": 8, "long": 2}
    assert Counts(duplicates=3).coming == {}
