"""Charts with axes: round ticks, minutes that nobody noted, bars that fit their box."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.dashboard.screens.plots import HEIGHT, WIDTH, hour, round_top, ticks, whole
from worker.domain.wording import dollars
from worker.store.reading.minutes import SHOWN, MinutePast, Noted, minutes_of

NOW = dt.datetime(2026, 11, 24, 14, 0, 5, tzinfo=dt.UTC)


def noted(
    ago: int, *, late_s: float = 0, ended: int = 0, waiting: int = 0, spent: str = "0"
) -> Noted:
    at = NOW.replace(second=0) - dt.timedelta(minutes=ago)
    return Noted(
        at=at,
        taken_at=at + dt.timedelta(seconds=late_s),
        ended=ended,
        waiting=waiting,
        at_claude=3,
        failed_calls=ended // 10,
        spent=Decimal(spent),
    )


def test_what_happened_in_a_minute_is_the_difference_to_the_next() -> None:
    # given: one minute is not noted, one was noted late, and a retry took jobs back
    rows = [noted(5, ended=100), noted(4, ended=160), noted(2, ended=200, late_s=30, spent="1"),
            noted(1, ended=260, waiting=7, spent="1.5")]  # fmt: skip
    now = noted(0, ended=250, spent="1.5")
    # when: the minute that has just begun is not noted yet
    found = minutes_of(rows, now)
    # then
    assert (len(found), found[-1].at) == (SHOWN, NOW.replace(second=0) - dt.timedelta(minutes=1))
    assert [one.known for one in found[-5:]] == [True, False, False, True, True]
    assert [one.done for one in found if one.known] == [60.0, 120.0, 0.0]
    assert (found[-5].failed, found[-2].spent, found[-2].waiting) == (6.0, 1.0, 10)
    # then: once it is noted it is shown as it goes so far, a minute's worth
    (*_, before, so_far) = minutes_of([*rows, now], noted(0, late_s=30, ended=280, waiting=4))
    assert (before, so_far.at, so_far.done, so_far.waiting) == (found[-1], now.at, 60.0, 7)
    assert not any(one.known for one in minutes_of(rows, noted(-120)))


@given(st.floats(0.0001, 1e9))
def test_an_axis_ends_at_a_round_figure_above_all(most: float) -> None:
    top = round_top(most, 0.0002)
    assert most * (1 - 1e-6) <= top <= max(most * 2.001, 0.0002)


@pytest.mark.parametrize(
    ("most", "say", "words"),
    [
        (130, whole, ("200", "100", "0")),
        (0, whole, ("2", "1", "0")),
        (5_615, whole, ("6,000", "3,000", "0")),
        (0.0195, dollars, ("$0.0200", "$0.0100", "$0.00")),
        (3.2, dollars, ("$4.00", "$2.00", "$0.00")),
        (150.0, dollars, ("$200.00", "$100.00", "$0.00")),
    ],
)
def test_ticks_are_short(most: float, say: object, words: tuple[str, ...]) -> None:
    assert ticks(round_top(most, 2 if say is whole else 0.0002), say) == words  # type: ignore[arg-type]


def test_an_hour_is_four_charts_that_say_each_minute() -> None:
    # given
    minutes = [MinutePast(at=NOW + dt.timedelta(minutes=n), known=n != 3, done=n, waiting=n,
                          spent=n / 100) for n in range(60)]  # fmt: skip
    # when
    done, waiting, failed, spend = hour(minutes)
    # then
    assert [plot.title for plot in (done, waiting, failed, spend)] == [
        "Done", "Waiting", "Failed calls", "Spend"
    ]  # fmt: skip
    assert done.words == "59 at 14:59"
    assert spend.words == "$0.5900 at 14:59"
    said = [place.words for place in done.places[2:5]]
    assert said == ["14:02: 2", "14:03: not known", "14:04: 4"]
    assert failed.words == "0 at 14:59"
    assert [bar.kind for bar in failed.bars] == ["unknown"]
    for plot in (done, waiting, spend):
        assert len(plot.places) == 60
        assert all(bar.y >= 0 and bar.y + bar.height <= HEIGHT + 0.1 for bar in plot.bars)
        assert all(bar.x + bar.width <= WIDTH for bar in plot.bars)
    assert hour([]) == []


def test_a_history_that_has_begun_is_shown_from_there() -> None:
    minutes = [MinutePast(at=NOW + dt.timedelta(minutes=n), known=n >= 40) for n in range(60)]
    assert [len(plot.places) for plot in hour(minutes)] == [20] * 4
    late = [MinutePast(at=one.at, known=one.at == minutes[-1].at) for one in minutes]
    assert [len(plot.places) for plot in hour(late)] == [15] * 4
    assert hour([MinutePast(at=one.at) for one in minutes]) == []
