"""Times in the forms of helpdesks and spreadsheets."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.intake.taking import taken
from worker.intake import ReadingOptions
from worker.intake.dates import moment_of, order_of
from worker.intake.numbered_dates import Ambiguous, DateOrder

SAME = "2026-11-24 08:15:00+00:00"


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-24T08:15:00Z",
        "2026-11-24 08:15:00 UTC",
        "2026-11-24T09:15:00.000+0100",
        "20261124T081500Z",
        "Tue, 24 Nov 2026 09:15:00 +0100",
        "24.11.2026 08:15",
        "24.11.26, 08:15",
        "24/11/2026 08:15",
        "11/24/2026 8:15 AM",
        "2026/11/24 08:15",
        "24-11-2026 08:15",
        "24/Nov/26 8:15 AM",
        "Nov 24, 2026 08:15 AM",
        "Tuesday, November 24, 2026 8:15 a.m.",
        "2026-11-24 03:15 EST",
        "Tue Nov 24 2026 09:15:00 GMT+0100 (CET)",
        "2026年11月24日 8:15",
        "2026年11月24日(火) 8時15分",
        "2026년 11월 24일 8시 15분",
        "1795508100",
        "1795508100000",
        1795508100,
        1795508100.0,
    ],
)
def test_one_moment_in_many_forms(written: object) -> None:
    assert str(moment_of(written, None)) == SAME


@pytest.mark.parametrize(
    "written",
    ["12", "Monday", "8:15", "Nov 2026", "2026", "99/99/2026", "2026-11-24 08:15 XYZ", "soon",
     "46350.34", "", "1", True, None, 5, "call 24/7 at 8"],
)  # fmt: skip
def test_what_is_no_time_is_none(written: object) -> None:
    assert moment_of(written, None) is None


@pytest.mark.parametrize(
    "written", ["2026-11-24T08:24:00Z", "2026-11-24 08:24:00 UTC", "24.11.2026 08:24:00"]
)
def test_a_minute_that_is_the_24th_is_no_midnight(written: str) -> None:
    assert str(moment_of(written, None)) == "2026-11-24 08:24:00+00:00"


MOMENTS = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 12, 31))  # noqa: DTZ001


@given(MOMENTS, st.sampled_from("./-"), st.sampled_from([" ", ", "]))
def test_numbers_alone_are_the_time_that_they_were_written_of(
    at: dt.datetime, sign: str, between: str
) -> None:
    at = at.replace(microsecond=0, tzinfo=dt.UTC)
    by_day, clock = sign.join((f"{at.day}", f"{at.month}", f"{at.year}")), f"{at:%H:%M:%S}"
    by_month = f"{at.month:02}/{at.day:02}/{at.year}{between}{at:%I:%M:%S %p}"
    assert moment_of(f"{by_day}{between}{clock}", DateOrder.DAY) == at
    assert moment_of(by_month, DateOrder.MONTH) == at
    assert moment_of(by_month.replace(" AM", "am").replace(" PM", "pm"), DateOrder.MONTH) == at
    assert moment_of(by_day, DateOrder.DAY) == at.replace(hour=0, minute=0, second=0)


@pytest.mark.parametrize(
    "written", ["31.02.2026", "00.11.2026", "24.11.2026 8:61", "24.11.2026 13:00 PM", "1/1/1989"]
)
def test_numbers_that_are_no_time_are_none(written: str) -> None:
    assert moment_of(written, None) is None


def test_a_time_with_two_meanings_needs_to_know_the_order() -> None:
    with pytest.raises(Ambiguous):
        moment_of("04/11/2026", None)
    assert str(moment_of("04/11/2026", DateOrder.DAY)) == "2026-11-04 00:00:00+00:00"
    assert str(moment_of("04/11/2026", DateOrder.MONTH)) == "2026-04-11 00:00:00+00:00"
    assert str(moment_of("24/11/2026", DateOrder.MONTH)) == "2026-11-24 00:00:00+00:00"
    assert str(moment_of("11/11/2026", None)) == "2026-11-11 00:00:00+00:00"


@pytest.mark.parametrize(
    ("values", "order", "needed"),
    [
        (["04/11/2026", "24/11/2026"], DateOrder.DAY, True),
        (["04/11/2026", "11/24/2026"], DateOrder.MONTH, True),
        (["04/11/2026", "24/11/2026", "11/24/2026"], None, True),
        (["04/11/2026"], None, True),
        (["2026-11-04", 5, None], None, False),
    ],
)
def test_the_file_as_a_whole_tells(
    values: list[object], order: DateOrder | None, needed: bool
) -> None:
    assert order_of(values) == (order, needed)


def rows(*times: str) -> bytes:
    lines = (f"m{number},hello there,{at}" for number, at in enumerate(times))
    return "\n".join(["external_id,body,received_at", *lines]).encode()


def test_a_row_far_down_settles_the_order_for_those_above() -> None:
    found = taken("x.csv", rows(*["04/11/2026 08:15"] * 900, "24/11/2026 08:15"))
    assert found.noted == []
    assert {str(r.received_at) for r in found.records[:900]} == {"2026-11-04 08:15:00+00:00"}


def test_what_stays_ambiguous_is_metadata_counted_and_named() -> None:
    found = taken("x.csv", rows("04/11/2026", "2026-11-05", "soon"))
    assert [record.metadata for record in found.records] == [
        {"received_at": "04/11/2026"},
        None,
        {"received_at": "soon"},
    ]
    assert [(n["care"], n["rows"], n["first_line"]) for n in found.noted] == [
        ("kept_as_metadata", 1, 2),
        ("kept_as_metadata", 1, 4),
    ]
    assert "--dates" in found.noted[0]["words"]
    said = taken("x.csv", rows("04/11/2026"), options=ReadingOptions(dates=DateOrder.MONTH))
    assert str(said.records[0].received_at) == "2026-04-11 00:00:00+00:00"


@pytest.mark.parametrize(
    "written",
    [
        "24 novembre 2026 08:15", "24 nov. 2026 à 08:15", "mar. 24 nov. 2026 08h15",
        "24 de noviembre de 2026 08:15", "24 de novembro de 2026, 08:15",
        "Dienstag, 24. November 2026, 08:15 Uhr", "24 listopada 2026 08:15",
        "24 ноября 2026 г., 08:15", "24 Kasım 2026 08:15", "11/24/2026, 8:15:00\u202fAM",
        "2026-11-24T09:15:00+01:00[Europe/Berlin]", "2026-11-24T09:15:00[Europe/Berlin]",
        "2026-11-24 09:15:00 Europe/Berlin", "2026-11-24 09:15:00 +0100 CET",
        "Tue Nov 24 2026 09:15:00 GMT+0100 (Central European Standard Time)",
        "/Date(1795508100000)/", "1795508100000000", "24-Nov-26 08.15.00.000000 AM",
        "2026-11-24-08.15.00.000000", "24NOV2026:08:15:00", "2026-11-24T09:15:00 01:00",
        "2026-11-24T08:15:00Z[UTC]", "24.11.2026 08.15", "24.11.2026 8.15.00",
        "2026年11月24日 上午8:15", "2026. 11. 24. 오전 8:15", "2026/11/24 午前8:15",
    ],
)  # fmt: skip
def test_one_moment_in_many_languages_and_programs(written: str) -> None:
    assert str(moment_of(written, None)) == SAME


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("1er décembre 2026", "2026-12-01"), ("15 août 2026", "2026-08-15"),
        ("3. Mrz 2026", "2026-03-03"), ("mar 3 mar 2026", "2026-03-03"),
        ("2026-11-24 24:00", "2026-11-25"), ("2026年11月24日 午前12時00分", "2026-11-24"),
        ("31.12.2026 24:00:00", "2027-01-01"),
    ],
)  # fmt: skip
def test_a_day_in_many_forms(written: str, day: str) -> None:
    assert str(moment_of(written, None)) == f"{day} 00:00:00+00:00"


@pytest.mark.parametrize(
    "written",
    ["1899-12-30", "0001-01-01T00:00:00", "24/11/2569", "1970-01-01", "9999-12-31",
     "24 brumaire 2026", "2026-11-24 08:15 Mars/Olympus"],
)  # fmt: skip
def test_a_day_that_stands_for_none_is_none(written: str) -> None:
    assert moment_of(written, DateOrder.DAY) is None
